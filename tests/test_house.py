"""The house rules that no other tool knows.

A rule is a function from the project's files to complaints; a complaint says where, and what to do about it.
`SAMPLES` holds for each rule files that break it and files that keep it, so that no rule can rot unseen.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).parent.parent
SRC = "src/antiphon/"
LOOKED_INTO = re.compile(r"(?!(build|dist|htmlcov|node_modules|__pycache__|.*\.egg-info)$)[^.].*|\.ci")

MAX_LINES = 400
MAX_ATTRIBUTES = 12
TASK_OWNERS = {
    SRC + "runtime/tasks.py",
    SRC + "models/chat_link.py",  # one request at a time, below the runtime; its `close` waits for it
}
MAY_PRINT = (SRC + "cli.py", SRC + "cli/")
UNMIRRORED: set[str] = set()  # modules whose tests live elsewhere; say here where, and why

WIRE = re.compile(r"antiphon\.server\.(wire|messages)\b")

NEVER_PURE = {"asyncio", "logging", "random", "secrets", "socket", "threading", "time", "uuid", "websockets"}
PROMISED = re.compile(r"[1-7]\.\d+")  # clauses of the contract that hold; later sections are on their way
CLAUSE = re.compile(r"(?m)^(\d\.\d+) ")
CITATION = re.compile(r"contract (\d\.\d+(?:(?:, | and )\d\.\d+)*)")
PURE = {  # a pattern of paths → what may not be imported there
    SRC + "core/*.py": NEVER_PURE | {"anyio", "concurrent", "datetime", "json", "os", "subprocess"},
    SRC + "models/*_codec.py": NEVER_PURE,
    SRC + "server/messages.py": NEVER_PURE | {"fastapi", "starlette"},
    SRC + "server/wire.py": NEVER_PURE | {"fastapi", "starlette"},
}

NOT_A_NOUN = re.compile(r"_?(utils?|helpers?)|base_\w+|\w+_(managers?|utils?|helpers?)|\w*_impl")
ONE_MACHINE = re.compile(r"(?<![\w./~-])(/(home|Users|root|tmp|work|private|var/folders)/|[A-Z]:\\Users\\)\w")

Files = dict[str, str]  # path from the project's root, with slashes → text
Rule = Callable[[Files], Iterator[str]]
Node = TypeVar("Node", bound=ast.AST)


# --- the rules ----------------------------------------------------------------------------------------


def files_are_short(files: Files) -> Iterator[str]:
    for path, text in files.items():
        lines = len(text.splitlines())
        if path.startswith(SRC) and path.endswith((".py", ".js")) and lines > MAX_LINES:
            yield f"{path}: {lines} lines, at most {MAX_LINES}: split it into two nouns"


def classes_are_small(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        for cls in nodes(tree, ast.ClassDef):
            for init in (node for node in cls.body if isinstance(node, ast.FunctionDef)):
                if init.name == "__init__" and len(names := attributes_set(init)) > MAX_ATTRIBUTES:
                    yield (
                        f"{path}:{init.lineno}: {cls.name} sets {len(names)} attributes, at most "
                        f"{MAX_ATTRIBUTES}: some of them are an object of their own"
                    )


def modules_say_what_is_public(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        stem = PurePosixPath(path).stem
        if (stem == "__init__" or not stem.startswith("_")) and "__all__" not in names_assigned(tree):
            yield f"{path}: no __all__: list the public names, [] if there are none"


def changelog_knows_the_version(files: Files) -> Iterator[str]:
    version = tomllib.loads(files["pyproject.toml"])["project"]["version"]
    newest = re.search(r"^## \[?v?(\d[^\]\s]*)", files["CHANGELOG.md"], re.MULTILINE)
    if newest is None or newest[1] != version:
        yield (
            f"CHANGELOG.md: its newest version is {newest and newest[1]}, that of pyproject.toml {version}: "
            "write what changed for users, or correct the number"
        )


def files_are_nouns(files: Files) -> Iterator[str]:
    for path in files:
        for part in PurePosixPath(path).with_suffix("").parts if path.endswith(".py") else ():
            if NOT_A_NOUN.fullmatch(part.removeprefix("test_")):
                yield f"{path}: {part} says nothing: name it for what it holds, with a word readers know"


def waits_are_virtual(files: Files) -> Iterator[str]:
    advice = "await what you wait for, or mark the test or the module `virtual_clock`"
    for path, tree in python(files, "tests/"):
        for imported in nodes(tree, ast.ImportFrom):
            if any(alias.name == "sleep" for alias in imported.names):
                yield f"{path}:{imported.lineno}: imports sleep by its bare name: write asyncio.sleep"
        virtual = {inner for outer in on_virtual_clock(tree) for inner in ast.walk(outer)}
        for call in nodes(tree, ast.Call):
            name = ast.unparse(call.func)
            if name == "time.sleep":
                yield f"{path}:{call.lineno}: time.sleep holds up every test after it: {advice}"
            elif name in ("asyncio.sleep", "anyio.sleep") and call not in virtual and not yields_only(call):
                yield f"{path}:{call.lineno}: {ast.unparse(call)} waits on the wall clock: {advice}"


def source_is_mirrored(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        module = PurePosixPath(path.removeprefix(SRC))
        test = PurePosixPath("tests", module.with_name(f"test_{module.stem.strip('_')}.py"))
        if path not in UNMIRRORED and str(test) not in files and has_code(tree):
            yield f"{path}: no {test}: each module with code has tests of its own"


def clauses_are_cited(files: Files) -> Iterator[str]:
    tests = (text for path, text in files.items() if path.startswith("tests/") and path.endswith(".py"))
    cited = {
        clause for text in tests for found in CITATION.findall(text) for clause in re.split(r"\D{2,}", found)
    }
    for clause in CLAUSE.findall(files.get("docs/contract.md", "")):
        if PROMISED.fullmatch(clause) and clause not in cited:
            yield f"docs/contract.md: no test cites {clause}: write one that fails when it does not hold"


def nothing_is_left_to_do(files: Files) -> Iterator[str]:
    for path, number, line in lines_of(files):
        if path.startswith("src/") and (word := re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)):
            yield f"{path}:{number}: {word[0]}: do it, or tell users in the docs that it is not done"


def no_path_is_of_one_machine(files: Files) -> Iterator[str]:
    for path, number, line in lines_of(files):
        if found := ONE_MACHINE.search(line):
            yield f"{path}:{number}: {found[0]}… is of one machine: use a relative path, or tmp_path in tests"


def tasks_have_an_owner(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        for line, name in names_used(tree) if path not in TASK_OWNERS else ():
            if name in ("create_task", "ensure_future"):
                yield f"{path}:{line}: {name}: tasks without an owner leak: use runtime/tasks.py"


def the_core_is_pure(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        forbidden = {name for pattern, names in PURE.items() if fnmatchcase(path, pattern) for name in names}
        for line, name in packages_imported(tree):
            if name in forbidden:
                yield f"{path}:{line}: imports {name}: be told by a signal, or ask with a command"


def the_client_knows_only_the_wire(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC + "client"):
        for origin in nodes(tree, ast.ImportFrom):
            names = {f"{origin.module}.{alias.name}" for alias in origin.names} | {origin.module or ""}
            if any(name.startswith("antiphon.server.") and not WIRE.match(name) for name in names):
                yield f"{path}:{origin.lineno}: imports {origin.module}: a client knows the wire alone"


def only_the_terminal_prints(files: Files) -> Iterator[str]:
    for path, tree in python(files, SRC):
        for call in nodes(tree, ast.Call) if not path.startswith(MAY_PRINT) else ():
            if isinstance(call.func, ast.Name) and call.func.id == "print":
                yield f"{path}:{call.lineno}: print: log it, or make it an event"


def compiled_modules_hold_no_coroutine(files: Files) -> Iterator[str]:
    for path, tree in compiled(files):
        for node in ast.walk(tree):
            if isinstance(node, (ast.AsyncFunctionDef, ast.Await)) or getattr(node, "is_async", False):
                yield (
                    f"{path}:{getattr(node, 'lineno', '')}: a coroutine in a compiled module: what it "
                    "catches may loop for ever; put it into a module that is not compiled"
                )


def compiled_modules_import_their_fields(files: Files) -> Iterator[str]:
    ignores = settings(files)["ruff"]["lint"]["per-file-ignores"]
    for path, _ in compiled(files):
        for pattern, rules in ignores.items():
            matches = any(fnmatchcase(path, each) for each in spelt_out(pattern.removeprefix("!")))
            if "TC004" in rules and matches != pattern.startswith("!"):
                yield (
                    f"pyproject.toml: ruff does not hold {path} to TC004: it is compiled, so the types of "
                    f"its fields are looked up at run time; except it from {pattern!r}"
                )


# --- what they look at --------------------------------------------------------------------------------

parsed = cache(ast.parse)


def python(files: Files, under: str) -> Iterator[tuple[str, ast.Module]]:
    for path, text in files.items():
        if path.startswith(under) and path.endswith(".py"):
            yield path, parsed(text, path)


def lines_of(files: Files) -> Iterator[tuple[str, int, str]]:
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            yield path, number, line


def nodes(tree: ast.AST, kind: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from nodes(tree, ast.FunctionDef)
    yield from nodes(tree, ast.AsyncFunctionDef)


def settings(files: Files) -> dict[str, Any]:
    tools: dict[str, Any] = tomllib.loads(files["pyproject.toml"])["tool"]
    return tools


def compiled(files: Files) -> Iterator[tuple[str, ast.Module]]:
    """The modules that `hatch_build.py` compiles into a wheel."""
    patterns = settings(files)["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["compiled"]
    for path, tree in python(files, SRC):
        if any(PurePosixPath(path).match(f"{SRC}{each}.py") for each in patterns):
            if not path.endswith("__init__.py"):
                yield path, tree


def spelt_out(pattern: str) -> Iterator[str]:
    """The patterns that one with braces stands for, inner ones first."""
    if found := re.search(r"\{([^{}]*)\}", pattern):
        for choice in found[1].split(","):
            yield from spelt_out(pattern[: found.start()] + choice + pattern[found.end() :])
    else:
        yield pattern


def names_used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
                yield node.lineno, name


def packages_imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for statement in nodes(tree, ast.Import):
        for alias in statement.names:
            yield statement.lineno, alias.name.split(".")[0]
    for origin in nodes(tree, ast.ImportFrom):
        yield origin.lineno, (origin.module or "").split(".")[0]


def attributes_set(init: ast.FunctionDef) -> set[str]:
    me = init.args.args[0].arg
    return {
        node.attr
        for node in nodes(init, ast.Attribute)
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == me
    }


def names_assigned(tree: ast.Module) -> set[str]:
    return {name.id for name in nodes(tree, ast.Name) if isinstance(name.ctx, ast.Store)}


def has_code(tree: ast.Module) -> bool:
    """Whether any function does something: what only declares is tested where it is used."""
    return any(not is_declaration(statement) for function in functions(tree) for statement in function.body)


def is_declaration(statement: ast.stmt) -> bool:
    """A docstring, `...`, `pass`, or `raise NotImplementedError`."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.expr() as error):
            return "NotImplementedError" in ast.unparse(error)
    return False


def on_virtual_clock(tree: ast.Module) -> Iterator[ast.AST]:
    """The module, classes and functions that are marked `virtual_clock`."""
    for line in tree.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "pytestmark":
            if "pytest.mark.virtual_clock" in ast.unparse(line.value):
                yield tree
    for owner in (*nodes(tree, ast.ClassDef), *functions(tree)):
        if any(ast.unparse(decorator) == "pytest.mark.virtual_clock" for decorator in owner.decorator_list):
            yield owner


def yields_only(call: ast.Call) -> bool:
    """`sleep(0)` gives the others a turn and waits for nothing."""
    match call.args:
        case [ast.Constant(value=0)]:
            return True
    return False


def texts_in(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and LOOKED_INTO.fullmatch(path.name):
            yield from texts_in(path)
        elif path.is_file() and path.name != ".git":  # what a working tree beside another has
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # sound, pictures


# --- what breaks each rule, and what keeps it -----------------------------------------------------------


def source(text: str, path: str = "core/turns.py") -> Files:
    return {SRC + path: text}


def a_test(text: str) -> Files:
    return {"tests/core/test_turns.py": text}


def versions(pyproject: str, *changelog: str) -> Files:
    headings = (f"## [{version}] - 2026-01-01\n" for version in changelog)
    return {"pyproject.toml": f'[project]\nversion = "{pyproject}"', "CHANGELOG.md": "\n".join(headings)}


def compiling(text: str, held: str = "!src/antiphon/{core/*,b}.py") -> Files:
    return {
        SRC + "core/turns.py": text,
        SRC + "core/__init__.py": "async def f(): ...",
        SRC + "room.py": "async def f(): ...",
        "pyproject.toml": (
            f'[tool.ruff.lint.per-file-ignores]\n"{held}" = ["TC004"]\n'
            '[tool.hatch.build.targets.wheel.hooks.custom]\ncompiled = ["core/*"]'
        ),
    }


def setting(attributes: int) -> str:
    lines = "\n".join(f"        self.a{number} = self.a0 = 1" for number in range(attributes))
    return "class Turns:\n    def __init__(self):\n" + lines


MARKED = "import pytest\n@pytest.mark.virtual_clock\n"
SLEEPING = "async def test():\n    await asyncio.sleep(2)"
MODULE = "def one():\n    return 1"

SAMPLES: dict[Rule, tuple[list[Files], list[Files]]] = {
    files_are_short: (
        [source("x = 1\n" * 401), source(";\n" * 401, "server/page/live.js")],
        [source("x = 1\n" * 400)],
    ),
    classes_are_small: ([source(setting(13))], [source(setting(12))]),
    modules_say_what_is_public: (
        [source("x = 1"), source("", "core/__init__.py")],
        [source("__all__ = []"), source("__all__: list[str] = []"), source("x = 1", "core/_tables.py")],
    ),
    changelog_knows_the_version: (
        [versions("0.2.0", "0.1.0"), versions("0.1.0", "0.2.0", "0.1.0"), versions("0.1.0")],
        [versions("0.2.0", "0.2.0", "0.1.0"), versions("0.2.0", "Unreleased", "0.2.0")],
    ),
    files_are_nouns: (
        [source("", f"{name}.py") for name in ("utils", "core/helpers", "base_tool", "utils/audio")]
        + [source("", f"{name}.py") for name in ("session_manager", "runner_impl", "_impl")],
        [source("", "agents/base.py"), source("", "tools/schema.py"), {"docs/utils.md": ""}],
    ),
    waits_are_virtual: (
        [
            a_test(SLEEPING),
            a_test("async def test(delay):\n    await asyncio.sleep(delay)"),
            a_test("from asyncio import sleep"),
            a_test(MARKED + "async def test():\n    time.sleep(0.1)"),
            a_test(MARKED + "async def test(): ...\n" + SLEEPING),
        ],
        [
            a_test(MARKED + SLEEPING),
            a_test("pytestmark = [pytest.mark.virtual_clock]\n" + SLEEPING),
            a_test("async def test():\n    await asyncio.sleep(0)"),
        ],
    ),
    source_is_mirrored: (
        [source(MODULE), source(MODULE, "core/__init__.py"), source("class A:\n    def f(self): g()")],
        [
            source(MODULE) | a_test(""),
            source(MODULE, "errors.py") | {"tests/test_errors.py": ""},
            source(MODULE, "core/__init__.py") | {"tests/core/test_init.py": ""},
            source("x = 1\nclass P:\n    def f(self):\n        '''Says.'''\n        ..."),
        ],
    ),
    clauses_are_cited: (
        [
            {"docs/contract.md": "5.1 A\n5.2 B"} | a_test("# contract 5.1"),
            {"docs/contract.md": "3.1 A"} | a_test("# 3.1"),
        ],
        [
            {"docs/contract.md": "5.1 A\n    5.9 inside\n5.2 B\n3.10 C"}
            | a_test("# contract 5.1, 5.2 and 3.10"),
            {"docs/contract.md": "8.1 A"} | a_test(""),
        ],
    ),
    nothing_is_left_to_do: (
        [source(f"x = 1  # {word} later") for word in ("TODO", "FIXME", "XXX", "HACK")],
        [source("# a todo list"), {"docs/tools.md": "a tool that keeps a TODO list"}],
    ),
    no_path_is_of_one_machine: (
        [{"docs/start.md": f"cd {place}x"} for place in ("/" + "home/", "/" + "tmp/", "C:" + "\\Users\\")],
        [{"docs/start.md": "cd ~/x; see https://example.org/home/x and docs/tmp/x"}],
    ),
    tasks_have_an_owner: (
        [source("loop.create_task(f())"), source("from asyncio import ensure_future")],
        [source("loop.create_task(f())", "runtime/tasks.py"), a_test("loop.create_task(f())")],
    ),
    the_core_is_pure: (
        [
            source("import asyncio"),
            source("def f():\n    from time import monotonic"),
            source("import json", "core/deep/er.py"),
            source("import asyncio.queues", "models/openai_codec.py"),
            source("from starlette.websockets import WebSocket", "server/wire.py"),
        ],
        [source("from collections import deque"), source("import json", "models/openai_codec.py")],
    ),
    the_client_knows_only_the_wire: (
        [
            source("from antiphon.server.rooms import Rooms", "client/link.py"),
            source("from antiphon.server import rooms, wire", "client/link.py"),
        ],
        [
            source("from antiphon.server import messages, wire", "client/link.py"),
            source("from antiphon.server.wire import encode", "client/link.py"),
            source("from antiphon.server.rooms import Rooms", "server/socket.py"),
        ],
    ),
    only_the_terminal_prints: ([source("print(1)")], [source("print(1)", "cli.py"), source("log.print(1)")]),
    compiled_modules_hold_no_coroutine: (
        [compiling("async def f(): ..."), compiling("def f(): return (x async for x in y)")],
        [compiling("def f(): yield 1")],
    ),
    compiled_modules_import_their_fields: (
        [compiling("", "!src/antiphon/{a,b}.py"), compiling("", "src/antiphon/{core/*,b}.py")],
        [compiling(""), compiling("", "!src/antiphon/{core/{s*,t*},b}.py"), compiling("", "tests/*.py")],
    ),
}


@cache
def project() -> Files:
    return dict(texts_in(ROOT))


@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.__name__)
def test_the_project_keeps(rule: Rule) -> None:
    if complaints := list(rule(project())):
        pytest.fail("\n".join(complaints), pytrace=False)


@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.__name__)
def test_rule_knows_bad_from_good(rule: Rule) -> None:
    bad, good = SAMPLES[rule]
    assert [files for files in bad if not list(rule(files))] == [], "broken, but no complaint"
    assert [list(rule(files)) for files in good if list(rule(files))] == [], "kept, but a complaint"


def test_the_project_is_looked_at() -> None:
    assert {"pyproject.toml", ".ci/run", "docs/contract.md", SRC + "py.typed"} <= project().keys()
    assert not [path for path in project() if "site-packages" in path]
