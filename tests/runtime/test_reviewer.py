"""Callbacks and guardrails in real conversations, over a socket (contract 5.10, 5.13)."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, CallbackContext, LlmRequest, LlmResponse, RunConfig, SequentialAgent, Veto, types
from antiphon.errors import CallbackFailed
from antiphon.runtime.reviewer import as_read

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz


def words(text: str) -> types.Content:
    return types.Content(role="model", parts=[types.Part(text=text)])


def text_of(event: Event) -> str | None:
    parts = event.content.parts if event.content else None
    return parts[0].text if parts else None


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


def shown(events: list[Event]) -> list[str]:
    """The events in short, without audio and lifecycle."""
    lines: list[str] = []
    for event in events:
        said = event.output_transcription or event.input_transcription
        what = text_of(event) or (said and said.finished and said.text) or ""
        marks = [
            *([event.error_code] if event.error_code else []),
            *(["interrupted"] if event.interrupted else []),
            *(["turn_complete"] if event.turn_complete else []),
        ]
        if what or marks:
            lines.append(" ".join([f"{event.author}:", *([what] if what else []), *marks]))
    return lines


async def repeat(call: Call) -> None:
    """Answers each text by itself."""
    await call.setup()
    while True:
        await call.turn(f"You said {await call.receive_text()}.")


# Before the model.


async def test_what_goes_to_the_model_is_what_the_callback_made_of_it(converse: Converse) -> None:
    threads: list[bool] = []

    def mask(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
        threads.append(threading.current_thread() is threading.main_thread())
        assert llm_request.model == "gemini-3.8-live"
        [content] = llm_request.contents
        assert content.parts
        content.parts[0].text = (content.parts[0].text or "").replace("1234", "****")
        callback_context.state["masked"] = True

    async with converse(repeat, agent=Agent(name="helper", before_model_callback=mask)) as talk:
        talk.queue.send_content("pin 1234")
        await talk.until(lambda e: e.turn_complete)
        session = await talk.session()
    assert "helper: You said pin ****." in shown(talk.seen)
    assert threads == [False], "sync callbacks run in threads"
    assert session.state["masked"] is True
    assert text_of(session.events[0]) == "pin 1234", "what is stored is what the user said"


async def test_a_fresh_session_is_told_the_changed_words_and_no_vetoed_ones(converse: Converse) -> None:
    """contract 4.4, 5.13"""

    def mask(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
        parts = llm_request.contents[0].parts
        assert parts
        parts[0].text = (parts[0].text or "").replace("1234", "****")

    def guard(callback_context: CallbackContext, speaker: str, text: str) -> str | None:
        return "no bombs" if "bomb" in text else None

    async def second(call: Call) -> None:
        await call.setup()
        told = await call.receive()
        texts = [part["text"] for turn in told["clientContent"]["turns"] for part in turn["parts"]]
        assert texts == ["pin ****", "You said pin ****."]
        await call.closed()

    agent = Agent(name="helper", before_model_callback=mask, guardrails=guard)
    async with converse([repeat, second], agent=agent) as talk:
        talk.queue.send_content("pin 1234")
        async for event in talk.events():
            if event.turn_complete and not talk.queue.closed:
                talk.queue.send_content("a bomb")
                talk.queue.close()
        talk.queue = type(talk.queue)()
        await talk.until(lambda e: e.lifecycle)
        await talk.server.connected(2)


async def test_an_answer_in_the_models_place(converse: Converse) -> None:
    async def cached(callback_context: CallbackContext, llm_request: LlmRequest) -> LlmResponse | None:
        return LlmResponse(content=words("Noon."))

    async with converse(repeat, agent=Agent(name="helper", before_model_callback=[cached])) as talk:
        talk.queue.send_content("time?")
        await talk.until(lambda e: e.turn_complete)
        stored = (await talk.session()).events
    assert shown(talk.seen) == ["helper: Noon.", "helper: turn_complete"]
    assert [text_of(event) for event in stored][:2] == ["time?", "Noon."]


async def test_nothing_left_of_what_was_written_is_a_veto(converse: Converse) -> None:
    def empty(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
        llm_request.contents.clear()

    async with converse(repeat, agent=Agent(name="helper", before_model_callback=empty)) as talk:
        talk.queue.send_content("hello")
        vetoed = await talk.until(lambda e: e.error_code)
    assert (vetoed.error_code, vetoed.error_message) == (
        "GUARDRAIL",
        "A before_model_callback left nothing of it.",
    )


@pytest.mark.virtual_clock
@pytest.mark.parametrize("hangs", [False, True])
async def test_a_callback_that_comes_to_no_result_lets_nothing_pass(converse: Converse, hangs: bool) -> None:
    async def broken(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
        if hangs:
            await asyncio.sleep(100)
        raise ValueError("no")

    config = RunConfig(callback_timeout=3.0)
    agent = Agent(name="helper", before_model_callback=broken)
    async with converse(repeat, agent=agent, config=config) as talk:
        talk.queue.send_content("hello")
        talk.queue.close()
        await talk.all()
    assert shown(talk.seen) == ["helper: CALLBACK_FAILED", "helper: turn_complete"]


@pytest.mark.virtual_clock
async def test_slow_callbacks_of_two_seconds_leave_no_gap_in_the_audio(converse: Converse) -> None:
    """contract 5.10: no gap above 60 ms; an interruption is yielded within 20 ms; words keep their order"""
    loop = asyncio.get_running_loop()
    said_stop = 0.0

    async def slow(callback_context: CallbackContext, **given: Any) -> None:
        await asyncio.sleep(2.0)

    async def script(call: Call) -> None:
        nonlocal said_stop
        await call.setup()
        await call.output_transcription("Let me see", finished=True)
        for _ in range(25):
            await call.audio(FRAME)
            await asyncio.sleep(0.04)
        said_stop = loop.time()
        await call.interrupted()
        await call.turn_complete()
        assert await call.receive_text() == "go on"
        await call.turn("Going on.")
        await call.closed()

    agent = Agent(name="helper", before_model_callback=slow, after_model_callback=slow, guardrails=slow)
    times: list[float] = []
    async with converse(script, agent=agent) as talk:
        async for event in talk.events():
            if event.lifecycle and event.lifecycle.kind == "ready":
                talk.queue.send_content("go on")
            if audio_of(event) and len(times) < 25:
                times.append(loop.time())
            if event.interrupted and said_stop:
                assert loop.time() - said_stop < 0.02
                said_stop = 0.0
            if event.output_transcription and event.output_transcription.text == "Going on.":
                break
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.06
    order = ["helper: interrupted", "helper: Let me see", "helper: interrupted turn_complete"]
    assert [line for line in shown(talk.seen) if line in order] == order
    assert not said_stop


# After the model.


async def test_the_models_words_may_be_replaced_or_changed_in_place(converse: Converse) -> None:
    def replace(callback_context: CallbackContext, llm_response: LlmResponse) -> LlmResponse | None:
        heard = llm_response.output_transcription
        assert heard is not None
        return LlmResponse(content=words("(withheld)")) if heard.text == "You said a." else None

    def change(callback_context: CallbackContext, llm_response: LlmResponse) -> None:
        heard = llm_response.output_transcription
        assert heard is not None and heard.text
        heard.text = heard.text.upper()

    async with converse(repeat, agent=Agent(name="helper", after_model_callback=[replace, change])) as talk:
        talk.queue.send_content("a")
        talk.queue.send_content("b")
        done = itertools.count(1)
        await talk.until(lambda e: e.turn_complete and next(done) == 2)
        stored = shown((await talk.session()).events)
    assert [line for line in stored if "user" not in line] == [
        "helper: (withheld)",
        "helper: turn_complete",
        "helper: YOU SAID B.",
        "helper: turn_complete",
    ]


async def test_an_error_of_the_model_can_be_answered(converse: Converse) -> None:
    """contract 1.5: a connection that cannot be made ends the run by its error, after the callback's words"""
    seen: list[Exception] = []

    def sorry(callback_context: CallbackContext, llm_request: LlmRequest, error: Exception) -> LlmResponse:
        seen.append(error)
        return LlmResponse(content=words("We are closed."))

    async def refuse(call: Call) -> None:
        await call.setup(answer=False)
        await call.close(1008, "no")

    async with converse(refuse, agent=Agent(name="helper", on_model_error_callback=sorry)) as talk:
        with pytest.raises(Exception, match="no") as raised:
            await talk.all()
    assert shown(talk.seen) == ["helper: We are closed."]
    assert seen == [raised.value]


# Agents.


async def test_agents_are_entered_and_left_past_their_callbacks(converse: Converse) -> None:
    def hello(callback_context: CallbackContext) -> None:
        callback_context.state[f"{callback_context.agent_name} began"] = True

    async def bye(callback_context: CallbackContext) -> types.Content:
        return words("Goodbye.")

    agent = Agent(name="helper", before_agent_callback=hello, after_agent_callback=bye)
    async with converse(repeat, agent=agent) as talk:
        talk.queue.send_content("a")
        talk.queue.close()
        await talk.all()
        session = await talk.session()
    assert shown(talk.seen)[-1] == "helper: Goodbye."
    assert talk.seen[-1].lifecycle and talk.seen[-1].lifecycle.kind == "closed"
    assert session.state["helper began"] is True
    assert text_of(session.events[-1]) == "Goodbye."


async def test_an_agent_that_answers_before_it_begins_opens_nothing(converse: Converse) -> None:
    async with converse(
        repeat,
        agent=Agent(
            name="helper", before_agent_callback=lambda callback_context: {"parts": [{"text": "No."}]}
        ),
    ) as talk:
        await talk.all()
        assert talk.server.connections == []
    assert shown(talk.seen) == ["helper: No."]
    assert talk.seen[-1].lifecycle
    assert talk.seen[-1].lifecycle.reason == "helper was passed over by its before_agent_callback"


async def test_an_agent_whose_callback_fails_ends_the_run_by_that(converse: Converse) -> None:
    def broken(callback_context: CallbackContext) -> None:
        raise KeyError("x")

    async with converse(repeat, agent=Agent(name="helper", before_agent_callback=broken)) as talk:
        with pytest.raises(CallbackFailed, match="before_agent_callback broken raised KeyError: 'x'"):
            await talk.all()


async def test_last_words_that_fail_are_an_error_event(converse: Converse) -> None:
    async with converse(
        repeat, agent=Agent(name="helper", after_agent_callback=lambda callback_context: 7)
    ) as talk:
        talk.queue.close()
        await talk.all()
    assert shown(talk.seen) == ["helper: CALLBACK_FAILED"]


async def test_a_callback_may_end_the_invocation(converse: Converse) -> None:
    """contract 1.5"""

    def enough(callback_context: CallbackContext, llm_request: LlmRequest) -> LlmResponse:
        callback_context.end_invocation = True
        return LlmResponse(content=words("Enough."))

    async with converse(repeat, agent=Agent(name="helper", before_model_callback=enough)) as talk:
        talk.queue.send_content("more")
        await talk.all()
    assert shown(talk.seen) == ["helper: Enough.", "helper: turn_complete"]


# Guardrails.


@pytest.mark.parametrize(
    ("given", "reason", "reply"),
    [
        (Veto("secret", "I may not."), "secret", "I may not."),
        ("secret", "secret", None),
        (True, "A guardrail vetoed it.", None),
        (7, "A guardrail returned int: return a Veto, a str, a bool or None.", None),
    ],
)
async def test_a_guardrail_stops_the_model_in_mid_sentence(
    converse: Converse, given: Any, reason: str, reply: str | None
) -> None:
    """contract 5.13"""

    def guard(callback_context: CallbackContext, speaker: str, text: str) -> Any:
        return given if speaker == "model" and "code" in text else False

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.audio(FRAME)
        await call.output_transcription("The code is ")
        assert await call.receive_text() == "and now?"
        await call.audio(FRAME)
        await call.output_transcription("1234")
        await call.turn_complete()
        await call.turn("Hello.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", guardrails=[guard])) as talk:
        talk.queue.send_content("the code?")
        async for event in talk.events():
            if event.turn_complete and event.interrupted:
                talk.queue.send_content("and now?")
            elif event.turn_complete:
                break
        stored = (await talk.session()).events
    said = ["helper: GUARDRAIL interrupted", "helper: The code is  GUARDRAIL interrupted"]
    assert shown(talk.seen) == [
        *said,
        *([f"helper: {reply}"] if reply else []),
        "helper: interrupted turn_complete",
        "helper: Hello.",
        "helper: turn_complete",
    ]
    assert [event.error_message for event in stored if event.error_message] == [reason]
    assert len([event for event in talk.seen if audio_of(event)]) <= 2, "what is vetoed is not heard"


async def test_a_guardrail_that_fails_lets_nothing_pass(converse: Converse, caplog: Any) -> None:
    def broken(callback_context: CallbackContext, speaker: str, text: str) -> None:
        raise ConnectionError("no judge")

    with caplog.at_level(logging.CRITICAL):
        async with converse(repeat, agent=Agent(name="helper", guardrails=broken)) as talk:
            talk.queue.send_content(types.Content(parts=[types.Part(text="hello")]))
            vetoed = await talk.until(lambda e: e.error_code)
    assert vetoed.author == "user"
    assert "guardrails broken raised ConnectionError: no judge" in (vetoed.error_message or "")


async def test_state_that_cannot_be_stored_fails_the_callback(converse: Converse) -> None:
    def guard(callback_context: CallbackContext, speaker: str, text: str) -> None:
        callback_context.state["k"] = object()

    async with converse(repeat, agent=Agent(name="helper", guardrails=guard)) as talk:
        talk.queue.send_content("hello")
        failed = await talk.until(lambda e: e.error_code)
    assert failed.error_code == "CALLBACK_FAILED"


def test_what_callbacks_return_is_read_as_what_it_is_to_be() -> None:
    assert as_read(types.Content, None, "before_agent_callback") is None
    with pytest.raises(
        CallbackFailed, match="A before_agent_callback returned str: return a Content, or None"
    ):
        as_read(types.Content, "hi", "before_agent_callback")


async def test_a_group_has_callbacks_of_its_own(converse: Converse) -> None:
    """contract 5.9"""
    order: list[str] = []

    def note(callback_context: CallbackContext) -> None:
        order.append(callback_context.agent_name)

    def answer(callback_context: CallbackContext) -> types.Content:
        return words(f"{callback_context.agent_name} is not needed.")

    first = Agent(name="first", before_agent_callback=answer)
    second = Agent(name="second", before_agent_callback=answer)
    group = SequentialAgent(
        name="group", sub_agents=[first, second], before_agent_callback=note, after_agent_callback=note
    )
    async with converse(repeat) as talk:
        model = talk.runner.agent.model
        steps = [step.model_copy(update={"model": model}) for step in group.sub_agents]
        whole = group.model_copy(update={"sub_agents": tuple(steps)})
        talk.runner = type(talk.runner)(
            app_name="app", agent=whole, session_service=talk.runner.session_service
        )
        await talk.all()
    assert shown(talk.seen) == ["first: first is not needed.", "second: second is not needed."]
    assert order == ["group", "group"]
