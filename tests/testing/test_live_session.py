"""The emulated model as a transcript: what is said to it, what it does (wire 1.4–1.10). No loop, no clock."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from antiphon.testing.live_faults import Close, Faults
from antiphon.testing.live_memory import Memory
from antiphon.testing.live_profiles import HandlePolicy, Timing, profile_named
from antiphon.testing.live_reply import Hold, Item, Pause, Prompt, Raw, Say, Think, ToolCall
from antiphon.testing.live_session import LiveSession
from antiphon.testing.live_setup import Setup
from antiphon.testing.live_speech import silence, tone
from antiphon.testing.live_turn import Ask, Effect, HangUp, Hush, Send
from antiphon.testing.live_wire import Message, Route, encoded
from antiphon.testing.live_world import World
from tests.testing.live_client import steps, words

WEATHER = [{"functionDeclarations": [{"name": "weather"}, {"name": "notify", "behavior": "NON_BLOCKING"}]}]
AUDIO: Any = {"generationConfig": {"responseModalities": ["AUDIO"]}}


class Script:
    """A session, driven by hand. `now` is its clock, `asks` what it wants to know, `frames` what it sent."""

    def __init__(
        self,
        profile: str = "any",
        *,
        timing: Timing | None = None,
        faults: Faults | None = None,
        memory: Memory | None = None,
        api: str = "developer",
        transcribe: Any = None,
        handles: HandlePolicy | None = None,
        **setup: Any,
    ) -> None:
        self.now = 0.0
        self.frames: list[dict[str, Any]] = []
        self.asks: list[Ask] = []
        self.ends: list[HangUp] = []
        self.hushed: list[int] = []
        self.memory = memory or Memory()
        known = profile_named(profile)
        body = {
            "model": "m",
            "generationConfig": {"responseModalities": [known.modalities[-1]]},
            "tools": WEATHER,
            **setup,
        }
        numbers = count(1)
        world = World(
            faults=lambda: faults or Faults(),
            number=numbers.__next__,
            issue=lambda moment: f"handle {next(numbers)} of {'moment' if moment else 'session'}",
            timing=timing or Timing.instant(),
            handles=handles or known.handles,
            transcribe=transcribe,
        )
        self.session = LiveSession(Setup(body, known, Route(api)), self.memory, world)  # type: ignore[arg-type]

    def take(self, effects: list[Effect]) -> Script:
        for effect in effects:
            match effect:
                case Send(frame):
                    self.frames.append(dict(frame))
                case Ask():
                    self.asks.append(effect)
                case HangUp():
                    self.ends.append(effect)
                case Hush(turn):
                    self.hushed.append(turn)
        return self

    def begin(self, **how: Any) -> Script:
        return self.take(self.session.begin(self.now, **how))

    def hear(self, **message: Any) -> Script:
        return self.take(self.session.receive(Message(message), self.now))

    def text(self, words: str) -> Script:
        return self.hear(realtimeInput={"text": words})

    def content(self, *texts: str, done: bool = True, role: str = "user") -> Script:
        turns = [{"role": role, "parts": [{"text": text}]} for text in texts]
        return self.hear(clientContent={"turns": turns, "turnComplete": done})

    def audio(self, pcm: bytes) -> Script:
        return self.hear(realtimeInput={"audio": {"mimeType": "audio/pcm;rate=16000", "data": encoded(pcm)}})

    def activity(self, name: str) -> Script:
        return self.hear(realtimeInput={name: {}})

    def respond(self, id: str, **fields: Any) -> Script:
        return self.hear(
            toolResponse={"functionResponses": [{"id": id, "response": {"result": "ok"}, **fields}]}
        )

    def reply(self, *items: Item, done: bool = True) -> Script:
        """What the model answers to the last question."""
        turn = self.asks[-1].turn
        for item in items:
            self.take(self.session.item(turn, item, self.now))
        return self.take(self.session.replied(turn, self.now)) if done else self

    def pass_time(self, seconds: float) -> Script:
        until = self.now + seconds
        while (due := self.session.deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.take(self.session.wake(self.now))
        self.now = until
        return self

    def said(self) -> list[str]:
        """The steps since it was asked last."""
        taken, self.frames = steps(self.frames), []
        return taken

    @property
    def prompt(self) -> Prompt:
        return self.asks[-1].prompt

    @property
    def call_ids(self) -> list[str]:
        calls = [frame["toolCall"]["functionCalls"] for frame in self.frames if "toolCall" in frame]
        return [call["id"] for group in calls for call in group]


ENDING = ["generation_complete", "turn_complete"]
CUT_OFF = ["interrupted", "turn_complete"]


# --- turns (rule 1) ---


def test_typed_text_is_answered() -> None:
    script = Script().begin().text("Hello")
    assert script.prompt.text == "Hello"
    script.reply(Say("Hi there"))
    assert words(script.frames) == "Hi there"
    assert script.said() == ["setup_complete", "model_turn", *ENDING]


def test_client_content_is_answered_when_it_is_complete() -> None:
    """Wire 1.4."""
    script = Script().begin().content("one ", done=False)
    assert script.asks == []
    script.hear(clientContent={"turnComplete": True})
    assert script.prompt.text == "one "


def test_the_history_goes_on() -> None:
    script = Script().begin().content("a").reply(Say("b")).content("c")
    assert [content["role"] for content in script.prompt.history] == ["user", "model"]
    assert script.prompt.text == "c"


def test_speech_is_answered_when_it_ends() -> None:
    """Wire 1.6: the transcript just before ACTIVITY_END."""
    script = Script(inputAudioTranscription={}).begin()
    script.audio(tone(1.0)).audio(silence(1.3))
    assert script.said() == ["setup_complete", "voice_start", "input_transcription", "voice_end"]
    assert script.prompt.text is None
    assert script.prompt.seconds == pytest.approx(1.0)
    assert len(script.prompt.pcm) >= 32_000


def test_words_are_known_to_who_can_transcribe() -> None:
    script = Script(transcribe=lambda pcm, rate: f"{rate} words", inputAudioTranscription={}).begin()
    script.audio(tone(1.0)).hear(realtimeInput={"audioStreamEnd": True})
    assert script.prompt.text == "16000 words"
    assert script.frames[2]["serverContent"]["inputTranscription"] == {"text": "16000 words"}


def test_some_models_tell_no_voice_activity() -> None:
    """Wire 1.10."""
    script = Script("2.5-native-audio").begin().audio(tone(1.0) + silence(1.3))
    assert script.said() == ["setup_complete"]
    assert len(script.asks) == 1


def test_manual_activity_is_one_turn() -> None:
    """Wire 1.4."""
    script = Script(realtimeInputConfig={"automaticActivityDetection": {"disabled": True}}).begin()
    script.audio(tone(1.0))
    assert script.asks == []
    script.activity("activityStart").text("look: ").audio(tone(0.5)).activity("activityEnd")
    assert script.prompt.text == "look: "
    assert script.prompt.seconds == pytest.approx(0.5)
    assert script.said() == ["setup_complete"]


def test_an_empty_activity_asks_nothing() -> None:
    script = Script(realtimeInputConfig={"automaticActivityDetection": {"disabled": True}}).begin()
    assert script.activity("activityStart").activity("activityEnd").asks == []


def test_activity_signals_need_manual_mode() -> None:
    """Wire 1.4."""
    [end] = Script().begin().activity("activityStart").ends
    assert end.code == 1007


def test_only_a_spoken_turn_sees_the_video() -> None:
    """Wire 1.10."""
    script = Script().begin()
    script.hear(realtimeInput={"video": {"mimeType": "image/jpeg", "data": encoded(b"jpeg")}}).text("see?")
    assert not script.prompt.images
    script.reply().audio(tone(1.0) + silence(1.3))
    assert script.prompt.images == (b"jpeg",)


def test_turn_complete_waits_for_playback() -> None:
    """Wire 1.6: first-chunk time + total audio duration."""
    script = (
        Script(timing=Timing(), **AUDIO)
        .begin()
        .pass_time(1.0)
        .text("?")
        .reply(Say("a sentence of some length"))
    )
    script.pass_time(0.5)
    assert script.said() == ["setup_complete", "model_turn"]
    script.pass_time(0.5)
    assert script.said() == ["model_turn", "generation_complete"]
    script.pass_time(0.9)
    assert script.said() == []
    script.pass_time(0.3)
    assert script.said() == ["turn_complete"], "27 characters sound for 1.6 s"


def test_pauses_and_thoughts() -> None:
    thinking: Any = {
        "generationConfig": {"responseModalities": ["TEXT"], "thinkingConfig": {"includeThoughts": True}}
    }
    script = Script(timing=Timing.instant(pauses=1.0), **thinking).begin().text("?")
    script.reply(Think("hm"), Say("a"), Pause(2.0), Raw({"serverContent": {"waitingForInput": True}}))
    assert script.frames[1]["serverContent"]["modelTurn"]["parts"] == [{"text": "hm", "thought": True}]
    assert "waitingForInput" not in str(script.frames)
    script.pass_time(2.0)
    assert script.said()[-1] == "turn_complete"
    assert Script().begin().text("?").reply(Think("hm")).said() == ["setup_complete", *ENDING]


def test_usage_rides_with_turn_complete() -> None:
    """Wire 1.5."""
    script = Script(**AUDIO).begin().audio(tone(1.0) + silence(1.3)).reply(Say("hello there"))
    usage = script.frames[-1]["usageMetadata"]
    assert usage["promptTokensDetails"][1] == {"modality": "AUDIO", "tokenCount": 58}
    assert usage["responseTokensDetails"] == [{"modality": "AUDIO", "tokenCount": 17}]


# --- interruption (rule 2) ---


def speaking(**how: Any) -> Script:
    """In the middle of an answer."""
    script = Script(**how).begin().text("Tell me").reply(Say("Once upon "), Hold())
    script.said()
    return script


def test_speech_cuts_in() -> None:
    script = speaking().audio(tone(0.3))
    assert script.said() == ["voice_start", *CUT_OFF]
    assert script.hushed == [1]
    assert script.memory.history[-1] == {"role": "model", "parts": [{"text": "Once upon "}]}


def test_unless_it_may_not() -> None:
    """Wire 1.4: NO_INTERRUPTION; the prompt waits for its turn (rule 5)."""
    script = Script(realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"}).begin().text("?")
    script.reply(Say("a"), done=False).audio(tone(0.5) + silence(1.3))
    assert script.said() == ["setup_complete", "model_turn", "voice_start", "voice_end"]
    assert len(script.asks) == 1
    assert script.reply().said() == ENDING
    assert len(script.asks) == 2


def test_typed_text_cuts_in_or_waits() -> None:
    """Wire 1.10: 2.5 finishes, then answers."""
    assert speaking().text("stop").said() == CUT_OFF
    patient = Script("2.5-native-audio").begin().text("?").reply(Say("a"), done=False)
    patient.said()
    assert patient.text("stop").said() == []
    assert patient.reply().said() == ENDING
    assert patient.prompt.text == "stop"


def test_client_content_always_cuts_in() -> None:
    """Wire 1.4."""
    assert speaking().content("b").said() == CUT_OFF
    assert speaking().content("b", done=False).said() == CUT_OFF


def test_playback_can_be_interrupted_too() -> None:
    """Wire 1.6: after `generationComplete`, while it is thought to play."""
    script = (
        Script(timing=Timing.instant(playback=1.0), **AUDIO).begin().text("?").reply(Say("a long sentence"))
    )
    assert script.said() == ["setup_complete", "model_turn", "generation_complete"]
    assert script.audio(tone(0.3)).said() == ["voice_start", *CUT_OFF]
    assert script.pass_time(9.0).said() == []


def test_what_comes_after_the_interruption_is_nothing() -> None:
    script = speaking()
    script.audio(tone(0.3)).said()
    assert script.reply(Say("too late")).said() == []


def test_a_spurious_interruption_is_a_fault() -> None:
    """Wire 1.11."""
    for faults, expected in [(Faults(), []), (Faults(spurious_interruption=True), CUT_OFF)]:
        script = Script(faults=faults).begin().text("?").reply(Say("a"))
        script.said()
        assert script.audio(tone(0.3)).said() == ["voice_start", *expected]


# --- tools (rules 3, 4) ---


def calling(name: str = "weather", **how: Any) -> tuple[Script, str]:
    """After a tool call."""
    script = Script(**how).begin().text("?").reply(ToolCall(name, {"city": "Bern tomorrow"}))
    [id] = script.call_ids
    return script, id


def test_a_blocking_call_holds_the_turn() -> None:
    """Wire 1.6."""
    script, id = calling()
    assert script.said() == ["setup_complete", "tool_call"]
    assert id.startswith("fc_")
    assert len(id) == 22
    script.respond(id)
    [response] = script.prompt.responses
    assert (response.id, response.name, response.output) == (id, "weather", "ok")
    assert script.asks[0].turn == script.asks[1].turn
    assert script.reply(Say("fine")).said() == ["model_turn", *ENDING]


def test_several_calls_are_answered_together() -> None:
    script = Script().begin().text("?").reply([ToolCall("weather"), ToolCall("weather", id="mine")])
    first, second = script.call_ids
    assert second == "mine"
    script.respond(first)
    assert len(script.asks) == 1
    script.respond(second)
    assert [response.id for response in script.prompt.responses] == [first, second]


def test_an_answer_may_come_before_the_reply_is_at_its_end() -> None:
    script = Script().begin().text("?").reply(ToolCall("weather"), done=False)
    script.respond(script.call_ids[0])
    assert len(script.asks) == 1
    script.reply()
    assert len(script.asks) == 2


def test_an_interrupted_call_is_abandoned() -> None:
    """Wire 1.6: its late answer is ignored without error."""
    script, id = calling()
    script.said()
    assert script.audio(tone(0.3)).said() == ["voice_start", *CUT_OFF]
    assert script.respond(id).said() == []
    assert (script.ends, len(script.asks)) == ([], 1)


def test_or_its_answer_is_an_error() -> None:
    """Wire 1.7."""
    script, _ = calling(faults=Faults(late_response=Close(1008, "Requested entity was not found.")))
    assert script.respond("unknown").ends == [HangUp(1008, "Requested entity was not found.")]


def test_a_cancellation_is_a_fault() -> None:
    """Wire 1.7."""
    script, id = calling(faults=Faults(cancel_tool_calls=True))
    script.said()
    script.text("stop")
    assert script.frames[0] == {"toolCallCancellation": {"ids": [id]}}
    assert script.said() == ["tool_call_cancellation", *CUT_OFF]


def test_the_second_call_of_the_same_is_a_fault() -> None:
    """Wire 1.6: new id, slightly different arguments."""
    script, id = calling(faults=Faults(repeat_tool_call=True))
    script.said()
    script.text("I mean it")
    [call] = script.frames[-1]["toolCall"]["functionCalls"]
    assert call["id"] != id
    assert call["args"] == {"city": "Bern at tomorrow"}
    assert len(script.asks) == 1, "it is not asked, it calls"


def test_a_call_that_does_not_block_ends_its_turn() -> None:
    """Wire 1.6, as recorded on 3.8."""
    script, id = calling(profile="3.8-live")
    assert script.said() == ["setup_complete", "tool_call", *ENDING]
    assert id.startswith("call_")
    script.respond(id)
    assert script.prompt.responses[0].id == id
    assert script.reply(Say("done")).said() == ["model_turn", *ENDING]


def test_on_2_5_the_turn_goes_on_with_the_answer() -> None:
    """Wire 1.10: no extra `turnComplete`."""
    script, id = calling("notify", profile="2.5-native-audio")
    assert script.said() == ["setup_complete", "tool_call"]
    assert script.respond(id).reply(Say("done")).said() == ["model_turn", *ENDING]


def test_on_vertex_every_call_ends_its_turn() -> None:
    """Wire 1.10: with usage only."""
    script, id = calling(profile="vertex-live-2.5-flash", api="vertex")
    assert script.frames[0]["setupComplete"]["sessionId"]
    assert script.said() == ["setup_complete", "tool_call", "turn_complete"]
    assert script.respond(id).reply(Say("done")).said() == ["model_turn", *ENDING]


@pytest.mark.parametrize(
    ("scheduling", "before", "asked"),
    [(None, [], 0), ("WHEN_IDLE", [], 0), ("SILENT", [], 0), ("INTERRUPT", CUT_OFF, 1)],
)
def test_scheduling_of_answers(scheduling: str | None, before: list[str], asked: int) -> None:
    """Wire 1.4: applies to what does not block."""
    script, id = calling("notify")
    script.text("meanwhile").reply(Say("well"), done=False)
    script.said()
    questions = len(script.asks)
    script.respond(id, **({"scheduling": scheduling} if scheduling else {}))
    assert (script.said(), len(script.asks) - questions) == (before, asked)
    if not before:
        script.reply()
        assert len(script.asks) - questions == (scheduling != "SILENT")


def test_an_answer_does_not_talk_over_the_user() -> None:
    script, id = calling(profile="3.8-live")
    script.audio(tone(0.5)).respond(id)
    assert len(script.asks) == 1
    script.audio(silence(1.3))
    assert script.prompt.seconds > 0
    script.reply()
    assert script.prompt.responses


def test_a_call_may_be_answered_in_parts() -> None:
    """Wire 1.4: `willContinue`."""
    script, id = calling(profile="3.8-live")
    script.respond(id, willContinue=True)
    assert script.prompt.responses[0].will_continue
    script.reply(Say("and")).respond(id)
    assert not script.prompt.responses[0].will_continue
    script.reply(Say("so on")).said()
    assert script.respond(id).said() == []


def test_extended_thinking_says_whether_it_goes_on() -> None:
    """Wire 1.10."""
    script = (
        Script("3.8-live-extended-thinking").begin().text("?").reply(Say("Let me see."), ToolCall("weather"))
    )
    [id] = script.call_ids
    assert script.frames[-1]["serverContent"]["interactionStatus"] == "IN_PROGRESS"
    script.respond(id).reply(Say("Sunny."))
    assert script.frames[-1]["serverContent"]["interactionStatus"] == "IDLE"
    [end] = script.respond(id, scheduling="SILENT").ends
    assert end == HangUp(1007, "Function response scheduling is not supported for this model")


def test_documents_in_answers_are_refused() -> None:
    """Wire 1.9."""
    script, id = calling()
    [end] = script.respond(id, parts=[{"inlineData": {"mimeType": "application/pdf", "data": ""}}]).ends
    assert end.code == 1007


# --- history, context (rule 6) ---


def test_history_first_then_the_conversation() -> None:
    """Wire 1.4: no model is called for it."""
    script = Script(historyConfig={"initialHistoryInClientContent": True}).begin()
    script.text("ignored").content("seed", done=False).text("ignored").content("reply", role="model")
    assert script.asks == []
    script.text("now")
    assert [content["parts"][0]["text"] for content in script.prompt.history] == ["seed", "reply"]


def test_seeds_that_are_refused_close_the_connection() -> None:
    script = Script("2.5-native-audio").begin()
    turns = [{"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]
    assert script.hear(clientContent={"turns": turns}).ends == [
        HangUp(1007, "Request contains an invalid argument.")
    ]


def test_context_updates_count_from_then_on() -> None:
    script = Script().begin().hear(contextUpdate={"tools": {"tools": []}}).text("?")
    assert script.prompt.functions == ()


def test_affective_dialog_on_3_8_is_refused_late() -> None:
    """Wire 1.9: with the first send."""
    config: Any = {"generationConfig": {"enableAffectiveDialog": True}}
    script = Script("3.8-live", **config).begin()
    assert script.said() == ["setup_complete"]
    [end] = script.text("?").ends
    assert end.code == 1007


def test_what_cannot_be_read_closes_the_connection() -> None:
    [end] = Script().begin().hear(setup={}).ends
    assert end == HangUp(1007, "Request contains an invalid argument.")
    assert Script().begin().hear().ends == [], "an empty frame is nothing"


# --- resumption ---


def test_one_handle_per_connection() -> None:
    """Wire 1.8."""
    script = Script(sessionResumption={}).begin()
    assert script.frames[1]["sessionResumptionUpdate"]["newHandle"].endswith("session")
    assert script.text("?").reply(Say("a")).said() == ["setup_complete", "handle", "model_turn", *ENDING]


def test_or_one_per_turn_and_none_in_between() -> None:
    """Wire 1.8."""
    script = Script(sessionResumption={}, handles=HandlePolicy.PER_TURN).begin().text("?").reply(Say("a"))
    updates = [
        frame["sessionResumptionUpdate"] for frame in script.frames if "sessionResumptionUpdate" in frame
    ]
    assert [update["resumable"] for update in updates] == [True, False, True]
    assert updates[2]["newHandle"].endswith("moment")
    assert "newHandle" not in updates[1]


def test_the_first_handle_takes_its_time() -> None:
    """Wire 1.6: but not on a resumed connection."""
    script = Script(timing=Timing(), sessionResumption={}).begin().pass_time(0.35)
    assert script.said() == ["setup_complete"]
    assert script.pass_time(0.1).said() == ["handle"]
    resumed = Script(timing=Timing(), sessionResumption={"handle": "h"}).begin(resumed=True).pass_time(0.35)
    assert resumed.said() == ["setup_complete", "handle"]


def test_a_resumed_session_remembers() -> None:
    first = Script(sessionResumption={}).begin().text("my name is Ann").reply(Say("Hi Ann"))
    first.audio(tone(0.1)).session.leave()
    assert not first.memory.busy
    second = (
        Script(memory=first.memory, sessionResumption={"handle": "h"}).begin(resumed=True).text("who am I?")
    )
    assert [content["parts"][0]["text"] for content in second.prompt.history] == ["my name is Ann", "Hi Ann"]
    second.reply().audio(tone(0.3))
    assert second.frames[-1]["voiceActivity"]["audioOffset"] == "0.260s", "offsets go on from 0.1 s"


def test_a_pending_call_survives() -> None:
    """Wire 1.8: never issued again, its answer is accepted."""
    first, id = calling()
    first.session.leave()
    second = Script(memory=first.memory).begin(resumed=True)
    assert second.said() == ["setup_complete"]
    second.respond(id)
    assert second.prompt.responses[0].id == id


@pytest.mark.parametrize(("forget", "again"), [(False, "two three"), (True, "")])
def test_the_cut_sentence_is_spoken_again(forget: bool, again: str) -> None:
    """Wire 1.8."""
    first = (
        Script(timing=Timing.instant(delivery=1.0), **AUDIO, outputAudioTranscription={}).begin().text("?")
    )
    first.reply(Say("one and only "), Say("two three")).pass_time(0.5)
    assert words(first.frames) == "one and only "
    first.session.leave()
    assert first.memory.busy
    assert first.pass_time(9.0).said() == ["setup_complete", "model_turn", "output_transcription"]
    second = Script(
        memory=first.memory, faults=Faults(forget_speech=forget), **AUDIO, outputAudioTranscription={}
    )
    assert words(second.begin(resumed=True).frames).removeprefix("one and only ") == again


def test_function_parts_may_be_lost_on_resume() -> None:
    """Wire 1.10: on 3.1."""
    for profile, kept in [("3.1-flash-live-preview", 1), ("3.8-live", 3)]:
        script, id = calling(profile=profile)
        script.respond(id).session.leave()
        assert len(script.memory.history) == kept
