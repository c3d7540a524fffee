"""A chat model behind the live interface."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import types
from antiphon.config import Retry, RunConfig, StreamingMode
from antiphon.core.messages import ActivityEnded, Media, StreamEnded, ToolResults, Turn
from antiphon.core.signals import (
    ModelAnswered,
    ModelError,
    ModelInterrupted,
    ModelReady,
    ModelText,
    TurnComplete,
)
from antiphon.errors import (
    ConnectionLost,
    InvalidSetup,
    ModelConnectionError,
    ModelUnavailable,
    UnsupportedByModel,
)
from antiphon.models import LlmRequest, Setup
from antiphon.models.chat_link import HELD_IMAGES, ID_PREFIX, ChatConnection, ChatLive
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, GenerateContentConfig, Part, Tool
from tests.models.listening import Ears
from tests.models.near_chat import NearChat, piece, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.events import LlmResponse

CALL = FunctionCall(id="c", name="look", args={})
AT_ONCE = RunConfig(retry=Retry(first_delay=0, attempts=2))


@dataclass
class Talk:
    connection: ChatConnection
    ears: Ears
    chat: NearChat

    def say(self, text: str, *, complete: bool = True) -> None:
        content = Content(role="user", parts=[Part(text=text)])
        self.connection.send(Turn(content, complete=complete))

    def answer(self, call_id: str = "c", response: dict[str, Any] | None = None) -> None:
        given = FunctionResponse(id=call_id, name="look", response=response)
        self.connection.send(ToolResults((given,)))

    async def turns_over(self, count: int = 1) -> list[Any]:
        """What was said, once so many turns are over; without `ModelReady`."""
        await self.ears.until(lambda: sum(isinstance(each, TurnComplete) for each in self.ears.said) == count)
        return [each for each in self.ears.said if not isinstance(each, ModelReady)]

    def told(self, request: int = -1) -> list[tuple[str | None, str]]:
        contents = self.chat.requests[request].contents
        return [(each.role, "".join(part.text or "*" for part in each.parts or [])) for each in contents]


@asynccontextmanager
async def talk(chat: NearChat, setup: Setup | None = None) -> AsyncIterator[Talk]:
    ears = Ears()
    connection = await ChatLive(chat).connect(RunConfig(), ears)
    assert isinstance(connection, ChatConnection) and chat.open == 1
    connection.begin(setup or Setup(AT_ONCE))
    try:
        await ears.ready()
        yield Talk(connection, ears, chat)
    finally:
        await connection.close()
    assert chat.open == 0 and len(ears.losses) == 1


def kinds(said: list[Any]) -> list[str]:
    return [type(each).__name__ for each in said]


async def test_an_answer_is_text_then_whole_then_the_turn_is_over() -> None:  # rules 1, 4
    async with talk(NearChat([piece("Hm", thought=True), piece("Hi"), whole("Hi")])) as each:
        each.say("hello")
        assert await each.turns_over() == [
            ModelText("Hm", thought=True),
            ModelText("Hi"),
            ModelAnswered(whole("Hi")),
            TurnComplete(),
        ]
    assert each.chat.streamed == [True] and each.told() == [("user", "hello")]


async def test_nothing_is_asked_before_everything_that_waited_was_said() -> None:
    chat = NearChat([whole("Hi")])
    ears = Ears()
    connection = await ChatLive(chat).connect(RunConfig(), ears)
    connection.begin(Setup(AT_ONCE, history=[Content(role="user", parts=[Part(text="a")])], asks=True))
    each = Talk(connection, ears, chat)  # type: ignore[arg-type]
    each.say("b", complete=False)
    each.say("c")
    await each.turns_over()
    await connection.close()
    assert each.told() == [("user", "a"), ("user", "b"), ("user", "c")] and len(chat.requests) == 1


async def test_what_is_to_be_answered_is_asked_without_being_said() -> None:
    history = [Content(role="user", parts=[Part(text="a")])]
    async with talk(NearChat([whole("Hi")]), Setup(AT_ONCE, history=history, asks=True)) as each:
        await each.turns_over()
    assert each.told() == [("user", "a")]
    pending = Content(role="user", parts=[Part(text="b")])
    async with talk(NearChat([whole("Hi")]), Setup(AT_ONCE, pending=pending)) as each:
        await each.turns_over()
    assert each.told() == [("user", "b")]


async def test_the_model_goes_on_when_its_calls_are_answered() -> None:  # rule 4
    async with talk(NearChat([whole("", CALL)], [whole("Done")])) as each:
        each.say("go")
        await each.ears.until(lambda: any(isinstance(said, ModelAnswered) for said in each.ears.said))
        each.answer(response={"ok": True})
        said = await each.turns_over()
    assert kinds(said) == ["ModelAnswered", "ModelAnswered", "TurnComplete"]
    assert each.told() == [("user", "go"), ("model", "*"), ("user", "*")]


async def test_a_call_that_takes_its_time_ends_the_turn() -> None:  # rule 4
    async with talk(NearChat([whole("", CALL)], [whole("Done")])) as each:
        each.say("go")
        await each.ears.until(lambda: any(isinstance(said, ModelAnswered) for said in each.ears.said))
        each.answer(response=None)
        await each.turns_over()
        each.answer(response={"ok": True})
        said = await each.turns_over(2)
    assert kinds(said) == ["ModelAnswered", "TurnComplete", "ModelAnswered", "TurnComplete"]


async def test_calls_are_given_ids_that_tell_them_apart() -> None:  # contract 5.4
    async with talk(NearChat([whole("", FunctionCall(name="look"))])) as each:
        each.say("go")
        await each.ears.until(lambda: any(isinstance(said, ModelAnswered) for said in each.ears.said))
    answered = each.ears.said[-1]
    assert isinstance(answered, ModelAnswered) and answered.response.content
    (part,) = answered.response.content.parts or []
    assert part.function_call and (part.function_call.id or "").startswith(ID_PREFIX)


async def test_a_turn_of_the_users_cuts_the_answer_and_closes_its_request() -> None:  # rule 2
    never = asyncio.Event()
    async with talk(NearChat([piece("Hel"), never], [whole("Yes?")])) as each:
        each.say("hello")
        await each.ears.hear(2)
        each.say("stop")
        said = await each.turns_over(2)
        assert each.chat.closed == 1
    assert kinds(said) == ["ModelText", "ModelInterrupted", "TurnComplete", "ModelAnswered", "TurnComplete"]
    assert each.told() == [("user", "hello"), ("model", "Hel"), ("user", "stop")]


async def test_a_turn_of_the_users_does_not_wait_for_tools() -> None:  # rule 2
    async with talk(NearChat([whole("", CALL)], [whole("Later")], [whole("Done")])) as each:
        each.say("go")
        await each.ears.until(lambda: any(isinstance(said, ModelAnswered) for said in each.ears.said))
        each.say("and?")
        await each.turns_over(2)
        each.answer(response={"ok": True})
        said = await each.turns_over(3)
    assert ModelInterrupted() in said
    assert each.told()[-1] == ("user", "(The call of look returned {'ok': True}.)")


async def test_where_no_interruption_is_allowed_turns_are_answered_in_turn() -> None:  # rule 2
    realtime = types.RealtimeInputConfig(activity_handling="NO_INTERRUPTION")
    config = AT_ONCE.model_copy(update={"realtime_input_config": realtime})
    go_on = asyncio.Event()
    async with talk(NearChat([piece("One"), go_on, whole("One")], [whole("Two")]), Setup(config)) as each:
        each.say("a")
        await each.ears.hear(2)
        each.say("b")
        go_on.set()
        said = await each.turns_over()
    assert kinds(said) == ["ModelText", "ModelAnswered", "ModelAnswered", "TurnComplete"]


async def test_images_go_with_the_next_turn_and_the_newest_are_kept() -> None:
    async with talk(NearChat([whole("A cat")])) as each:
        for number in range(HELD_IMAGES + 2):
            each.connection.send(Media(Blob(data=bytes([number]), mime_type="image/png")))
        each.connection.send(StreamEnded())
        each.connection.send(ActivityEnded())
        assert each.connection.writable
        each.say("What?")
        await each.turns_over()
    shown = [
        part.inline_data.data for part in each.chat.requests[0].contents[0].parts or [] if part.inline_data
    ]
    assert shown == [bytes([number]) for number in range(2, HELD_IMAGES + 2)]


async def test_audio_is_refused_once() -> None:  # contract 6.2
    async with talk(NearChat()) as each:
        for _ in range(3):
            each.connection.send(Media(Blob(data=b"\0\0", mime_type="audio/pcm")))
    (refused,) = [said for said in each.ears.said if isinstance(said, ModelError)]
    assert refused.code == "INVALID_REQUEST" and "audio_input" in refused.message


# Failures.


async def test_what_may_pass_is_asked_again_and_told() -> None:  # rule 3
    late = ModelUnavailable("slow", code=504)
    busy = ModelUnavailable("busy", code=429)
    async with talk(NearChat([piece("Hel"), late], [busy], [whole("Hello")])) as each:
        each.say("hi")
        said = await each.turns_over()
    errors = [(error.code, error.message, error.void) for error in said if isinstance(error, ModelError)]
    assert errors == [("DEADLINE_EXCEEDED", "slow", True), ("RESOURCE_EXHAUSTED", "busy", True)]
    assert len({id(request) for request in each.chat.requests}) == 1


async def test_an_answer_without_an_end_broke_off() -> None:  # rule 3
    async with talk(NearChat([piece("Hel")], [whole("Hello")])) as each:
        each.say("hi")
        said = await each.turns_over()
    assert kinds(said) == ["ModelText", "ModelError", "ModelAnswered", "TurnComplete"]


@pytest.mark.virtual_clock
async def test_a_wait_that_the_service_asks_for_is_heeded() -> None:  # rule 3
    busy = ModelUnavailable("busy", code=429)
    busy.retry_after = 30.0
    loop = asyncio.get_running_loop()
    async with talk(NearChat([busy], [whole("Hi")])) as each:
        asked_at = loop.time()
        each.say("hi")
        await each.turns_over()
        assert loop.time() - asked_at >= 30.0


async def lost(chat: NearChat, config: RunConfig = AT_ONCE) -> ModelConnectionError:
    async with talk(chat, Setup(config)) as each:
        each.say("hi")
        error = await each.ears.lost_with()
        each.say("anybody?")  # late input is expected
        assert chat.open == 0
    assert error is not None and not error.retryable
    return error


async def test_retries_are_used_up() -> None:  # rule 3
    chat = NearChat()
    chat.answers += [[ModelUnavailable("broken", code=500)] for _ in range(3)]
    assert str(await lost(chat)) == "broken" and len(chat.requests) == 3


async def test_a_wait_longer_than_the_window_of_retries_is_not_waited_for() -> None:
    busy = ModelUnavailable("busy", code=429)
    busy.retry_after = 3600.0
    assert str(await lost(NearChat([busy]))) == "busy"


async def test_what_cannot_pass_is_the_end() -> None:  # contract 7.4
    assert isinstance(await lost(NearChat([InvalidSetup("bad")])), InvalidSetup)


async def test_what_is_no_error_of_the_connection_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    refused = UnsupportedByModel("no tools")
    error = await lost(NearChat([refused]))
    assert str(error) == "no tools" and error.__cause__ is refused and not caplog.records
    assert "ZeroDivisionError" in str(await lost(NearChat([ZeroDivisionError("oh")])))
    assert "unexpected" in caplog.text


async def test_connections_that_cannot_be_closed_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    chat = NearChat()
    chat.leave_error = OSError("stuck")
    async with talk(chat):
        pass
    assert "could not" in caplog.text or "failed" in caplog.text


async def test_closing_in_the_middle_closes_the_request_and_says_nothing_more() -> None:
    never = asyncio.Event()
    async with talk(NearChat([piece("Hel"), never])) as each:
        each.say("hi")
        await each.ears.hear(2)
        await each.connection.close()
        await each.connection.close()
        assert each.chat.closed == 1 and each.ears.losses == [(None, ())]


async def test_closing_before_it_is_ready() -> None:
    ears = Ears()
    connection = await ChatLive(NearChat()).connect(RunConfig(), ears)
    connection.begin(Setup(AT_ONCE))
    await connection.close()
    await asyncio.sleep(0)
    assert ears.said == [] and ears.losses == [(None, ())]


async def test_closing_within_ready() -> None:
    # what is said within `received` may be the end of the conversation
    class Leaving(Ears):
        def received(self, said: Any) -> None:
            super().received(said)
            self.closing = asyncio.ensure_future(connection.close())

    ears = Leaving()
    connection = await ChatLive(NearChat()).connect(RunConfig(), ears)
    connection.begin(Setup(AT_ONCE))
    await ears.ready()
    await ears.closing
    assert ears.losses == [(None, ())]


# Hooks, and how it is asked.


class Hooks:
    """Marks what passes by; answers in the model's place where it has something."""

    def __init__(self, before: LlmResponse | None = None, failed: LlmResponse | None = None) -> None:
        self.instead = (before, failed)
        self.errors: list[Exception] = []

    async def before(self, request: LlmRequest) -> LlmResponse | None:
        for content in request.contents:
            for part in content.parts or []:
                part.text = "secret"
        assert request.config.labels is not None
        request.config.labels["seen"] = "yes"
        return self.instead[0]

    async def after(self, response: LlmResponse) -> LlmResponse:
        return response.model_copy(update={"model_version": "seen"})

    async def failed(self, request: LlmRequest, error: Exception) -> LlmResponse | None:
        self.errors.append(error)
        return self.instead[1]


def hooked(hooks: Hooks, generation: GenerateContentConfig | None = None) -> Setup:
    return Setup(AT_ONCE, generation=generation or GenerateContentConfig(labels={}), hooks=hooks)


async def test_hooks_see_each_request_and_each_response() -> None:  # contract 5.10
    generation = GenerateContentConfig(labels={})
    async with talk(NearChat([piece("Hi"), whole("Hi")], [whole("Hi")]), hooked(Hooks(), generation)) as each:
        each.say("hello")
        said = await each.turns_over()
        assert each.told() == [("user", "secret")]
        each.say("and?")
        await each.turns_over(2)
    assert isinstance(said[1], ModelAnswered) and said[1].response.model_version == "seen"
    assert generation.labels == {}, "the agent's own configuration stays as it is"


async def test_a_hook_may_answer_in_the_models_place() -> None:  # contract 5.10
    async with talk(NearChat(), hooked(Hooks(before=whole("No.")))) as each:
        each.say("hello")
        said = await each.turns_over()
    assert said == [ModelAnswered(whole("No.")), TurnComplete()] and not each.chat.requests


async def test_a_hook_may_answer_instead_of_an_error() -> None:  # contract 5.10
    hooks = Hooks(failed=whole("Sorry."))
    async with talk(NearChat([InvalidSetup("bad")]), hooked(hooks)) as each:
        each.say("hello")
        said = await each.turns_over()
    assert said == [ModelAnswered(whole("Sorry.")), TurnComplete()] and len(hooks.errors) == 1
    broken = Hooks()
    async with talk(NearChat([InvalidSetup("bad")]), hooked(broken)) as each:
        each.say("hello")
        assert isinstance(await each.ears.lost_with(), InvalidSetup)


async def test_what_the_model_is_told_of_its_agent() -> None:
    tool = Tool()
    config = AT_ONCE.model_copy(update={"streaming_mode": StreamingMode.NONE})
    generation = GenerateContentConfig(temperature=0.5)
    setup = Setup(config, instruction="Be brief.", tools=[tool], generation=generation)
    async with talk(NearChat([whole("Hi")]), setup) as each:
        each.say("hello")
        await each.turns_over()
    asked = each.chat.requests[0]
    assert (asked.model, asked.config.temperature) == ("near", 0.5)
    assert asked.config.system_instruction == "Be brief." and asked.config.tools == [tool]
    assert generation.tools is None and each.chat.streamed == [False]


def test_it_is_what_the_chat_model_is() -> None:
    chat = NearChat()
    live = ChatLive(chat)
    assert live.name == "near" and live.capabilities.turn_based and live.capabilities.calls_hooks
    assert "ChatLive" in repr(live)
    live.check(RunConfig())
    with pytest.raises(UnsupportedByModel, match="TEXT"):
        live.check(RunConfig(response_modalities=["AUDIO"]))
    assert ConnectionLost.retryable


async def test_who_speaks_its_words_may_cut_it_off_and_say_how_far_they_came() -> None:  # contract 3.6
    never = asyncio.Event()
    chat = NearChat([piece("One two "), piece("three."), never], [whole("Four five.")], [whole("Yes.")])
    async with talk(chat) as here:
        here.say("Count.")
        await here.ears.until(lambda: ModelText("three.") in here.ears.said)
        assert here.connection.answering
        here.connection.interrupt(unheard=6)
        assert not here.connection.answering
        here.say("Go on.")
        await here.turns_over()
        assert here.told() == [("user", "Count."), ("model", "One two "), ("user", "Go on.")]
        here.connection.interrupt(unheard=5)
        here.say("Well?")
        told = await here.turns_over(2)
        assert [("model", "Four "), ("user", "Well?")] == here.told()[-2:]
        assert ModelInterrupted() not in told  # whoever cuts it off says so
