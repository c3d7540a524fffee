"""Contents as chat models take them."""

from __future__ import annotations

from antiphon.models.chat_history import PENDING, answers, ends_with_user, in_order, news
from antiphon.types import Content, FunctionCall, FunctionResponse, FunctionResponsePart, Part


def call(call_id: str) -> Part:
    return Part(function_call=FunctionCall(id=call_id, name="look"))


def answer(call_id: str, said: object = "ok") -> Part:
    return Part(function_response=FunctionResponse(id=call_id, name="look", response={"said": said}))


def user(*parts: Part | str) -> Content:
    return Content(role="user", parts=[Part(text=part) if isinstance(part, str) else part for part in parts])


def model(*parts: Part | str) -> Content:
    return user(*parts).model_copy(update={"role": "model"})


def told(*contents: Content) -> list[tuple[str | None, list[object]]]:
    return [(content.role, [_says(part) for part in content.parts or []]) for content in in_order(contents)]


def _says(part: Part) -> object:
    if part.function_call:
        return f"call {part.function_call.id}"
    if part.function_response:
        response = part.function_response.response or {}
        return part.function_response.id, response.get("said", response.get("status"))
    return part.text


def test_answers_follow_their_calls_in_the_order_of_the_calls() -> None:  # rule 1
    assert told(user("hi"), model("Wait.", call("a"), call("b")), user(answer("b"), answer("a"), "and?")) == [
        ("user", ["hi"]),
        ("model", ["Wait.", "call a", "call b"]),
        ("user", [("a", "ok"), ("b", "ok")]),
        ("user", ["and?"]),
    ]


def test_a_call_without_its_answer_is_pending_and_the_answer_comes_in_words() -> None:  # rules 1, 2
    assert told(
        model(call("a"), call("b")), user(answer("a")), user("so?"), model("wait"), user(answer("b"))
    ) == [
        ("model", ["call a", "call b"]),
        ("user", [("a", "ok"), ("b", "pending")]),
        ("user", ["so?"]),
        ("model", ["wait"]),
        ("user", ["(The call of look returned {'said': 'ok'}.)"]),
    ]
    assert told(model(call("a")))[-1] == ("user", [("a", "pending")])


def test_a_second_answer_comes_in_words() -> None:  # rule 2
    assert told(model(call("a")), user(answer("a", 1)), user(answer("a", 2))) == [
        ("model", ["call a"]),
        ("user", [("a", 1)]),
        ("user", ["(The call of look returned {'said': 2}.)"]),
    ]


def test_an_answer_to_nothing_comes_in_words() -> None:  # rule 2
    assert told(user(answer("x"))) == [("user", ["(The call of look returned {'said': 'ok'}.)"])]
    assert told(user()) == []


def test_media_of_an_answer_stays_with_it() -> None:
    media = [FunctionResponsePart.from_bytes(data=b"x", mime_type="image/png")]
    given = FunctionResponse(id="a", name="look", response={"said": 1}, parts=media)
    (part,) = answers([FunctionCall(id="a", name="look")], {"a": given}).parts or []
    assert part.function_response and part.function_response.parts == media
    (part,) = answers([FunctionCall(id="a", name="look")], {}).parts or []
    assert part.function_response and part.function_response.response == PENDING


def test_somebody_asks_at_the_end() -> None:  # rule 3
    asked = [model("hi"), user("so?")]
    assert ends_with_user(asked) == asked
    assert [content.role for content in ends_with_user([model("hi")])] == ["model", "user"]
    assert [content.role for content in ends_with_user([])] == ["user"]


def test_news_are_the_users() -> None:
    part = answer("a").function_response
    assert part and news(part).role == "user"
