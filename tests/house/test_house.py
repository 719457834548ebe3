"""The rules of the house, read off the code: who may import whom, what functions may not use, what is shipped."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS, TRANSFORMS = "transforms.functions", "transforms"
MAY_IMPORT = {
    "schemas": {"schemas"},
    FUNCTIONS: {"schemas", FUNCTIONS, "transforms.rules"},
    "transforms.rules": set(),
    TRANSFORMS: {"schemas", FUNCTIONS, TRANSFORMS},
    "pipeline": {"schemas", FUNCTIONS, TRANSFORMS, "pipeline"},
}
"""Imports go one way: schemas <- transforms.functions <- transforms <- pipeline <- tests."""

NO_CLOCK_OR_CHANCE = ("time", "random", "uuid", "secrets", "numpy.random")
ALLOWED_MODULES = {
    ("transforms/functions/extraction.py", "time"): "the time limit of a page needs a monotonic clock; results don't",
    ("transforms/functions/field_lookup.py", "uuid"): "UUID is a type of value that files hold; none is made",
}
"""Modules that functions may use after all, and why."""

ALLOWED_NAMES = {
    ("transforms/functions/minhash.py", "np.random.RandomState"): "seeded: the permutations as datasketch draws them",
}
"""Names that functions may use after all, and why."""

FORBIDDEN_NAMES = re.compile(
    r"(^|\.)(now|utcnow|today|urandom|getrandbits|default_rng|uuid[1-8]|time_ns|time\.time)$|^(np|numpy)\.random(\.|$)"
)

ALLOWED_BROAD_EXCEPTS = {
    "pipeline/command_line.py": "the last resort says how the run failed and keeps the traceback",
    "pipeline/run.py": "whatever a runner raises becomes a RunError that names the job and the traceback",
    "transforms/functions/extraction_worker.py": "extractors raise anything on pages made to break them",
}
"""Files in which `except Exception` stands, and why."""

MOST_LINES = 500
FILES = sorted(path for package in ("schemas", "transforms", "pipeline") for path in (ROOT / package).rglob("*.py"))
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}
IN_TRANSFORMS = {name: tree for name, tree in TREES.items() if name.startswith("transforms/")}
IN_FUNCTIONS = {name: tree for name, tree in TREES.items() if name.startswith("transforms/functions/")}
COMPOSITES = {name: tree for name, tree in TREES.items() if name.startswith("transforms/") and name.count("/") == 1}


def package_of(module: str) -> str:
    """The house's package that a module of this project is in."""
    return next(name for name in (FUNCTIONS, "transforms.rules", module.split(".")[0]) if module.startswith(name))


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules that are imported, however they are: `from a import b` gives a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_of(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_there_is_code_to_look_at() -> None:
    assert len(IN_FUNCTIONS) > 20
    assert len(COMPOSITES) > 7


@pytest.mark.parametrize("name", TREES)
def test_imports_go_one_way(name: str) -> None:
    own = package_of(name.removesuffix(".py").replace("/", "."))
    modules = {path.removesuffix(".py").replace("/", ".") for path in TREES}
    for module in imported(TREES[name]):
        assert not is_of(module, "tests"), f"{name} imports {module}"
        if module in modules:
            assert package_of(module) in MAY_IMPORT[own], f"{name} imports {module}"


@pytest.mark.parametrize("name", IN_FUNCTIONS)
def test_functions_import_no_beam(name: str) -> None:
    assert not [module for module in imported(IN_FUNCTIONS[name]) if is_of(module, "apache_beam")]


def names_used(tree: ast.AST) -> Iterator[str]:
    """Dotted names, as `datetime.now` or `np.random.rand`, and what is imported."""
    yield from imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


@pytest.mark.parametrize("name", IN_TRANSFORMS)
def test_no_clock_no_chance_no_hash(name: str) -> None:
    tree = IN_TRANSFORMS[name]
    allowed = {module for file, module in ALLOWED_MODULES if file == name}
    for module in imported(tree):
        root = next((one for one in NO_CLOCK_OR_CHANCE if is_of(module, one)), None)
        assert root is None or root in allowed, f"{name} imports {module}"
    for used in names_used(tree):
        if FORBIDDEN_NAMES.search(used) and used != "np.random":
            assert (name, used) in ALLOWED_NAMES, f"{name} uses {used}"
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not {"hash", "id"} & set(calls), f"{name} calls hash() or id()"


def test_exceptions_to_the_rules_are_needed() -> None:
    for name, module in ALLOWED_MODULES:
        assert module in set(imported(TREES[name])), f"{name} uses {module} no more: take it off the list"
    for name, used in ALLOWED_NAMES:
        assert used in set(names_used(TREES[name])), f"{name} uses {used} no more: take it off the list"
    for name in ALLOWED_BROAD_EXCEPTS:
        assert list(broad_excepts(TREES[name])), f"{name} has no broad except any more: take it off the list"


def broad_excepts(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = ast.walk(node.type) if node.type is not None else []
            broad = any(isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException") for kind in kinds)
            if node.type is None or broad:
                yield node.lineno


@pytest.mark.parametrize("name", TREES)
def test_no_broad_except(name: str) -> None:
    found = list(broad_excepts(TREES[name]))
    assert not found or name in ALLOWED_BROAD_EXCEPTS, f"{name} lines {found}"


def labels(tree: ast.AST) -> list[ast.expr]:
    """What stands left of `>>` before a transform: not an integer, and in a chain of `|`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.BinOp):
            found += [node.right.left] if isinstance(node.right.op, ast.RShift) else []
    return found


def bare_steps(tree: ast.AST) -> list[str]:
    """Transforms applied without a label."""
    return [
        ast.unparse(node.right)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Call)
        and ast.unparse(node.right.func).startswith("beam.")
    ]  # fmt: skip


def pipelines_of(name: str) -> Iterator[ast.FunctionDef]:
    """Where pipelines are put together: `expand` of composites, and the jobs of pipeline/build.py."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef) and (node.name == "expand" or node.name.startswith("build_")):
            yield node


@pytest.mark.parametrize("name", [*COMPOSITES, "pipeline/build.py", "pipeline/build_stream.py"])
def test_labels_are_constant_and_unique(name: str) -> None:
    for function in pipelines_of(name):
        found = labels(function)
        assert all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in found), f"{name}"
        values = [ast.literal_eval(one) for one in found]
        assert values, f"{name}: {function.name} has no labels"
        assert len(values) == len(set(values)), f"{name}: {values}"
        assert not bare_steps(function), f"{name}: {bare_steps(function)}"


def test_composites_are_one_a_file() -> None:
    public = {
        name: [node.name for node in tree.body if isinstance(node, ast.ClassDef) and is_composite(node)]
        for name, tree in COMPOSITES.items()
    }
    public = {name: found for name, found in public.items() if found}
    assert {name: found for name, found in public.items() if len(found) > 1} == {
        "transforms/match_articles.py": ["CountRarity", "MatchArticles", "WeighPairs"]
    }
    # A file has the name of its composite.
    words = {name: Path(name).stem.replace("_", "") for name in public if name != "transforms/parts.py"}
    assert [name for name, stem in words.items() if stem not in [one.lower() for one in public[name]]] == []


def is_composite(node: ast.ClassDef) -> bool:
    return not node.name.startswith("_") and any(ast.unparse(base) == "beam.PTransform" for base in node.bases)


PLAIN_METHODS = {"expand", "process", "setup", "teardown", "encode", "decode", "is_deterministic"}
"""Beam's own methods, which do what Beam says they do."""


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public functions and classes without a docstring; methods too where they are not one-liners."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            is_short = isinstance(node, ast.FunctionDef) and len(node.body) <= 2
            if ast.get_docstring(node) is None and not is_short:
                yield node.name


@pytest.mark.parametrize("name", TREES)
def test_docstrings(name: str) -> None:
    tree = TREES[name]
    assert ast.get_docstring(tree), f"{name} says nothing of itself"
    assert list(undocumented(tree)) == []


@pytest.mark.parametrize("name", TREES)
def test_files_are_short(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= MOST_LINES


def given_to_setup() -> dict[str, Any]:
    """The arguments of setup(), read without running it."""
    [call] = [
        node for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup"
    ]  # fmt: skip
    return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg}


def packages_there_are() -> set[str]:
    return {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in FILES if path.name == "__init__.py"}


def test_setup_names_the_packages_there_are() -> None:
    named = given_to_setup()["packages"]
    assert len(named) == len(set(named))
    assert set(named) == packages_there_are()
    folders = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in FILES}
    assert folders == packages_there_are(), "a folder of code has no __init__.py"


def test_dependencies_are_pinned() -> None:
    given = given_to_setup()
    every = [*given["install_requires"], *(one for extra in given["extras_require"].values() for one in extra)]
    assert [one for one in every if not re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9A-Za-z.]*", one)] == []
    names = [re.split(r"[=\[]", one)[0].lower().replace("_", "-") for one in set(every)]
    assert len(names) == len(set(names))


def test_what_is_imported_is_required() -> None:
    given = given_to_setup()
    pins = [*given["install_requires"], *(one for name in ("kafka", "s3") for one in given["extras_require"][name])]
    required = {re.split(r"[=\[]", one)[0].lower().replace("-", "_") for one in pins}
    own_names = {"re2": "google_re2", "lxml": "lxml_html_clean"}
    for name, tree in TREES.items():
        roots = {module.split(".")[0] for module in imported(tree)} - {"schemas", "transforms", "pipeline", ""}
        outside = {own_names.get(root, root) for root in roots if root not in sys.stdlib_module_names}
        assert outside <= required, f"{name} imports {outside - required}"


def test_rules_are_data() -> None:
    rules = sorted((ROOT / "transforms" / "rules").glob("*.toml"))
    assert rules
    assert all(tomllib.loads(path.read_text()) for path in rules)


@pytest.mark.parametrize("kind", ["build", "wheel"])
def test_exactly_the_packages_are_shipped(kind: str, tmp_path: Path) -> None:
    """As a wheel where one can be made, and as the build that a wheel is made of."""
    held = wheel_of(tmp_path) if kind == "wheel" else build_of(tmp_path)
    data = [*(ROOT / "transforms" / "rules").glob("*.toml"), *(ROOT / "pipeline").glob("*.html")]
    assert held == {path.relative_to(ROOT).as_posix() for path in [*FILES, *data]}
    assert any(name.endswith(".toml") for name in held)
    assert not [name for name in held if name.startswith(("tests", "seeds"))]


def copied(folder: Path) -> Path:
    """A copy of the project, so that building leaves nothing behind."""
    source = folder / "source"
    source.mkdir()
    for name in ("schemas", "transforms", "pipeline"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    (source / "README.md").touch()
    # What must not get in is there to be taken.
    shutil.copytree(ROOT / "tests" / "house", source / "tests" / "house", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "tests" / "__init__.py").touch()
    return source


def build_of(folder: Path) -> set[str]:
    """What setup.py builds."""
    command = [sys.executable, "setup.py", "-q", "build", "--build-lib", str(folder / "built")]
    done = subprocess.run(command, cwd=copied(folder), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return {path.relative_to(folder / "built").as_posix() for path in (folder / "built").rglob("*") if path.is_file()}


def wheel_of(folder: Path) -> set[str]:
    """What the wheel holds; skips where none can be built offline."""
    probe = subprocess.run([sys.executable, "-c", "import setuptools, wheel"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no offline build backend: setuptools and wheel are not installed")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    command += ["-w", str(folder), str(copied(folder))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}
