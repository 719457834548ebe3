"""A topic of a Kafka broker: what it holds, and its messages by ranges of offsets. No consumer group is joined."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from transforms.functions.messages import Message, MessageForm

ANSWER_SECONDS = 10
"""A broker answers in milliseconds, after a start in about ten seconds; one that doesn't is told of."""

STALLED_POLLS = 30
"""Of a second each, without a message, while a range of which the end is known is read."""

POLLED_MESSAGES = 1000
"""Taken from librdkafka's queue at a time."""

OWN_OPTIONS = {
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
    "auto.offset.reset": "error",
    "bootstrap.servers": "",
}
"""What this module decides; whoever passes them otherwise would lose messages without knowing."""

REGISTRY_USER = "schema.registry.basic.auth.user.info"
"""An option as others name it, which is for the schema registry and not for librdkafka."""

INSTALL = "confluent-kafka is not installed; install copydesk with it: pip install 'copydesk[kafka]'"


@dataclass(frozen=True)
class Topic:
    """A topic, and how it is read. `broker` is HOST:PORT, several separated by commas; `options` are librdkafka's."""

    broker: str
    name: str
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # passwords stand in it
    form: MessageForm = field(default_factory=MessageForm)

    def uri(self, partition: int) -> str:
        """What a partition is called in the store, whichever broker it was read from."""
        return f"kafka:///{self.name}#{partition}"


class TopicError(Exception):
    """The topic can't be read. `mend` says whether the command must change; else the same may do later."""

    def __init__(self, message: str, *, mend: bool) -> None:
        super().__init__(message)
        self.mend = mend

    def __reduce__(self) -> tuple[Any, ...]:
        return _error, (str(self), self.mend)


class LostMessagesError(TopicError):
    """The broker no longer has messages that come next."""


def _error(message: str, mend: bool) -> TopicError:
    return TopicError(message, mend=mend)


class TopicReader:
    """One consumer of a topic's partitions, from given offsets on; what was read is held until it is forgotten.

    Attributes:
        identity: the topic's own id where the broker tells it, else the cluster's: a topic that was made anew has
            another.
        positions: by partition, the next offset that will be read.
        held_bytes: of the values that are held.
        trouble: what the connection last suffered from; None while it works.

    Raises:
        TopicError: the broker can't be reached, knows no such topic, or an option is wrong.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.trouble: str | None = None
        self.positions: dict[int, int] = {}
        self.held_bytes = 0
        self._held: dict[int, list[Message]] = {}
        self._held_from: dict[int, int] = {}  # everything from there to `positions` is held
        self._admin: Any = None
        self._troubles: list[Any] = []
        self._kafka = _library()
        config = {name: value for name, value in topic.options if name != REGISTRY_USER}
        wrong = sorted(set(config) & set(OWN_OPTIONS))
        if wrong:
            raise TopicError(f"--kafka-option {wrong[0]}: copydesk sets that itself; leave it out", mend=True)
        config = {"group.id": "copydesk", **config, **OWN_OPTIONS, "bootstrap.servers": topic.broker}
        self._config = {**config, "error_cb": self._note}
        try:
            self._consumer = self._kafka.Consumer(self._config, logger=_silent())
        except self._kafka.KafkaException as error:
            raise TopicError(
                f"--kafka-option: {error.args[0].str()}; expected NAME=VALUE as librdkafka's CONFIGURATION.md has them",
                mend=True,
            ) from None
        try:
            self.partitions()
            self.identity = self._identity()
        except TopicError:
            self.close()
            raise

    def _note(self, error: Any) -> None:
        self._troubles.append(error)
        self.trouble = error.str()

    def partitions(self) -> list[int]:
        """The topic's partitions, asked for now.

        Raises:
            TopicError: the broker can't be reached, or knows no such topic.
        """
        self._troubles.clear()
        for left in reversed(range(ANSWER_SECONDS)):
            try:
                found = self._consumer.list_topics(self.topic.name, timeout=1.0)
                break
            except self._kafka.KafkaException as error:
                self._consumer.poll(0)  # errors of the connection are told then
                if not left or self._refusals():
                    raise self._unreachable(error.args[0]) from None
        self.trouble = None
        topic = found.topics[self.topic.name]
        if topic.error is not None:
            raise self._unknown(topic.error)
        return sorted(topic.partitions)

    def _refusals(self) -> list[Any]:
        codes = self._kafka.KafkaError
        refused = (codes._AUTHENTICATION, codes.SASL_AUTHENTICATION_FAILED, codes._SSL)
        return [one for one in self._troubles if one.code() in refused]

    def _unreachable(self, error: Any) -> TopicError:
        """What to tell of a broker that doesn't answer: who refuses a password doesn't answer either."""
        codes, where = self._kafka.KafkaError, f"kafka://{self.topic.broker}"
        refusals = self._refusals()
        if refusals:
            return TopicError(
                f"{where} refuses this client: {refusals[-1].str()}; expected what its listener asks for. Give "
                "it with --kafka-option (security.protocol, sasl.mechanism, sasl.username, sasl.password, "
                "ssl.ca.location) or in a file with --kafka-options-file",
                mend=True,
            )
        causes = [one for one in self._troubles if one.code() != codes._ALL_BROKERS_DOWN] or [error]
        return TopicError(
            f"{where} does not answer within {ANSWER_SECONDS} s: {causes[-1].str()}; expected HOST:PORT of a "
            "running broker. Check host and port; a listener with TLS or SASL needs --kafka-option security.protocol=",
            mend=False,
        )

    def _unknown(self, error: Any) -> TopicError:
        codes, where = self._kafka.KafkaError, f"kafka://{self.topic.broker}"
        if error.code() in (codes.TOPIC_AUTHORIZATION_FAILED, codes.GROUP_AUTHORIZATION_FAILED):
            return TopicError(
                f"{where} lets this client not read {self.topic.name} ({error.str()}); expected the rights to describe "
                "and read the topic. Have them granted, or give another user with --kafka-option sasl.username=",
                mend=True,
            )
        names = sorted(name for name in self._consumer.list_topics(timeout=ANSWER_SECONDS).topics if name[:2] != "__")
        listed = ", ".join(names[:20]) or "none"
        return TopicError(
            f"{where} has no topic {self.topic.name!r} ({error.str()}); expected one of {listed}. Check the name, or "
            "make the topic first",
            mend=True,
        )

    def _identity(self) -> str:
        from confluent_kafka.admin import AdminClient

        admin = AdminClient(self._config, logger=_silent())
        asked = admin.describe_topics(self._kafka.TopicCollection([self.topic.name]), request_timeout=ANSWER_SECONDS)
        try:
            return str(asked[self.topic.name].result().topic_id)
        except self._kafka.KafkaException:  # an older broker, or no right to ask
            return str(self._consumer.list_topics(self.topic.name, timeout=ANSWER_SECONDS).cluster_id)

    def bounds(self, partition: int) -> tuple[int, int]:
        """The oldest offset that the broker has, and the one behind its newest.

        Raises:
            TopicError: the broker can't be reached.
        """
        try:
            low, high = self._consumer.get_watermark_offsets(self._at(partition), timeout=ANSWER_SECONDS)
        except self._kafka.KafkaException as error:
            self._consumer.poll(0)
            raise self._unreachable(error.args[0]) from None
        return low, high

    def newest_ms(self) -> int:
        """The time of the topic's newest message, of any partition, in milliseconds since 1970; -1 where it has none.

        Raises:
            TopicError: the broker can't be reached.
        """
        from confluent_kafka.admin import AdminClient, OffsetSpec

        self._admin = self._admin or AdminClient(self._config, logger=_silent())
        asked = {
            self._kafka.TopicPartition(self.topic.name, partition): OffsetSpec.max_timestamp()
            for partition in self.partitions()
        }
        try:
            answers = self._admin.list_offsets(asked, request_timeout=ANSWER_SECONDS).values()
            return max((int(answer.result().timestamp) for answer in answers), default=-1)
        except self._kafka.KafkaException as error:
            raise self._unreachable(error.args[0]) from None

    def behind(self, partition: int) -> int:
        """How many offsets the broker is known to have behind what was read: by its last answer, without asking."""
        found = self._consumer.get_watermark_offsets(self._at(partition), cached=True)
        return max(0, found[1] - self.positions[partition]) if found is not None else 0

    def _at(self, partition: int, offset: int = -1) -> Any:
        return self._kafka.TopicPartition(self.topic.name, partition, offset)

    def start(self, offsets: Mapping[int, int]) -> None:
        """Reads these partitions from these offsets on; what is held is forgotten."""
        self.positions = dict(offsets)
        self._held, self.held_bytes = {partition: [] for partition in offsets}, 0
        self._held_from = dict(offsets)
        self._consumer.assign([self._at(partition, offset) for partition, offset in offsets.items()])

    def poll(self, seconds: float) -> int:
        """Waits so long for a message, then takes those that are there; gives how many.

        Raises:
            LostMessagesError: the broker no longer has the next offset. TopicError: it refuses to be read.
        """
        first = self._consumer.poll(seconds)
        if first is None:
            return 0
        return sum(map(self._hold, [first, *self._consumer.consume(POLLED_MESSAGES, 0)]))

    def _hold(self, message: Any) -> bool:
        codes, error = self._kafka.KafkaError, message.error()
        if error is None:
            self.trouble = None
            partition, kind_and_ms = message.partition(), message.timestamp()
            written = kind_and_ms[1] if kind_and_ms[0] != self._kafka.TIMESTAMP_NOT_AVAILABLE else -1
            value = message.value()
            self._held[partition].append(Message(message.offset(), value, written))
            self.held_bytes += len(value or b"")
            self.positions[partition] = message.offset() + 1
            return True
        if error.code() == codes._PARTITION_EOF:
            # Offsets before the end can be without a message: marks of transactions, what was compacted away.
            partition = message.partition()
            self.positions[partition] = max(self.positions[partition], message.offset())
            return False
        if error.code() == codes._AUTO_OFFSET_RESET:
            raise LostMessagesError(
                f"{self.topic.uri(message.partition())}: the broker no longer has what comes next ({error.str()})",
                mend=True,
            )
        if error.code() in (codes.UNKNOWN_TOPIC_OR_PART, codes.TOPIC_AUTHORIZATION_FAILED):
            raise self._unknown(error)
        self.trouble = error.str()
        return False

    def held(self, partition: int) -> Sequence[Message]:
        """Messages that were read and not forgotten, by offset."""
        return self._held[partition]

    def messages(self, partition: int, first: int, end: int) -> list[Message]:
        """The messages from offset `first` to `end` (not included), read from the broker where they aren't held.

        Raises:
            TopicError: they can't be had.
        """
        if not self._held_from.get(partition, first + 1) <= first <= self.positions[partition]:
            self.start({partition: first})
        waited = 0
        while self.positions[partition] < end:
            waited = 0 if self.poll(1.0) else waited + 1
            if waited >= STALLED_POLLS:
                raise TopicError(
                    f"{self.topic.uri(partition)} gives nothing from offset {self.positions[partition]} on, and "
                    f"expected are messages up to {end} ({self.trouble or 'the broker answers'}). Does the broker run? "
                    "Then the same command goes on",
                    mend=False,
                )
        return [message for message in self._held[partition] if first <= message.offset < end]

    def forget(self, partition: int, end: int) -> None:
        """Drops what is held before an offset."""
        kept = [message for message in self._held[partition] if message.offset >= end]
        gone = self._held[partition][: len(self._held[partition]) - len(kept)]
        self.held_bytes -= sum(len(message.value or b"") for message in gone)
        self._held[partition], self._held_from[partition] = kept, end

    def told(self, ends: Mapping[int, int]) -> None:
        """Tells the broker up to where was committed, for those who watch the lag of a group; nobody reads it here."""
        offsets = [self._at(partition, end) for partition, end in ends.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Ends the connection."""
        self._consumer.close()


@cache
def reader_of(topic: Topic) -> TopicReader:
    """This process's reader of a topic, made once: consecutive runs go on with its connection and what it holds.

    Raises:
        TopicError: see `TopicReader`.
    """
    return TopicReader(topic)


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise TopicError(INSTALL, mend=True) from None
    return confluent_kafka


def _silent() -> logging.Logger:
    """A logger for librdkafka, which else writes to standard error; what matters comes as an error too."""
    logger = logging.getLogger("copydesk.librdkafka")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
