"""`run_async()`: one turn, asked by the real SDKs over real HTTP (contract 6.3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import (
    Agent,
    ChatModel,
    Event,
    InMemoryRunner,
    LiveRequestQueue,
    LlmResponse,
    LongRunningFunctionTool,
    ModelConnectionError,
    RunConfig,
    SequentialAgent,
    StreamingMode,
    ToolContext,
    Veto,
    types,
)
from antiphon.config import Retry
from antiphon.errors import (
    AuthenticationRefused,
    ConfigurationError,
    InvalidContent,
    InvalidSetup,
    ModelNotFound,
    QuotaExceeded,
    SessionNotFound,
    UnsupportedByModel,
)
from antiphon.testing.chat_server import ChatCall, ChatReply, ChatServer
from antiphon.types import Content, FunctionResponse, Part
from tests.runtime.chat_models import WIRES, chat_model, talking, texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.parametrize("wire", WIRES)

AT_ONCE = RunConfig(retry=Retry(first_delay=0, attempts=2))


def weather(city: str) -> str:
    """The weather.

    Args:
        city: Where.
    """
    return f"sun in {city}"


def look(city: str, call_id: str | None = None) -> ChatCall:
    return ChatCall("weather", {"city": city}, id=call_id)


def solo(**fields: Any) -> Any:
    return lambda model: Agent(name="helper", model=model, **fields)


def kinds(events: list[Event]) -> list[str]:
    """What the events are, the pieces of text left out."""
    said = []
    for event in events:
        if event.lifecycle is not None or event.partial:
            continue
        if event.get_function_calls():
            said.append("call")
        elif event.get_function_responses():
            said.append("response")
        elif event.error_code:
            said.append(event.error_code)
        elif event.turn_complete:
            said.append("turn_complete")
        elif event.content:
            said.append("text")
        else:
            said.append("other")
    return said


async def test_text_comes_in_pieces_and_then_whole(wire: str) -> None:
    # contract 3.4, 6.3
    script = [ChatReply("It is sunny.", thought="Hm. Well")]
    async with talking(wire, solo(instruction="Be brief."), script) as turns:
        events = await turns.say("How is the weather?")

    assert "".join(texts(events, partial=True)) == "It is sunny."
    assert texts(events) == ["It is sunny."]
    assert kinds(events) == ["text", "turn_complete"]
    (whole,) = [event for event in events if event.content and not event.partial]
    assert whole.content and [(part.text, bool(part.thought)) for part in whole.content.parts or []] == [
        ("Hm. Well", True),
        ("It is sunny.", False),
    ]
    assert whole.is_final_response() and whole.author == "helper"
    assert whole.finish_reason == "STOP" and whole.model_version in ("gpt-any", "gemini-any")
    assert whole.usage_metadata and whole.usage_metadata.total_token_count == 10
    assert [event.lifecycle.kind for event in events if event.lifecycle] == ["ready", "closed"]
    assert "Be brief." in str(turns.server.requests[0].body)
    assert len({event.invocation_id for event in events}) == 1


async def test_only_whole_events_without_streaming(wire: str) -> None:
    # contract 6.1
    async with talking(wire, solo(), [ChatReply("It is sunny.", thought="Hm.")]) as turns:
        events = await turns.say("And?", run_config=RunConfig(streaming_mode=StreamingMode.NONE))
        session = await turns.session()

    assert texts(events) == ["It is sunny."]
    assert not any(event.partial for event in events)
    assert not turns.server.requests[0].body.get("stream")
    assert [event.author for event in session.events][:2] == ["user", "helper"]


async def test_tools_run_in_parallel_and_are_all_answered_before_the_model_goes_on(wire: str) -> None:
    # contract 5.2
    together = asyncio.Event()
    running: list[str] = []

    async def meet(city: str) -> str:
        """Meets."""
        running.append(city)
        if len(running) == 2:
            together.set()
        await together.wait()
        return city

    calls = [ChatCall("meet", {"city": city}, city) for city in ("Rome", "Oslo")]
    script = [ChatReply("One moment.", tuple(calls)), ChatReply("Done.")]
    async with talking(wire, solo(tools=[meet]), script) as turns:
        events = await turns.say("Go")

    assert kinds(events) == ["call", "response", "response", "text", "turn_complete"]
    asked = next(event for event in events if event.get_function_calls())
    assert not asked.is_final_response()
    assert asked.content and asked.content.parts and asked.content.parts[0].text == "One moment."
    assert turns.told(1) == [
        ("user", "Go"),
        ("call", ["meet", "meet"]),
        ("answer", '{"result": "Rome"}'),
        ("answer", '{"result": "Oslo"}'),
    ]


async def test_calls_without_ids_and_with_used_ones_are_told_apart(wire: str) -> None:
    # contract 5.4
    script = [ChatReply(calls=(look("a"), look("b"))), ChatReply(calls=(look("c", "x"),))]
    script += [ChatReply(calls=(look("d", "x"),)), ChatReply("Done.")]
    async with talking(wire, solo(tools=[weather]), script) as turns:
        events = await turns.say("Go")

    ids = [call.id for event in events for call in event.get_function_calls()]
    assert len(ids) == len(set(ids)) == 4 and ids[2] == "x"
    answers = [answer.id for event in events for answer in event.get_function_responses()]
    assert sorted(map(str, answers)) == sorted(map(str, ids))
    assert [text for role, text in turns.told(3) if role == "answer"] == [
        f'{{"result": "sun in {city}"}}' for city in "abcd"
    ]


async def test_history_is_told_with_its_calls_in_the_next_run(wire: str) -> None:
    # contract 4.4
    script = [ChatReply(calls=(look("Rome", "c1"),)), ChatReply("Sunny."), ChatReply("Yes.")]
    async with talking(wire, solo(tools=[weather]), script) as turns:
        await turns.say("Rome?")
        await turns.say("Sure?")

    assert turns.told(2) == [
        ("user", "Rome?"),
        ("call", ["weather"]),
        ("answer", '{"result": "sun in Rome"}'),
        ("assistant", "Sunny."),
        ("user", "Sure?"),
    ]


async def test_state_goes_in_with_the_message_and_out_with_the_tools(wire: str) -> None:
    # contract 4.6
    def remember(name: str, tool_context: ToolContext) -> str:
        """Remembers."""
        tool_context.state["name"] = name
        return "ok"

    script = [ChatReply(calls=(ChatCall("remember", {"name": "Ann"}),)), ChatReply("Done.")]
    async with talking(wire, solo(tools=[remember], instruction="Speak {lang?}."), script) as turns:
        await turns.say("I am Ann", state_delta={"lang": "French"})
        session = await turns.session()
        await turns.say("Hi")

    assert session.state["name"] == "Ann" and session.state["lang"] == "French"
    assert "Speak French." in str(turns.server.requests[2].body)


async def test_another_agent_takes_over_and_goes_on_in_the_next_run(wire: str) -> None:
    # contract 5.8, 6.3
    def cast(model: ChatModel) -> Agent:
        billing = Agent(name="billing", description="money", model=model, instruction="You are billing.")
        return Agent(name="desk", model=model, instruction="You are the desk.", sub_agents=[billing])

    script = [
        ChatReply("Wait.", (ChatCall("transfer_to_agent", {"agent_name": "billing"}, "t"),)),
        ChatReply("Billing here."),
        ChatReply("Still billing."),
    ]
    async with talking(wire, cast, script) as turns:
        events = await turns.say("My bill!")
        again = await turns.say("And?")

    assert kinds(events) == ["call", "response", "text", "turn_complete"]
    assert [event.author for event in events if event.content and not event.partial] == [
        "desk",
        "desk",
        "billing",
    ]
    assert "You are billing." in str(turns.server.requests[1].body)
    assert turns.told(1) == [("user", "My bill!\n[desk] Wait.")]
    assert {event.author for event in again} == {"billing"}
    assert turns.told(2)[-1] == ("user", "And?")


async def test_a_sequence_goes_on_by_itself_in_one_turn(wire: str) -> None:
    # contract 5.9, 6.3
    def cast(model: ChatModel) -> SequentialAgent:
        steps = [
            Agent(name=name, model=model, instruction=f"You {name}.") for name in ("draft", "check", "print")
        ]
        return SequentialAgent(name="press", sub_agents=steps)

    script = [ChatReply("A draft."), ChatReply("Checked."), ChatReply("Printed.")]
    async with talking(wire, cast, script) as turns:
        events = await turns.say("Write")

    assert texts(events) == ["A draft.", "Checked.", "Printed."]
    assert kinds(events) == ["text", "text", "text", "turn_complete"]
    assert "task_completed" not in str(turns.server.requests[0].body)
    assert turns.told(2) == [("user", "Write\n[draft] A draft.\n[check] Checked.")]


async def test_a_long_running_call_ends_the_run_and_is_answered_by_a_later_one(wire: str) -> None:
    # contract 5.6, 6.3
    def approve(what: str) -> None:
        """Asks for approval."""

    script = [ChatReply(calls=(ChatCall("approve", {"what": "trip"}, "c1"),)), ChatReply("Approved!")]
    async with talking(wire, solo(tools=[LongRunningFunctionTool(approve)]), script) as turns:
        events = await turns.say("May I?")
        answer = FunctionResponse(id="c1", name="approve", response={"status": "approved"})
        later = await turns.say(Content(role="user", parts=[Part(function_response=answer)]))

    assert kinds(events) == ["call", "turn_complete"]
    (asked,) = [event for event in events if event.get_function_calls()]
    assert asked.long_running_tool_ids == {"c1"} and asked.is_final_response()
    assert texts(later) == ["Approved!"]
    assert turns.told(1) == [
        ("user", "May I?"),
        ("call", ["approve"]),
        ("answer", '{"status": "approved"}'),
    ]


async def test_what_came_between_does_not_part_a_call_from_its_answer(wire: str) -> None:
    # contract 5.6: services refuse a call that is not answered at once
    def approve(what: str) -> None:
        """Asks for approval."""

    script = [
        ChatReply(calls=(ChatCall("approve", {"what": "trip"}, "c1"), look("Rome", "c2"))),
        ChatReply("Pending."),
        ChatReply("No news."),
        ChatReply("Approved!"),
    ]
    async with talking(wire, solo(tools=[LongRunningFunctionTool(approve), weather]), script) as turns:
        first = await turns.say("May I?")
        await turns.say("And now?")
        answer = FunctionResponse(id="c1", name="approve", response={"status": "approved"})
        await turns.say(Content(role="user", parts=[Part(function_response=answer)]))

    assert kinds(first) == ["call", "response", "text", "turn_complete"]
    pending = '{"status": "pending", "note": "There is no result yet; it will be told when there is."}'
    assert turns.told(1)[1:] == [
        ("call", ["approve", "weather"]),
        ("answer", pending),
        ("answer", '{"result": "sun in Rome"}'),
    ]
    for told in turns.told(2), turns.told(3):
        for at, (role, what) in enumerate(told):
            if role == "call":
                assert [each for each, _ in told[at + 1 : at + 1 + len(what)]] == ["answer"] * len(what)
    assert "approved" in str(turns.told(3)[-1])


async def test_a_streaming_tool_is_heard_to_its_end(wire: str) -> None:
    # contract 5.7, 6.3: later results are news, each answered, and the run waits for them
    answered = asyncio.Event()

    async def count(upto: int) -> AsyncIterator[dict[str, int]]:
        """Counts."""
        for number in range(upto):
            yield {"number": number}
            await answered.wait()
            answered.clear()

    script = [
        ChatReply(calls=(ChatCall("count", {"upto": 2}, "c1"),)),
        ChatReply("Nought."),
        ChatReply("One."),
    ]
    async with talking(wire, solo(tools=[count]), script) as turns:
        seen: list[Event] = []
        async for event in turns.running("Count"):
            seen.append(event)
            if event.turn_complete:
                answered.set()

    assert kinds(seen) == ["call"] + ["response", "text", "turn_complete"] * 2 + ["response"]
    assert texts(seen) == ["Nought.", "One."]
    assert turns.told(2)[2:] == [
        ("answer", '{"number": 0}'),
        ("assistant", "Nought."),
        ("user", "(The call of count returned {'number': 1}.)"),
    ]


async def test_calls_are_limited_politely(wire: str) -> None:
    # contract 6.5: the calls that would want a further request are not run
    ran: list[str] = []

    def again(n: int) -> str:
        """Again."""
        ran.append("x")
        return "again"

    def endless(request: object) -> ChatReply:
        return ChatReply(calls=(ChatCall("again", {"n": 1}),))

    async with talking(wire, solo(tools=[again]), endless) as turns:
        events = await turns.say("Go", run_config=RunConfig(max_llm_calls=3))
        session = await turns.session()

    assert len(turns.server.requests) == 3 and len(ran) == 2
    (closed,) = [event.lifecycle for event in events if event.lifecycle and event.lifecycle.kind == "closed"]
    assert (closed.reason, closed.by) == ("max_llm_calls", "limit")
    last = session.events[-1].get_function_responses()[0].response or {}
    assert last["error"]["code"] == "CANCELLED" and "max_llm_calls" in last["error"]["message"]


async def test_a_run_that_needs_no_more_calls_is_not_limited(wire: str) -> None:
    # contract 6.5
    async with talking(wire, solo(), [ChatReply("Yes.")]) as turns:
        events = await turns.say("Go", run_config=RunConfig(max_llm_calls=1))
    assert events[-1].lifecycle and events[-1].lifecycle.reason == "the turn is complete"


async def test_leaving_early_closes_the_request(wire: str) -> None:
    # contract 1.5, 1.6
    async with talking(wire, solo(), [ChatReply("One two three", pause_after=3)]) as turns:
        async for event in turns.running("Go"):
            if event.partial:
                break
        await turns.server.requests[0].gone.wait()
        session = await turns.session()
    assert texts(session.events)[0] == "Go" and "One two three".startswith(texts(session.events)[1])


async def test_cancelling_the_reader_closes_the_request(wire: str) -> None:
    # contract 1.5, 1.6
    async with talking(wire, solo(), [ChatReply("One two three", pause_after=2)]) as turns:
        reading = asyncio.ensure_future(turns.say("Go"))
        request = await turns.server.asked(1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await request.gone.wait()


async def test_a_failure_that_may_pass_is_told_and_tried_again(wire: str) -> None:
    # contract 3.10
    script = [
        ChatReply(status=429, error="slow down", headers={"retry-after": "0"}),
        ChatReply(status=503, error="overloaded"),
        ChatReply("Here."),
    ]
    async with talking(wire, solo(), script) as turns:
        events = await turns.say("Go", run_config=AT_ONCE)

    assert kinds(events) == ["RESOURCE_EXHAUSTED", "UNAVAILABLE", "text", "turn_complete"]
    assert turns.told(2) == [("user", "Go")]


@pytest.mark.parametrize("broken", [{"cut_after": 3}, {"garble_after": 3}])
async def test_an_answer_that_breaks_off_is_asked_for_again_and_counts_once(wire: str, broken: Any) -> None:
    # contract 3.4, 3.10
    script = [ChatReply("One two three four", **broken), ChatReply("One two three four")]
    async with talking(wire, solo(), script) as turns:
        events = await turns.say("Go", run_config=AT_ONCE)
        session = await turns.session()

    assert kinds(events) == ["UNAVAILABLE", "text", "turn_complete"]
    assert texts(events) == ["One two three four"]
    assert texts(session.events) == ["Go", "One two three four"]


async def test_retries_are_used_up(wire: str) -> None:
    # contract 1.5
    async with talking(wire, solo(), lambda _: ChatReply(status=500, error="broken")) as turns:
        seen: list[Event] = []
        with pytest.raises(ModelConnectionError, match="broken") as failed:
            await turns.say("Go", seen, run_config=AT_ONCE)
    assert len(turns.server.requests) == 3 and failed.value.code == 500
    assert kinds(seen) == ["UNAVAILABLE", "UNAVAILABLE"]
    assert seen[-1].lifecycle and seen[-1].lifecycle.by == "error"


@pytest.mark.parametrize(
    ("status", "reason", "code", "kind"),
    [
        (400, "bad field", None, InvalidSetup),
        (401, "no such key", "invalid_api_key", AuthenticationRefused),
        (403, "not yours", None, AuthenticationRefused),
        (404, "no such model", "model_not_found", ModelNotFound),
        (429, "You exceeded your current quota", "insufficient_quota", QuotaExceeded),
    ],
)
async def test_what_cannot_pass_is_raised_with_its_cure(
    wire: str, status: int, reason: str, code: str | None, kind: type[Exception]
) -> None:
    # contract 7.4
    async with talking(wire, solo(), [ChatReply(status=status, error=reason, code=code)]) as turns:
        with pytest.raises(kind, match=reason):
            await turns.say("Go")
    assert len(turns.server.requests) == 1


@pytest.mark.parametrize(("finish", "code"), [("length", "MAX_TOKENS"), ("content_filter", "SAFETY")])
async def test_an_answer_that_is_cut_short_says_why(wire: str, finish: str, code: str) -> None:
    # contract 3.10
    async with talking(wire, solo(), [ChatReply("Once upon", finish=finish)]) as turns:
        events = await turns.say("Go")
    (whole,) = [event for event in events if event.error_code]
    assert whole.error_code == code and whole.finish_reason == code and whole.error_message
    assert texts([whole]) == ["Once upon"]
    assert events[-2].turn_complete


async def test_images_are_shown(wire: str) -> None:
    async with talking(wire, solo(), [ChatReply("A cat.")]) as turns:
        image = Part.from_bytes(data=b"\xff\xd8", mime_type="image/jpeg")
        await turns.say(Content(role="user", parts=[Part(text="What?"), image]))
    body = str(turns.server.requests[0].body)
    assert "data:image/jpeg;base64,/9g=" in body or "'mime_type': 'image/jpeg'" in body


async def test_how_the_agent_answers_is_passed_on(wire: str) -> None:
    schema = types.Schema(type="OBJECT", properties={"n": types.Schema(type="INTEGER")})
    config = types.GenerateContentConfig(
        temperature=0.5, max_output_tokens=7, response_mime_type="application/json", response_schema=schema
    )
    async with talking(wire, solo(generate_content_config=config), [ChatReply('{"n": 1}')]) as turns:
        await turns.say("Go")
    body = turns.server.requests[0].body
    if wire == "openai":
        assert (body["temperature"], body["max_tokens"]) == (0.5, 7)
        assert body["response_format"]["json_schema"]["schema"]["properties"] == {"n": {"type": "integer"}}
    else:
        told = body["generationConfig"]
        assert (told["temperature"], told["maxOutputTokens"]) == (0.5, 7)
        assert told["responseSchema"]["properties"] == {"n": {"type": "INTEGER"}}


async def test_bad_requests_are_refused_before_anything_is_asked(wire: str) -> None:
    # contract 1.4, 2.5
    async with talking(wire, solo()) as turns:
        with pytest.raises(InvalidContent):
            await turns.say(Content(role="user", parts=[Part.from_function_call(name="x", args={})]))
        with pytest.raises(InvalidContent):
            await turns.say(7)
        with pytest.raises(UnsupportedByModel, match="AUDIO"):
            await turns.say("Go", run_config=RunConfig(response_modalities=["AUDIO"]))
        with pytest.raises(ConfigurationError, match="run_config"):
            await turns.say("Go", run_config=7)
        with pytest.raises(SessionNotFound):
            run = turns.runner.run_async(user_id="ann", session_id="other", new_message="Go")
            await anext(run)
    assert not turns.server.requests


async def test_connections_are_kept_within_a_run_and_closed_after_it(wire: str) -> None:
    script = [ChatReply(calls=(look("a", "1"),)), ChatReply(calls=(look("b", "2"),)), ChatReply("Done.")]
    async with talking(wire, solo(tools=[weather]), script) as turns:
        await turns.say("Go")
    assert len(turns.server.requests) == 3 and turns.server.connected == 1


# Callbacks, around each request: contract 5.10, 5.13.


def answer(text: str) -> LlmResponse:
    return LlmResponse(content=Content(role="model", parts=[Part(text=text)]))


async def test_a_callback_answers_in_the_models_place(wire: str) -> None:
    callback = lambda callback_context, llm_request: answer("No.")  # noqa: E731
    async with talking(wire, solo(before_model_callback=callback)) as turns:
        events = await turns.say("Go")
    assert texts(events) == ["No."] and kinds(events) == ["text", "turn_complete"]
    assert not turns.server.requests


async def test_a_callback_answers_instead_of_an_error(wire: str) -> None:
    callback = lambda callback_context, llm_request, error: answer("Sorry.")  # noqa: E731
    async with talking(wire, solo(on_model_error_callback=callback), [ChatReply(status=400)]) as turns:
        events = await turns.say("Go")
    assert texts(events) == ["Sorry."]


async def test_a_guardrail_keeps_a_question_from_the_model(wire: str) -> None:
    def no_cards(callback_context: object, speaker: str, text: str) -> Veto | None:
        return Veto("no cards", reply="Not here.") if speaker == "user" else None

    async with talking(wire, solo(guardrails=[no_cards])) as turns:
        events = await turns.say("My card")
    assert texts(events) == ["Not here."] and not turns.server.requests
    assert events[-1].lifecycle and events[-1].lifecycle.reason == "the turn is complete"


def no_codes(callback_context: object, speaker: str, text: str) -> str | None:
    return "a secret" if speaker == "model" and "code" in text else None


async def test_a_vetoed_answer_with_calls_ends_the_run(wire: str) -> None:
    # contract 5.13, 6.3
    script = [ChatReply("code 1 2 3 4", calls=(look("Oslo", "x"),), pause_after=3), ChatReply("Hi.")]
    async with talking(wire, solo(tools=[weather], guardrails=[no_codes]), script) as turns:
        seen: list[Event] = []
        async with asyncio.timeout(4):  # sooner than a vetoed turn that does not end is given up
            async for event in turns.running("Go"):
                seen.append(event)
                if event.turn_complete:
                    turns.server.requests[0].go_on()
        await turns.say("And?")
    assert kinds(seen) == ["GUARDRAIL", "GUARDRAIL", "turn_complete", "other", "call", "response"]
    (cancelled,) = [answer.response for event in seen for answer in event.get_function_responses()]
    assert cancelled == {"error": {"code": "CANCELLED", "message": "the turn was vetoed"}}
    assert [role for role, _ in turns.told(1)] == ["user", "call", "answer", "user"]


async def test_an_answer_to_a_call_and_words_with_it_are_one_question(wire: str) -> None:
    # contract 5.6
    def book() -> None:
        return None

    script = [ChatReply(calls=(ChatCall("book", {}, id="x"),)), ChatReply("Booked.")]
    async with talking(wire, solo(tools=[LongRunningFunctionTool(book)]), script) as turns:
        queue, seen = LiveRequestQueue(), list[Event]()
        queue.send_content("Go")
        async for event in turns.runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue):
            seen.append(event)
            if event.turn_complete and len(turns.server.requests) == 1:
                (call_id,) = [call.id for each in seen for call in each.get_function_calls()]
                result = FunctionResponse(id=call_id, name="book", response={"ok": True})
                parts = [Part(function_response=result), Part(text="So?")]
                queue.send_content(Content(role="user", parts=parts))
            elif event.turn_complete:
                queue.close()
    assert not any(event.interrupted for event in seen)
    assert len(turns.server.requests) == 2
    assert [said for said in turns.told(1) if said[0] == "user"] == [("user", "Go"), ("user", "So?")]


async def test_what_comes_with_the_message_may_be_what_the_instruction_needs(wire: str) -> None:
    # contract 2.6
    async with talking(wire, solo(instruction="For {name}."), [ChatReply("Hello.")]) as turns:
        await turns.say("Hi", state_delta={"name": "Ann"})
    assert "For Ann." in str(turns.server.requests[0].body)


# Live, by text.


def spoken(model: ChatModel) -> InMemoryRunner:
    return InMemoryRunner(Agent(name="helper", model=model), app_name="app")


async def test_a_chat_model_can_be_cut_off_by_text_in_a_live_run(wire: str) -> None:
    # contract 3.6
    script = [ChatReply("One two three", pause_after=3), ChatReply("Yes?")]
    async with talking(wire, solo(), script) as turns:
        queue = LiveRequestQueue()
        queue.send_content("Count")
        seen: list[Event] = []
        live = turns.runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue)
        async for event in live:
            seen.append(event)
            if event.partial and len([each for each in seen if each.partial]) == 1:
                queue.send_content("Stop")
            if event.turn_complete and not event.interrupted:
                queue.close()
        await turns.server.requests[0].gone.wait()

    marks = [(bool(event.turn_complete), bool(event.interrupted)) for event in seen]
    assert (False, True) in marks and (True, True) in marks
    (said,) = [text for event in seen if event.interrupted for text in texts([event])]
    assert "One two three".startswith(said)
    assert turns.told(1) == [("user", "Count"), ("assistant", said), ("user", "Stop")]
    assert texts(seen)[-1] == "Yes?"


async def test_a_live_run_by_sse_closes_its_queue_after_the_turn(wire: str) -> None:
    # contract 6.3
    async with talking(wire, solo(), [ChatReply("Hello.")]) as turns:
        queue = LiveRequestQueue()
        queue.send_content("Hi")
        config = RunConfig(streaming_mode=StreamingMode.SSE)
        live = turns.runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=queue, run_config=config
        )
        seen = [event async for event in live]
    assert kinds(seen) == ["text", "turn_complete"] and queue.closed


async def test_live_audio_is_refused_once_with_what_to_do(wire: str) -> None:
    # contract 6.2
    async with talking(wire, solo(), [ChatReply("Hello.")]) as turns:
        queue = LiveRequestQueue()
        for _ in range(3):
            queue.send_realtime(types.Blob(data=b"\0\0", mime_type="audio/pcm;rate=16000"))
        queue.send_realtime(types.Blob(data=b"\xff\xd8", mime_type="image/jpeg"))
        queue.send_audio_stream_end()
        queue.send_content("Hi")
        live = turns.runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue)
        seen: list[Event] = []
        async for event in live:
            seen.append(event)
            if event.turn_complete:
                queue.close()
    assert kinds(seen) == ["INVALID_REQUEST", "text", "turn_complete"]
    (refused,) = [event.error_message for event in seen if event.error_code]
    assert refused and "audio_input" in refused and "send_content" in refused
    assert "image" in str(turns.server.requests[0].body)


# From code that is not async.


async def test_a_blocking_run_yields_the_same(wire: str) -> None:
    async with ChatServer([ChatReply("Hello.")]) as server:
        runner = spoken(chat_model(wire, server))
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        run = runner.run(user_id="ann", session_id="s1", new_message="Hi")
        events = await asyncio.to_thread(list, run)
    assert kinds(events) == ["text", "turn_complete"]
