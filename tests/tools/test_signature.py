from __future__ import annotations

import functools
import inspect
import types
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pytest
from pydantic import Field

from antiphon.errors import ToolDeclarationError
from antiphon.tools import ToolContext
from antiphon.tools.signature import MISSING, Hole, innermost, read_signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from antiphon.queue import LiveRequestQueue


class Mine(ToolContext):
    pass


class Doc:
    """What `typing_extensions.Doc` looks like."""

    documentation = "Said."


def holes(func: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    return {hole.name: (hole.annotation, hole.default) for hole in read_signature(func, "f").holes}


def test_hints_that_are_strings_are_evaluated() -> None:  # contract 5.1
    def f(a: int, b: list[Hole], c: Annotated[str, "x"] = "y") -> Missing:  # type: ignore[name-defined]  # noqa: F821
        return a

    assert holes(f) == {"a": (int, MISSING), "b": (list[Hole], MISSING), "c": (Annotated[str, "x"], "y")}


def test_hints_may_name_what_the_function_closes_over() -> None:  # contract 5.1
    class Local:
        pass

    def f(a: Local) -> Local:
        return Local()

    assert holes(f) == {"a": (Local, MISSING)}


def test_a_function_may_close_over_what_is_not_there_yet() -> None:
    def f(a: int) -> int:
        return late + a

    assert holes(f) == {"a": (int, MISSING)}
    late = 1


@pytest.mark.parametrize(
    ("hint", "says"), [("Path", "NameError"), ("Nowhere", "NameError"), ("1 / 0", "ZeroDivision")]
)
def test_a_hint_that_cannot_be_resolved_is_named(hint: str, says: str) -> None:  # contract 5.1
    def f(a: Path) -> None: ...

    f.__annotations__["a"] = hint
    with pytest.raises(
        ToolDeclarationError, match=f"f: the hint '{hint}' of parameter 'a' .*{says}.* TYPE_CHECKING"
    ):
        read_signature(f, "f")


def contexts_by_hint(
    ctx: ToolContext,
    *,
    maybe: Optional[ToolContext] = None,  # noqa: UP045
    either: ToolContext | None = None,
    noted: Annotated[ToolContext, "x"],
    mine: Mine,
) -> None: ...


def context_by_name(tool_context, query="a"): ...  # type: ignore[no-untyped-def]


def test_the_context_is_found_by_hint_or_by_name() -> None:  # contract 5.1
    assert read_signature(contexts_by_hint, "f").contexts == ("ctx", "maybe", "either", "noted", "mine")
    assert read_signature(contexts_by_hint, "f").holes == ()
    found = read_signature(context_by_name, "f")
    assert (found.contexts, [hole.name for hole in found.holes]) == (("tool_context",), ["query"])


def test_the_name_means_nothing_where_the_hint_says_otherwise() -> None:  # contract 5.1
    def f(tool_context: str, input_stream: str) -> None: ...

    assert holes(f) == {"tool_context": (str, MISSING), "input_stream": (str, MISSING)}


def test_the_context_may_be_imported_for_type_checking_only() -> None:  # contract 5.1
    def f(a: ToolContext, b: LiveRequestQueue) -> None: ...

    names = {
        name: value for name, value in globals().items() if name not in ("ToolContext", "LiveRequestQueue")
    }
    apart = types.FunctionType(f.__code__, names)
    apart.__annotations__ = {"a": "ToolContext", "b": "LiveRequestQueue"}
    found = read_signature(apart, "f")
    assert (found.contexts, found.stream, found.holes) == (("a",), "b", ())


def test_the_input_stream_is_found_by_hint_or_by_name() -> None:  # contract 5.7
    def by_hint(frames: LiveRequestQueue | None = None) -> None: ...
    def by_name(input_stream): ...  # type: ignore[no-untyped-def]

    assert read_signature(by_hint, "f").stream == "frames"
    assert read_signature(by_name, "f").stream == "input_stream"


def test_there_is_one_stream() -> None:
    def f(a: LiveRequestQueue, b: LiveRequestQueue) -> None: ...

    with pytest.raises(ToolDeclarationError, match="f: a and b both take media; keep one"):
        read_signature(f, "f")


def test_without_a_hint_the_default_tells_and_else_it_is_text() -> None:  # contract 5.1
    def f(a, b=3, c=1.5, d=True, e="x", f=None, g=(1,), h=[], i={}): ...  # type: ignore[no-untyped-def]  # noqa: B006

    assert {name: hint for name, (hint, _) in holes(f).items()} == {
        "a": str,
        "b": int,
        "c": float,
        "d": bool,
        "e": str,
        "f": Optional[str],  # noqa: UP045
        "g": str,
        "h": list,
        "i": dict,
    }


def test_a_default_of_none_makes_a_hint_optional() -> None:  # contract 5.1
    def f(a: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013

    assert holes(f) == {"a": (Optional[int], None)}  # noqa: UP045


def test_a_field_may_stand_as_default_or_in_the_hint() -> None:  # contract 5.1
    def f(  # type: ignore[no-untyped-def]
        a: int = Field(3, ge=1),
        b: int = Field(description="Needed."),
        c: list[int] = Field(default_factory=list),  # noqa: B008
        d: Annotated[int, Field(default=4)] = MISSING,
        e: Annotated[int, Field(default=4)] = 5,
        g=Field("x"),  # noqa: B008
    ) -> None: ...

    found = {hole.name: hole for hole in read_signature(f, "f").holes}
    assert {name for name, hole in found.items() if hole.required} == {"b"}
    assert {name: found[name].make_default() for name in "acdeg"} == {
        "a": 3,
        "c": [],
        "d": 4,
        "e": 5,
        "g": "x",
    }
    assert found["c"].make_default() is not found["c"].make_default()
    assert found["b"].description == "Needed."


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (Annotated[str, "Said."], "Said."),
        (Annotated[str, Field(description="Said.")], "Said."),
        (Annotated[str, Doc()], "Said."),
        (Annotated[str, Field(min_length=1), 5], ""),
        (str, ""),
    ],
)
def test_a_hint_may_describe(hint: Any, said: str) -> None:  # contract 5.1
    def f(a: Any) -> None: ...

    f.__annotations__["a"] = hint
    assert read_signature(f, "f").holes[0].description == said


def test_the_variable_arguments_are_left_empty() -> None:
    def f(a: int, *args: int, **kwargs: int) -> tuple[Any, ...]:
        return a, args, kwargs

    found = read_signature(f, "f")
    assert [hole.name for hole in found.holes] == ["a"]
    positional, named = found.arrange({"a": 1})
    assert f(*positional, **named) == (1, (), {})


def test_a_decorator_that_hides_the_parameters_is_refused() -> None:
    def careless(func: Callable[..., int]) -> Callable[..., int]:
        def wrapper(*args: Any, **kwargs: Any) -> int:
            return func(*args, **kwargs)

        return wrapper

    with pytest.raises(
        ToolDeclarationError, match=r"f takes only \*args or \*\*kwargs.* functools\.wraps\(func\)"
    ):
        read_signature(careless(lambda a: 1), "f")


def test_a_function_of_no_signature_is_refused() -> None:
    with pytest.raises(
        ToolDeclarationError, match=r"f: Python does not know its parameters .* wrap it in a def"
    ):
        read_signature(type, "f")


def test_what_a_partial_settles_is_not_offered() -> None:
    def f(a: int, b: int, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    half = functools.partial(functools.partial(f, 1), c=9)
    found = read_signature(half, "f")
    assert [hole.name for hole in found.holes] == ["b"]
    positional, named = found.arrange({"b": 2})
    assert half(*positional, **named) == (1, 2, 9)


def test_arguments_are_arranged_as_python_wants_them() -> None:
    def f(a: int, b: int = 2, /, c: int = 3, *, d: int = 4) -> tuple[int, ...]:
        return a, b, c, d

    positional, named = read_signature(f, "f").arrange({"c": 30, "d": 40, "a": 10})
    assert f(*positional, **named) == (10, 2, 30, 40)


def test_positional_arguments_may_be_left_out_before_others() -> None:
    def f(a: int = 1, b: int = 2, /) -> tuple[int, int]:
        return a, b

    positional, named = read_signature(f, "f").arrange({"b": 20})
    assert f(*positional, **named) == (1, 20)


class Callee:
    def __call__(self) -> None: ...

    def method(self) -> None: ...


def plain() -> None: ...


@functools.wraps(plain)
def wrapping() -> None: ...


@pytest.mark.parametrize(
    ("func", "inner"),
    [
        (plain, plain),
        (wrapping, plain),
        (functools.partial(functools.partial(wrapping)), plain),
        (functools.lru_cache(plain), plain),
        (Callee(), Callee.__call__),
        (Callee().method, Callee.method),
        (functools.partial(Callee()), Callee.__call__),
        (len, len),
    ],
)
def test_the_innermost_function_is_found(func: Callable[..., Any], inner: Any) -> None:
    assert innermost(func) is inner
    assert inspect.isroutine(innermost(func))
