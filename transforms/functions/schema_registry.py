"""Avro schemas by their number: from a schema registry over HTTP, or from a folder."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from transforms.functions.reading_avro import DAMAGED, parsed_schema

SECONDS = 10.0
"""A registry answers within milliseconds; one that takes longer is taken for absent, and the run can be repeated."""

ANSWER_BYTES = 4 << 20
"""Of a schema. The longest of a public collection of event schemas have some 100 kB."""

AVRO, JSON = "AVRO", "JSON"
FOLDER_ENDINGS = (".avsc", ".json")


class RegistryError(OSError):
    """The registry can't be asked: nothing is known of the messages, so none is refused for it."""


class UnknownSchemaError(ValueError):
    """The registry knows no such schema, or one that can't be used: the message is refused."""


@dataclass(frozen=True)
class RegisteredSchema:
    """A schema of the registry: `kind` is `AVRO`, with `parsed` for fastavro, or `JSON`, with None."""

    kind: str
    parsed: Any


class SchemaRegistry:
    """Schemas by number, each asked for once.

    Args:
        place: `http://HOST:PORT`, also with a path; or a folder of `NUMBER.avsc`.
        user: `USER:PASSWORD` for a registry that wants it.

    Raises:
        ValueError: the place is no URL of HTTP and no folder.
    """

    def __init__(self, place: str, user: str | None = None) -> None:
        check_place(place)
        self._place, self._user = place.rstrip("/"), user
        self._known: dict[int, RegisteredSchema] = {}

    def schema(self, number: int) -> RegisteredSchema:
        """The schema of this number.

        Raises:
            UnknownSchemaError: there is none, or it is of a kind that isn't read. RegistryError: it can't be asked.
        """
        if number not in self._known:
            self._known[number] = self._asked(number)
        return self._known[number]

    def _asked(self, number: int) -> RegisteredSchema:
        given = self._answer(f"/schemas/ids/{number}") if _is_url(self._place) else _in_folder(self._place, number)
        if given is None:
            raise UnknownSchemaError(f"the schema registry {self._place} has no schema {number}")
        kind = given.get("schemaType", AVRO)
        if kind == JSON:
            return RegisteredSchema(JSON, None)
        if kind != AVRO:
            raise UnknownSchemaError(f"schema {number} of the registry is {kind}; expected {AVRO} or {JSON}")
        try:
            return RegisteredSchema(AVRO, self._parsed(given, {}))
        except DAMAGED as error:
            if isinstance(error, RegistryError):
                raise
            raise UnknownSchemaError(f"schema {number} of the registry is no Avro schema ({error!s:.200})") from None

    def _parsed(self, given: dict[str, Any], named: dict[str, Any]) -> Any:
        for one in given.get("references") or ():
            path = f"/subjects/{quote(one['subject'], safe='')}/versions/{one['version']}"
            referred = self._answer(path)
            if referred is None:
                raise ValueError(f"it refers to {one['name']}, which the registry has not")
            self._parsed(referred, named)
        return parsed_schema(orjson.loads(given["schema"]), named)

    def _answer(self, path: str) -> dict[str, Any] | None:
        """What the registry answers; None where it knows no such thing."""
        request = urllib.request.Request(self._place + path)
        request.add_header("Accept", "application/vnd.schemaregistry.v1+json, application/json")
        if self._user is not None:
            request.add_header("Authorization", "Basic " + base64.b64encode(self._user.encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                found = json.loads(response.read(ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise RegistryError(
                f"the schema registry {self._place} answers {error.code} ({error.reason}); expected a schema. With 401 "
                "or 403, give --kafka-option schema.registry.basic.auth.user.info=USER:PASSWORD"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise RegistryError(
                f"the schema registry {self._place} can't be asked ({reason}); expected http://HOST:PORT of one that "
                "runs. When it does, the same command goes on"
            ) from None
        if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
            raise RegistryError(f"{self._place}{path} answers something else than a schema; is it a schema registry?")
        return found


def check_place(place: str) -> None:
    """Raises ValueError where it is neither an URL of HTTP without a password nor a folder."""
    if _is_url(place):
        if urlsplit(place).username is not None:
            raise ValueError(
                "the schema registry's URL holds a user, which would be told with it; give the URL without, and "
                "--kafka-option schema.registry.basic.auth.user.info=USER:PASSWORD"
            )
        return
    if not os.path.isdir(place):
        raise ValueError(f"{place!r} is no schema registry; expected http://HOST:PORT, or a folder of NUMBER.avsc")


def _is_url(place: str) -> bool:
    return urlsplit(place).scheme in ("http", "https")


def _in_folder(folder: str, number: int) -> dict[str, Any] | None:
    for ending in FOLDER_ENDINGS:
        path = os.path.join(folder, f"{number}{ending}")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return {"schema": file.read()}
    return None
