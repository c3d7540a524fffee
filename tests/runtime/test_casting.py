"""Who takes part: live, and in turn-based runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, Event, OpenAIChat, SequentialAgent
from antiphon.errors import ConfigurationError, UnknownModel, UnsupportedByModel
from antiphon.models.chat_link import ChatLive
from antiphon.runtime.casting import Casting, first_to_speak
from antiphon.sessions import Session
from antiphon.types import Content, FunctionCall, FunctionResponse, Part

if TYPE_CHECKING:
    from antiphon.agents import BaseAgent


def agent(name: str, *below: BaseAgent, model: Any = None, **fields: Any) -> Agent:
    return Agent(name=name, description=name, model=model, sub_agents=list(below), **fields)


def chat(name: str = "a", *below: BaseAgent) -> Agent:
    return agent(name, *below, model=OpenAIChat("any", base_url="http://localhost/v1"))


def test_each_kind_of_run_has_its_own_models_made_once() -> None:
    casting = Casting(agent("a", model="gemini-3.8-flash"))
    live, turn_based = casting.live(), casting.turn_based()
    assert not live.speakers["a"].model.capabilities.turn_based
    assert turn_based.speakers["a"].model.capabilities.turn_based
    assert casting.live() is live is casting.any() and casting.turn_based() is turn_based


def test_a_chat_model_takes_part_in_both() -> None:
    casting = Casting(chat())
    for troupe in casting.live(), casting.turn_based():
        assert isinstance(troupe.speakers["a"].model, ChatLive)


def test_a_model_that_is_only_live_is_refused_in_turn_based_runs() -> None:  # contract 6.2
    casting = Casting(agent("a", model="gemini-3.8-live"))
    assert casting.live() is casting.any()
    with pytest.raises(UnsupportedByModel, match="run_live"):
        casting.turn_based()


def test_a_model_known_for_turn_based_runs_only_is_refused_in_live_ones() -> None:
    casting = Casting(agent("a", model="openai/llama"))
    assert casting.any() is casting.turn_based()
    with pytest.raises(UnknownModel, match="openai/llama"):
        casting.live()


def test_agents_that_cannot_work_at_all_are_refused_at_once() -> None:
    with pytest.raises(UnknownModel, match="'who'"):
        Casting(agent("a", model="who"))
    with pytest.raises(ConfigurationError, match="no model"):
        Casting(agent("a"))


# Who begins.


def said(author: str, *parts: Part, **fields: Any) -> Event:
    return Event(author=author, content=Content(parts=list(parts or (Part(text="hi"),))), **fields)


def first(root: BaseAgent, *events: Event, message: Content | None = None) -> str:
    troupe = Casting(root).turn_based()
    session = Session(app_name="app", user_id="ann", id="s1", events=list(events))
    return first_to_speak(troupe, session, message or Content(parts=[Part(text="so?")]))


def test_the_first_of_the_cast_begins() -> None:
    assert first(chat("a", agent("b"))) == "a"
    assert first(chat("a", agent("b")), said("user"), said("gone")) == "a"


def test_whoever_spoke_last_goes_on() -> None:  # contract 6.3
    tree = chat("a", agent("b", agent("c")))
    assert first(tree, said("a"), said("b"), said("user")) == "b"
    assert first(tree, said("c"), said("a", partial=True), Event(author="a", turn_complete=True)) == "c"


def test_whoever_could_not_hand_back_does_not_go_on() -> None:  # contract 6.3
    tree = chat("a", agent("b", agent("c"), disallow_transfer_to_parent=True))
    assert first(tree, said("b")) == "a" and first(tree, said("c")) == "a"


def test_a_sequence_begins_anew() -> None:  # contract 6.3
    steps = SequentialAgent(name="s", sub_agents=[chat("a", agent("x")), chat("b")])
    assert first(steps, said("b")) == "a" and first(steps, said("x")) == "a"


def test_whose_call_is_answered_takes_the_answer() -> None:  # contract 5.6
    steps = SequentialAgent(name="s", sub_agents=[chat("a"), chat("b"), chat("c")])
    call = Part(function_call=FunctionCall(id="1", name="approve"))
    answer = Content(parts=[Part(function_response=FunctionResponse(id="1", name="approve", response={}))])
    assert first(steps, said("a"), said("b", call), said("c"), message=answer) == "b"
    assert first(steps, said("a"), message=answer) == "a"
