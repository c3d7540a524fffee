"""What has been said with a chat model, and when it is asked again."""

from __future__ import annotations

from itertools import count

from antiphon.models.chat_dialogue import Dialogue
from antiphon.types import Content, FunctionCall, FunctionResponse, Part
from tests.models.test_chat_history import _says, answer, call, model, user


def dialogue(*history: Content) -> Dialogue:
    numbers = count(1)
    return Dialogue(history, lambda: f"new-{next(numbers)}")


def asked(talk: Dialogue) -> list[tuple[str | None, list[object]]]:
    return [(each.role, [_says(part) for part in each.parts or []]) for each in talk.question()]


def result(call_id: str, response: dict[str, object] | None = None) -> FunctionResponse:
    return FunctionResponse(
        id=call_id, name="look", response={"said": "ok"} if response is None else response
    )


def not_yet(call_id: str) -> FunctionResponse:
    return FunctionResponse(id=call_id, name="look", will_continue=True)


def test_a_complete_turn_is_asked_and_an_open_one_waits_for_it() -> None:  # rule 1
    talk = dialogue(user("hi"), model("hello"))
    assert not talk.due
    talk.turn(user("so"), complete=False)
    assert not talk.due
    talk.turn(user("what?"), complete=True)
    assert talk.due
    assert asked(talk)[-2:] == [("user", ["so"]), ("user", ["what?"])]
    assert not talk.due and not talk.waits


def test_what_was_told_can_be_asked_as_it_is() -> None:
    talk = dialogue(user("hi"))
    talk.asks()
    assert talk.due and asked(talk) == [("user", ["hi"])]


def test_the_model_is_asked_again_when_all_calls_are_answered() -> None:  # rule 1
    talk = dialogue(user("hi"))
    talk.answered(model(call("a"), call("b")))
    assert talk.waits
    talk.result(result("b"))
    assert not talk.due
    talk.result(result("a"))
    assert talk.due
    assert asked(talk)[-1] == ("user", [("a", "ok"), ("b", "ok")])


def test_a_result_that_is_not_there_yet_asks_for_nothing() -> None:  # rules 1, 2
    talk = dialogue()
    talk.answered(model(call("a")))
    talk.result(not_yet("a"))
    assert not talk.waits and not talk.due
    talk.result(result("a"))
    assert talk.due and asked(talk)[-1] == ("user", [("a", "ok")])


def test_one_result_is_enough_where_others_take_their_time() -> None:  # rule 2
    talk = dialogue()
    talk.answered(model(call("a"), call("b")))
    talk.result(result("a"))
    talk.result(not_yet("b"))
    assert asked(talk)[-1] == ("user", [("a", "ok"), ("b", "pending")])
    talk.answered(model("wait"))
    talk.result(result("b"))
    assert talk.due
    assert asked(talk)[-1] == ("user", ["(The call of look returned {'said': 'ok'}.)"])


def test_the_user_need_not_wait_for_calls() -> None:  # rule 2
    talk = dialogue()
    talk.answered(model(call("a")))
    talk.turn(user("never mind"), complete=True)
    assert not talk.due
    talk.wait_no_longer()
    assert talk.due
    assert asked(talk)[-2:] == [("user", [("a", "pending")]), ("user", ["never mind"])]


def test_later_answers_of_one_call_are_news_and_an_empty_one_is_not() -> None:  # rule 2
    talk = dialogue()
    talk.answered(model(call("a"), call("b")))
    talk.result(result("a", {"n": 1}))
    talk.result(result("a", {"n": 2}))
    talk.result(result("a", {}))
    talk.result(result("b", {}))
    assert asked(talk)[-1] == ("user", ["(The call of look returned {'n': 2}.)"])
    talk.result(result("a", {}))
    assert not talk.due


def test_calls_are_told_apart() -> None:  # rule 3
    talk = dialogue(model(call("a")), user(answer("a")))
    nameless = Part(function_call=FunctionCall(name="look"))
    whole = talk.answered(model("Wait.", call("a"), nameless, call("b"), call("b")))
    assert whole and [_says(part) for part in whole.parts or []] == [
        "Wait.",
        "call new-1",
        "call new-2",
        "call b",
        "call new-3",
    ]


def test_an_answer_of_nothing_is_not_told() -> None:
    talk = dialogue(user("hi"))
    assert talk.answered(None) is None and talk.answered(Content(role="model")) is None
    talk.cut("")
    assert asked(talk) == [("user", ["hi"])]


def test_what_was_said_before_a_cut_is_told() -> None:
    talk = dialogue(user("hi"))
    talk.cut("Hel")
    talk.turn(user("stop"), complete=True)
    assert asked(talk) == [("user", ["hi"]), ("model", ["Hel"]), ("user", ["stop"])]


def test_what_was_not_heard_is_not_on_record() -> None:  # contract 3.6
    dialogue = Dialogue((), lambda: "x")
    for question, texts in (("One?", ["It is one. "]), ("Two?", ["It is ", "two."])):
        dialogue.turn(Content(role="user", parts=[Part(text=question)]), complete=True)
        dialogue.question()
        thought = Part(text="Hm.", thought=True)
        dialogue.answered(Content(role="model", parts=[thought, *(Part(text=each) for each in texts)]))

    def said() -> list[list[str | None]]:
        contents = dialogue._contents
        return [[part.text for part in each.parts or []] for each in contents if each.role == "model"]

    dialogue.unheard(0)
    assert said() == [["Hm.", "It is one. "], ["Hm.", "It is ", "two."]]
    dialogue.unheard(6)
    assert said() == [["Hm.", "It is one. "], ["Hm.", "It i"]]
    dialogue.unheard(4 + 5)
    assert said() == [["Hm.", "It is "], ["Hm."]]


def test_calls_stay_on_record_when_the_words_about_them_were_not_heard() -> None:
    dialogue = Dialogue((), lambda: "x")
    dialogue.turn(Content(role="user", parts=[Part(text="Look.")]), complete=True)
    dialogue.question()
    call = Part(function_call=FunctionCall(id="c", name="look", args={}))
    dialogue.answered(Content(role="model", parts=[Part(text="Let me see."), call]))
    dialogue.unheard(100)
    assert dialogue.waits and dialogue._contents[-1].parts == [call]
    dialogue.wait_no_longer()
    dialogue.question()
    dialogue.answered(Content(role="model", parts=[Part(text="Well.")]))
    dialogue.unheard(5)
    assert dialogue._contents[-1].role == "user"
