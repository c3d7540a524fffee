"""Callbacks as applications give them (contract 5.10)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError

from antiphon import Agent, SequentialAgent, Veto
from antiphon.agents.callbacks import CALLBACKS, arguments, as_callbacks


def watch(callback_context: object) -> None:
    """Called by name."""


class Greeter:
    async def __call__(self, callback_context: object) -> None: ...


@pytest.mark.parametrize(
    "given", [watch, [watch], (watch,), partial(watch), Greeter(), lambda callback_context: None]
)
def test_one_callable_or_several_are_taken(given: Any) -> None:
    agent = Agent(name="a", before_agent_callback=given)
    assert len(agent.before_agent_callback) == 1
    assert callable(agent.before_agent_callback[0])


def test_none_is_none() -> None:
    assert Agent(name="a", before_agent_callback=None, guardrails=None).guardrails == ()


def test_groups_have_agent_callbacks_and_no_others() -> None:
    step = Agent(name="a")
    assert SequentialAgent(name="s", sub_agents=[step], after_agent_callback=watch).after_agent_callback
    with pytest.raises(ValidationError, match="before_model_callback"):
        SequentialAgent(name="s", sub_agents=[step], before_model_callback=watch)  # type: ignore[call-arg]


@pytest.mark.parametrize("field", list(CALLBACKS))
def test_every_field_says_what_its_callbacks_are_called_with(field: str) -> None:
    def wrong(a: int, b: int, c: int, d: int, e: int) -> None: ...

    with pytest.raises(ValidationError, match=r"wrong cannot be called as wrong\(\w+.*\); give it these"):
        Agent.model_validate({"name": "a", field: wrong})
    with pytest.raises(ValidationError, match=f"{field} takes functions, not str"):
        Agent.model_validate({"name": "a", field: "wrong"})


def test_callbacks_are_called_by_name_or_else_in_order() -> None:
    names = CALLBACKS["before_tool_callback"]
    assert arguments(lambda tool, args, tool_context: None, names)
    assert arguments(lambda args, tool_context, tool: None, names)
    assert arguments(lambda **everything: None, names)
    assert not arguments(lambda a, b, c: None, names)
    assert not arguments(print, ["what", "else"])
    assert not arguments(max, names), "a builtin that does not say"
    assert as_callbacks([print], "guardrails") == (print,)


def test_a_veto_has_a_reason() -> None:
    assert Veto("no").reply is None
