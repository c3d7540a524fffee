from __future__ import annotations

from antiphon.core.handover import in_words
from antiphon.core.messages import ToolResults
from antiphon.models.local.exchange import Result, exchange
from antiphon.types import Content, FunctionCall, FunctionResponse, Part
from tests.models.local.agents import model, user


def test_the_last_words_of_both() -> None:
    read = exchange([user("hello"), model("Hi!"), user("what"), user("now?")])
    assert (read.text, read.said, list(read.before)) == ("now?", "Hi!", [user("hello")])
    assert exchange([]).text == "" and exchange([user("a")]).said == ""


def test_results_know_their_calls() -> None:
    call = Content(role="model", parts=[Part(function_call=FunctionCall(id="1", name="look", args={"a": 1}))])
    answer = Part(function_response=FunctionResponse(id="1", name="look", response={"b": 2}))
    read = exchange([user("go"), model("Sure."), user("x"), call, Content(role="user", parts=[answer])])
    assert read.results == (Result("look", {"a": 1}, {"b": 2}),) and read.text == "" and read.said == "Sure."


def test_results_in_words_are_results() -> None:
    told = in_words(ToolResults((FunctionResponse(name="look", response={"a": "it's", "b": [1, None]}),)))
    assert exchange([told.content]).results == (Result("look", {}, {"a": "it's", "b": [1, None]}),)
    odd = exchange([user("(The call of look returned {oops}.)")])
    assert odd.results == (Result("look", {}, {"result": "{oops}"}),)


def test_words_of_the_runtime_and_of_other_agents_are_nobodys() -> None:
    read = exchange(
        [
            Content(
                role="user", parts=[Part(text="[root] Hello."), Part(text="book it"), Part(text="(Go on.)")]
            )
        ]
    )
    assert read.text == "book it"
    parts = [
        "rain?",
        "[root] No.",
        "that's all",
        "[root] (calls task_completed())",
        "(task_completed returned {})",
    ]
    assert exchange([Content(role="user", parts=[Part(text=text) for text in parts])]).text == "that's all"
    assert exchange([Content(role="user", parts=[Part(text=text) for text in parts[:2]])]).text == ""
