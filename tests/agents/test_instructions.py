from collections.abc import Callable
from typing import Any

import pytest

from antiphon.agents import InvocationContext, ReadonlyContext
from antiphon.agents.instructions import fill_in, render
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError
from antiphon.sessions import InMemorySessionService

STATE = {"city": "Bern", "app:motto": "ever", "user:name": "Ada", "temp:n": 0, "nothing": None, "_x1": [1]}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("Be brief.", "Be brief."),
        ("{city}, {city}!", "Bern, Bern!"),
        ("{app:motto} {user:name} {temp:n} {_x1}", "ever Ada 0 [1]"),
        ("{nothing}|{nothing?}|{city?}|{missing?}|{user:missing?}", "||Bern||"),
        ('{"a": 1, "b": {"c": []}}', '{"a": 1, "b": {"c": []}}'),
        ('{"city": {city}}', '{"city": Bern}'),
        (
            "{} { } {1} {two words} {a.b} {other:key} {city?",
            "{} { } {1} {two words} {a.b} {other:key} {city?",
        ),
    ],
)
def test_placeholders_are_filled_in_and_other_braces_left(text: str, filled: str) -> None:
    assert fill_in(text, STATE, "a") == filled


def test_what_is_filled_in_is_not_looked_through_again() -> None:
    assert fill_in("{a}", {"a": "{b}", "b": "x"}, "a") == "{b}"


@pytest.mark.parametrize("key", ["missing", "app:missing", "name"])
def test_a_missing_key_is_named_with_what_to_do(key: str) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"agent 'guide' needs the state key '{key}'.*\{{{key}\?\}}"
    ):
        fill_in(f"Say {{{key}}}.", STATE, "guide")


async def context() -> ReadonlyContext:
    session = await InMemorySessionService().create_session(
        app_name="app", user_id="ada", state={"city": "Bern", "user:name": "Ada"}
    )
    return ReadonlyContext(InvocationContext("e-1", "app", session, RunConfig()), "guide")


async def asked(context: ReadonlyContext) -> str:
    return f"{context.agent_name} {{city}} of {context.user_id}"


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("{user:name} in {city}", "Ada in Bern"),
        (lambda context: f"In {context.state['city']}: {{city}}", "In Bern: {city}"),
        (asked, "guide {city} of ada"),
    ],
)
async def test_an_instruction_is_text_or_asked_for(
    instruction: str | Callable[[ReadonlyContext], Any], text: str
) -> None:
    assert await render(instruction, await context()) == text


async def test_an_instruction_that_gives_no_text_is_refused() -> None:
    nothing: Any = lambda context: None  # noqa: E731
    with pytest.raises(ConfigurationError, match="agent 'guide' gave NoneType, not text"):
        await render(nothing, await context())
