from __future__ import annotations

import functools
import pickle
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest
from google.genai import types as official
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from antiphon import types
from antiphon.core.calls import ToolFacts
from antiphon.errors import ToolDeclarationError, UsageError
from antiphon.queue import LiveRequestQueue
from antiphon.tools import (
    BadArguments,
    DeclaredTool,
    FunctionTool,
    LongRunningFunctionTool,
    ToolContext,
    as_tool,
)
from tests import computing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from antiphon.tools import BaseTool

    Declared = Callable[[BaseTool], dict[str, Any]]


class Unit(Enum):
    CELSIUS = "C"
    FAHRENHEIT = "F"


class Place(BaseModel):
    city: str
    country: str = "CH"


def weather(
    place: Place, tool_context: ToolContext, unit: Unit = Unit.CELSIUS, days: int = 3
) -> dict[str, Any]:
    """Tells the weather.

    Args:
        place: Where.
        unit: In which unit.
    """
    tool_context.state["asked"] = place.city
    return {"place": place, "unit": unit, "days": days}


async def slow(city: str) -> str:
    """Waits."""
    return city


async def watch(input_stream: LiveRequestQueue, what: str = "cat") -> AsyncIterator[str]:
    """Watches."""
    yield f"{what} {input_stream.depth}"


class Desk:
    """A desk."""

    def book(self, seats: int) -> int:
        """Books seats."""
        return seats

    @staticmethod
    def close(now: bool) -> bool:
        """Closes."""
        return now

    @classmethod
    def open(cls, at: str) -> str:
        """Opens."""
        return f"{cls.__name__} {at}"


class Greeter:
    """Greets people."""

    def __call__(self, name: str) -> str:
        return f"Hello {name}"


class Waiter:
    async def __call__(self, table: int) -> int:
        """Serves a table."""
        return table


def logged(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return wrapper


# What the model is told.


def test_a_function_becomes_a_declaration(declared: Declared) -> None:  # contract 5.1
    assert declared(FunctionTool(weather)) == {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "OBJECT",
            "properties": {
                "place": {
                    "type": "OBJECT",
                    "description": "Where.",
                    "properties": {"city": {"type": "STRING"}, "country": {"type": "STRING"}},
                    "required": ["city"],
                },
                "unit": {"type": "STRING", "enum": ["C", "F"], "description": "In which unit."},
                "days": {"type": "INTEGER"},
            },
            "required": ["place"],
        },
    }


def test_name_description_and_behavior_may_be_given(declared: Declared) -> None:  # contract 5.1
    tool = FunctionTool(
        weather, name="forecast", description="Looks ahead.", behavior="NON_BLOCKING", timeout=5
    )
    written = declared(tool)
    assert (written["name"], written["description"]) == ("forecast", "Looks ahead.")
    assert written["behavior"] == "NON_BLOCKING"
    assert written["parameters"]["properties"]["unit"]["description"] == "In which unit."
    assert tool.timeout == 5


def test_a_function_without_parameters_or_docstring_is_a_name(declared: Declared) -> None:  # contract 5.1
    def now() -> str:
        return "now"

    assert declared(FunctionTool(now)) == {"name": "now"}


def plain(city: str, days: int, share: float, now: bool) -> str:
    """Plain."""
    return ""


def with_defaults(city: str = "Bern", days: Optional[int] = None) -> str:  # noqa: UP045
    """Defaults."""
    return ""


def with_choices(unit: Literal["C", "F"], tags: list[str], grid: list[list[int]]) -> str:
    """Choices."""
    return ""


@pytest.mark.parametrize("func", [plain, with_defaults, with_choices])
def test_the_official_package_declares_it_alike(func: Callable[..., Any], declared: Declared) -> None:
    theirs = official.FunctionDeclaration.from_callable_with_api_option(
        callable=func, api_option="GEMINI_API"
    )
    expected = theirs.model_dump(mode="json", by_alias=True, exclude_none=True)
    expected.pop("response", None)
    if not expected["parameters"]["required"]:
        del expected["parameters"]["required"]
    for schema in expected["parameters"]["properties"].values():
        schema.pop("default", None)  # the Developer API used to refuse it; the description may say it
    assert declared(FunctionTool(func)) == expected  # contract 5.1


def test_facts_say_how_calls_behave() -> None:  # contract 5.5, 5.6
    tool = FunctionTool(slow, is_long_running=True, cancel_on_interruption=True, scheduling="when_idle")
    when_idle = types.FunctionResponseScheduling.WHEN_IDLE
    assert tool.facts == ToolFacts(
        long_running=True, cancel_on_interruption=True, scheduling=when_idle, blocking=False
    )
    assert FunctionTool(slow).facts == ToolFacts()
    theirs = FunctionTool(slow, scheduling=official.FunctionResponseScheduling.WHEN_IDLE)
    assert theirs.facts.scheduling is when_idle


def test_a_long_running_tool_asks_not_to_be_called_again(declared: Declared) -> None:  # contract 5.6
    tool = LongRunningFunctionTool(slow, timeout=2)
    assert tool.is_long_running
    assert tool.timeout == 2
    assert declared(tool)["description"] == f"Waits.\n\n{LongRunningFunctionTool.NOTE}"

    def bare() -> None: ...

    assert LongRunningFunctionTool(bare).description == LongRunningFunctionTool.NOTE


# What is run.


def test_a_sync_function_is_called_with_what_its_hints_ask_for(
    context: ToolContext,
) -> None:  # contract 5.1, 5.4
    tool = FunctionTool(weather)
    call = tool.bind({"place": {"city": "Bern"}, "unit": "F", "days": "5"}, context)
    assert tool.kind == "sync"
    assert context.actions.state_delta == {}, "nothing runs before the call is made"
    assert call() == {"place": Place(city="Bern"), "unit": Unit.FAHRENHEIT, "days": 5}
    assert context.actions.state_delta == {"asked": "Bern"}


async def test_an_async_function_gives_an_awaitable(context: ToolContext) -> None:
    tool = FunctionTool(slow)
    assert tool.kind == "async"
    assert await tool.bind({"city": "Bern"}, context)() == "Bern"


async def test_an_async_generator_gives_a_stream(context: ToolContext) -> None:  # contract 5.7
    tool = FunctionTool(watch)
    assert (tool.kind, tool.wants_input_stream) == ("stream", "input_stream")
    context.input_stream = LiveRequestQueue()
    assert [value async for value in tool.bind({}, context)()] == ["cat 0"]


def test_live_media_is_only_there_live(context: ToolContext, declared: Declared) -> None:  # contract 5.7
    assert declared(FunctionTool(watch))["parameters"]["properties"].keys() == {"what"}
    with pytest.raises(UsageError, match=r"watch takes input_stream, .* only run_live\(\) has"):
        FunctionTool(watch).bind({}, context)

    def look(frames: LiveRequestQueue | None = None) -> bool:
        return frames is None

    assert FunctionTool(look).bind({}, context)() is True


def test_no_arguments_may_come_as_none(context: ToolContext) -> None:
    def now() -> str:
        return "now"

    assert FunctionTool(now).bind(None, context)() == "now"


def test_bad_arguments_are_found_before_anything_runs(context: ToolContext) -> None:  # contract 5.4
    with pytest.raises(BadArguments, match=r"weather was not run: place\.city is missing; town is unknown"):
        FunctionTool(weather).bind({"place": {}, "town": "Bern"}, context)


@pytest.mark.parametrize(
    ("func", "name", "description", "args", "result"),
    [
        (Desk().book, "book", "Books seats.", {"seats": "2"}, 2),
        (Desk.close, "close", "Closes.", {"now": True}, True),
        (Desk.open, "open", "Opens.", {"at": "9"}, "Desk 9"),
        (Greeter(), "Greeter", "Greets people.", {"name": "Ada"}, "Hello Ada"),
        (functools.partial(Desk().book, 3), "book", "Books seats.", {}, 3),
        (
            functools.partial(weather, days=9),
            "weather",
            "Tells the weather.",
            {"place": {"city": "Bern"}},
            ...,
        ),
        (logged(Desk().book), "book", "Books seats.", {"seats": 2}, 2),
        (functools.lru_cache(Desk.close), "close", "Closes.", {"now": True}, True),
    ],
)
def test_every_kind_of_callable_works(
    func: Any, name: str, description: str, args: dict[str, Any], result: Any, context: ToolContext
) -> None:  # contract 5.1
    tool = FunctionTool(func)
    assert (tool.name, tool.description, tool.kind) == (name, description, "sync")
    found = tool.bind(args, context)()
    assert found == result if result is not ... else found["days"] == 9


@pytest.mark.parametrize("func", [Waiter(), functools.partial(Waiter()), logged(Waiter().__call__)])
async def test_every_kind_of_async_callable_works(func: Any, context: ToolContext) -> None:  # contract 5.1
    tool = FunctionTool(func, name="serve")
    assert (tool.kind, tool.description) == ("async", "Serves a table.")
    assert await tool.bind({"table": 4}, context)() == 4


async def test_a_wrapper_may_have_waited_itself(context: ToolContext) -> None:  # contract 5.1
    @functools.wraps(slow)
    def at_once(city: str) -> str:
        return f"already {city}"

    assert await FunctionTool(at_once).bind({"city": "Bern"}, context)() == "already Bern"


async def test_a_wrapped_stream_is_a_stream(context: ToolContext) -> None:  # contract 5.7
    tool = FunctionTool(logged(watch))
    context.input_stream = LiveRequestQueue()
    assert tool.kind == "stream"
    assert [value async for value in tool.bind({"what": "dog"}, context)()] == ["dog 0"]


# What cannot be a tool.


def counting() -> Iterator[int]:
    yield 1


def with_bytes(image: bytes) -> None: ...


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FunctionTool(lambda a: a), "A lambda has no name .* write a def"),
        (lambda: FunctionTool(counting), "counting is a generator: make it `async def`"),
        (lambda: FunctionTool(with_bytes), "with_bytes: parameter 'image': models cannot write bytes"),
        (lambda: FunctionTool(Desk), "Desk is a class: give an instance"),
        (lambda: FunctionTool(5), "5 cannot be called"),  # type: ignore[arg-type]
        (lambda: FunctionTool(slow, name="größe"), "'größe' cannot be a tool's name"),
        (lambda: FunctionTool(slow, name="a b"), "'a b' cannot be a tool's name"),
        (lambda: FunctionTool(slow, timeout=0), "timeout=0 must be seconds above 0"),
        (
            lambda: FunctionTool(slow, behavior="LAZY"),
            "slow: 'LAZY' is no Behavior; known are .*NON_BLOCKING",
        ),
        (lambda: FunctionTool(slow, scheduling="LATER"), "slow: 'LATER' is no FunctionResponseScheduling"),
        (lambda: as_tool("weather"), "'weather' is no tool: give a function, a BaseTool"),
        (lambda: as_tool(types.Tool()), "set a field"),
        (lambda: as_tool(official.Tool()), "set a field"),
        (
            lambda: as_tool(official.Tool(function_declarations=[official.FunctionDeclaration(name="f")])),
            "put the Python functions",
        ),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_the_cure(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ToolDeclarationError, match=says):  # contract 5.1
        make()


async def test_a_function_that_was_called_already_is_no_tool() -> None:  # contract 5.1
    with pytest.raises(ToolDeclarationError, match="called already: leave out the parentheses"):
        as_tool(slow("Bern"))


def test_a_named_lambda_is_a_tool(context: ToolContext, declared: Declared) -> None:
    tool = FunctionTool(lambda a, b=2: [a, b], name="pair", description="Pairs.")
    assert declared(tool)["parameters"]["properties"] == {"a": {"type": "STRING"}, "b": {"type": "INTEGER"}}
    assert tool.bind({"a": "x"}, context)() == ["x", 2]


# What may stand in `tools`.


def test_callables_tools_and_model_tools_may_stand_in_tools() -> None:
    made = FunctionTool(slow)
    assert as_tool(made) is made
    found = as_tool(slow)
    assert isinstance(found, FunctionTool)
    assert found.func is slow
    ours, theirs = (
        types.Tool(google_search=types.GoogleSearch()),
        official.Tool(google_search=official.GoogleSearch()),
    )
    for tool in (as_tool(ours), as_tool(theirs)):
        assert isinstance(tool, DeclaredTool)
        assert tool.model_tool() == ours


def test_an_unknown_field_of_a_foreign_tool_is_named() -> None:
    class Tool(official.Tool):
        teleport: str | None = None

    with pytest.raises(ToolDeclarationError, match="teleport"):
        as_tool(Tool(teleport="now"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
NAMES = st.sampled_from(["place", "unit", "days", "tool_context", "x"])


@given(args=st.dictionaries(NAMES, JSON | st.fixed_dictionaries({"city": JSON})))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_model_gives_is_bound_or_told(args: dict[str, Any], context: ToolContext) -> None:
    # contract 5.4
    try:
        call = FunctionTool(weather).bind(args, context)
    except BadArguments as error:
        assert error.problems
    else:
        result = call()
        assert isinstance(result["place"], Place)
        assert isinstance(result["unit"], Unit)
        assert type(result["days"]) is int


@pytest.mark.parametrize(
    ("tool", "behavior"),
    [
        (FunctionTool(watch), "NON_BLOCKING"),
        (FunctionTool(slow, is_long_running=True), "NON_BLOCKING"),
        (LongRunningFunctionTool(slow), "NON_BLOCKING"),
        (FunctionTool(slow, scheduling="SILENT"), "NON_BLOCKING"),
        (FunctionTool(watch, behavior="BLOCKING"), "BLOCKING"),
        (FunctionTool(slow), None),
    ],
)
def test_the_model_need_not_wait_for_what_takes_its_time(  # contract 5.6, 5.7
    declared: Declared, tool: FunctionTool, behavior: str | None
) -> None:
    assert declared(tool).get("behavior") == behavior
    assert tool.facts.blocking is ({"BLOCKING": True, "NON_BLOCKING": False}.get(behavior or ""))


def test_what_becomes_of_a_duplicate_is_said_by_the_tool() -> None:  # contract 5.4
    assert FunctionTool(slow).facts.on_duplicate == "run"
    assert FunctionTool(slow, on_duplicate="join").facts.on_duplicate == "join"
    assert FunctionTool(watch, on_duplicate="refuse").facts.on_duplicate == "refuse"
    with pytest.raises(ToolDeclarationError, match="must be one of run, join, refuse"):
        FunctionTool(slow, on_duplicate="replace")  # type: ignore[arg-type]
    with pytest.raises(ToolDeclarationError, match="would tell everything twice"):
        FunctionTool(watch, on_duplicate="join")


def test_a_function_for_a_process_of_its_own_can_be_imported_and_takes_plain_arguments(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:  # contract 5.14
    tool = FunctionTool(computing.add, separate_process=True)
    assert (FunctionTool(computing.add).kind, tool.kind) == ("sync", "process")
    call = tool.bind({"a": 1, "b": "2"}, context)
    assert pickle.loads(pickle.dumps(call))() == 3
    assert FunctionTool(functools.partial(computing.add, 1), separate_process=True).kind == "process"

    def local() -> None: ...

    for func, why in (
        (slow, "slow is async"),
        (watch, "watch is async"),
        (weather, "weather takes a ToolContext"),
        (local, "local cannot be imported there .* at the top level of a module"),
    ):
        with pytest.raises(ToolDeclarationError, match=why):
            FunctionTool(func, separate_process=True)
    with pytest.raises(ToolDeclarationError, match="add is long-running"):
        LongRunningFunctionTool(computing.add, separate_process=True)
    monkeypatch.setattr(computing.add, "__module__", "__main__")
    monkeypatch.delattr("__main__.__file__", raising=False)
    with pytest.raises(ToolDeclarationError, match="add was typed in"):
        FunctionTool(computing.add, separate_process=True)


def test_an_applications_own_stop_streaming_stops(context: ToolContext) -> None:  # contract 5.7
    def stop_streaming(function_name: str) -> None:
        """Stops it."""

    FunctionTool(stop_streaming).bind({"function_name": "watch"}, context)
    assert context.stops_streaming == "watch"
    context.stops_streaming = None
    FunctionTool(stop_streaming, name="halt").bind({"function_name": "watch"}, context)
    FunctionTool(slow, name="stop_streaming").bind({"city": "Rome"}, context)
    assert context.stops_streaming is None
