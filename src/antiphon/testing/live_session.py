"""One session of the emulated model, as rules (wire 1.4–1.10). Pure: messages and time in, effects out.

Rule 1  The user's turn ends with `turnComplete`, with realtime text, or with the end of speech. One turn of
        the model answers it; it lasts until its `turnComplete`, which waits for simulated playback.
Rule 2  What interrupts a turn: client content always; typed text if the model is so; the user's activity
        unless NO_INTERRUPTION. Then `interrupted`, `turnComplete` with usage, no `generationComplete`.
Rule 3  A BLOCKING call holds its turn open; interrupted, it is abandoned and its late answer ignored.
Rule 4  A NON_BLOCKING call does not; its answer starts a turn when the model is idle, at once (INTERRUPT), or
        never (SILENT).
Rule 5  A prompt that must not interrupt waits for its turn, in order.
Rule 6  With `initialHistoryInClientContent`, nothing but client content counts until its `turnComplete`.
Rule 7  A session outlives its connection (wire 1.8): resumed, it speaks the rest of what was cut off, and
        answers what it had not begun to answer. Calls that never left were never made.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from antiphon.testing import live_frames as frames
from antiphon.testing.live_memory import Memory, PendingCall
from antiphon.testing.live_profiles import HandlePolicy
from antiphon.testing.live_reply import (
    Hold,
    Item,
    Pause,
    Prompt,
    Raw,
    Say,
    Think,
    ToolCall,
    ToolResponse,
    asked,
)
from antiphon.testing.live_setup import INVALID, MISPLACED_ACTIVITY, Refusal, Setup, check, seed_refused
from antiphon.testing.live_speech import Ears, Heard
from antiphon.testing.live_turn import (
    Ask,
    Effect,
    HangUp,
    Hush,
    Schedule,
    Send,
    Turn,
    is_of_tools,
    pieces,
    plain,
    reworded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.testing.live_wire import Json, Message
    from antiphon.testing.live_world import World

__all__ = ["LiveSession"]

_WAITING = 64  # prompts that wait for their turn; the oldest are forgotten
_IMAGES = 16  # video frames remembered for the next spoken turn


class LiveSession:
    """The server's side of a connection whose setup was accepted.

    Call `begin`, then `receive` for every message, `wake` at `deadline`, and `item`/`replied` with what the
    reply to each `Ask` yields. Each takes `now` in seconds and returns what is to be done, in order.
    """

    def __init__(self, setup: Setup, memory: Memory, world: World) -> None:
        self.setup = setup
        self.memory = memory
        self._world = world
        self._ears = Ears(setup.detection, offset=memory.heard)
        self._schedule = Schedule()
        self._turn: Turn | None = None
        self._prompts: deque[Prompt] = deque(maxlen=_WAITING)
        self._images: deque[bytes] = deque(maxlen=_IMAGES)
        self._typed: list[str] = []  # within a manual activity
        self._gated = setup.seeds_history and not setup.handle
        self._turns = 0

    # --- time ---

    def deadline(self) -> float | None:
        """When to call `wake`; None: not before something else happens."""
        return self._schedule.next()

    def wake(self, now: float) -> list[Effect]:
        return list(self._schedule.due(now))

    def begin(self, now: float, *, resumed: bool = False) -> list[Effect]:
        timing = self._world.timing
        ready = now + timing.setup
        session_id = f"session-{self._world.number()}" if self.setup.route.is_vertex else None
        self._schedule.send(ready, frames.setup_complete(session_id))
        if self.setup.resumable:
            self._schedule.plan(ready + (0.0 if resumed else timing.first_handle), self._tell_handle)
        rest, unanswered = self.memory.take_up()
        if resumed and not self._world.faults().forget_speech:  # rule 7
            self._prompts += [replace(prompt, setup=self.setup) for prompt in unanswered]
            if rest:
                self._start(Prompt(None, setup=self.setup), ready, [Say(rest)])
            elif self._prompts:
                self._start(self._prompts.popleft(), ready)
        return self.wake(now)

    def leave(self) -> None:
        """The connection ended: what the session must remember of it is put into its memory."""
        turn, memory = self._turn, self.memory
        memory.busy = self._ears.speaking or turn is not None
        memory.heard = self._ears.offset
        memory.leave(turn, self._prompts)
        if self.setup.profile.seeded_calls == "lost":
            memory.history = [content for content in memory.history if not is_of_tools(content)]
        self._turn = None
        self._schedule.drop()

    # --- what the client says ---

    def receive(self, message: Message, now: float) -> list[Effect]:
        refusal = check(message)
        if refusal is None and message and self.setup.profile.affective_dialog == "refused_later":
            if self.setup.generation.get("enableAffectiveDialog"):
                refusal = Refusal(1007, INVALID)
        if refusal is None and not (self._gated and message.kind != "clientContent"):
            match message.kind:
                case "clientContent":
                    refusal = self._client_content(message["clientContent"] or {}, now)
                case "realtimeInput":
                    refusal = self._realtime_input(message["realtimeInput"] or {}, message, now)
                case "toolResponse":
                    refusal = self._tool_response(message.function_responses, now)
                case "contextUpdate":
                    self.setup = self.setup.updated(message["contextUpdate"] or {})
        if refusal is not None:
            return [*self.wake(now), HangUp(refusal.code, refusal.reason)]
        if self._turn is None and self._prompts and not self._ears.speaking:
            self._start(self._prompts.popleft(), now)
        return self.wake(now)

    def _client_content(self, body: Json, now: float) -> Refusal | None:
        turns = body.get("turns") or []
        turns = [turns] if isinstance(turns, dict) else turns
        for content in turns:
            if refusal := seed_refused(content, self.setup.profile):
                return refusal
        self._interrupt(now)
        history = self.memory.history
        history += turns
        if not body.get("turnComplete"):
            return None
        if self._gated:
            self._gated = False
            return None
        self._submit(asked(history), now)
        return None

    def _realtime_input(self, body: Json, message: Message, now: float) -> Refusal | None:
        if ("activityStart" in body or "activityEnd" in body) and not self._ears.manual:
            return Refusal(1007, MISPLACED_ACTIVITY)
        heard: list[Heard] = []
        if (media := message.media) is not None:
            if media.is_audio:
                heard += self._ears.hear(media.data, media.rate)
            else:
                self._images.append(media.data)
        if "activityStart" in body:
            heard += self._ears.begin()
        if "activityEnd" in body or (body.get("audioStreamEnd") and not self._ears.manual):
            heard += self._ears.end()
        for one in heard:
            self._speech_begins(one, now) if one.kind == "start" else self._speech_ends(one, now)
        if text := message.text:
            if self._ears.manual and self._ears.speaking:
                self._typed.append(text)
            else:
                if self.setup.interruptible and self.setup.profile.typed_text_interrupts:
                    self._interrupt(now)
                self._tell(Prompt(text), text, now)
        return None

    def _speech_begins(self, heard: Heard, now: float) -> None:
        if self.setup.profile.voice_activity and not self._ears.manual:
            self._schedule.send(now, frames.voice_activity("ACTIVITY_START", heard.offset))
        if self._turn and self.setup.interruptible:
            self._interrupt(now)
        elif self._turn is None and self._turns and self._world.faults().spurious_interruption:
            self._schedule.send(now, frames.interrupted())
            self._schedule.send(now, frames.turn_complete())

    def _speech_ends(self, heard: Heard, now: float) -> None:
        self.memory.heard = heard.offset
        transcribe = self._world.transcribe
        words = transcribe(heard.pcm, heard.rate) if transcribe and heard.pcm else None
        described = f"({heard.seconds:.1f} seconds of speech)"
        if self.setup.transcribes_input and heard.seconds:
            self._schedule.send(now, frames.input_transcription(described if words is None else words))
        if self.setup.profile.voice_activity and not self._ears.manual:
            self._schedule.send(now, frames.voice_activity("ACTIVITY_END", heard.offset))
        typed, self._typed = "".join(self._typed), []
        text = typed + (words or "") if typed or words is not None else None
        images = tuple(self._images)
        self._images.clear()
        prompt = Prompt(text, heard.pcm, heard.rate, heard.seconds, images)
        if text is not None or heard.seconds:
            self._tell(prompt, described if text is None else text, now)

    def _tell(self, prompt: Prompt, words: str, now: float) -> None:
        prompt = replace(prompt, history=tuple(self.memory.history))
        self.memory.history.append({"role": "user", "parts": [{"text": words}]})
        self._submit(prompt, now)

    def _tool_response(self, responses: Iterable[Json], now: float) -> Refusal | None:
        profile, faults = self.setup.profile, self._world.faults()
        told: list[ToolResponse] = []
        for response in responses:
            if "scheduling" in response and not profile.scheduling:
                return Refusal(1007, "Function response scheduling is not supported for this model")
            if profile.response_media and any("pdf" in str(part) for part in response.get("parts") or []):
                return Refusal(1007, INVALID)
            call = self.memory.calls.get(str(response.get("id")))
            if call is None:
                if faults.late_response:
                    return Refusal(faults.late_response.code, faults.late_response.reason)
                continue
            more = bool(response.get("willContinue")) and not call.blocking
            if not more:
                del self.memory.calls[call.id]
            answer = ToolResponse(call.id, call.name, call.args, response.get("response") or {}, more)
            self.memory.history.append({"role": "user", "parts": [{"functionResponse": response}]})
            turn = self._turn
            if turn and call.id in turn.calls:
                turn.calls.discard(call.id)
                turn.responses.append(answer)
                self._go_on(turn, now)
                continue
            match "WHEN_IDLE" if call.blocking else response.get("scheduling"):
                case "SILENT":
                    continue
                case "INTERRUPT":
                    self._interrupt(now)
            told.append(answer)
        if told:
            self._submit(Prompt(None, responses=tuple(told), history=tuple(self.memory.history)), now)
        return None

    # --- the model's turns ---

    def _submit(self, prompt: Prompt, now: float) -> None:
        prompt = replace(prompt, setup=self.setup)
        if self._turn or (prompt.responses and self._ears.speaking):
            self._prompts.append(prompt)
        else:
            self._start(prompt, now)

    def _start(self, prompt: Prompt, now: float, items: Iterable[Item] | None = None) -> None:
        self._turns += 1
        turn = self._turn = Turn(self._turns, prompt, asked=now, cursor=now)
        if self.setup.resumable and self._world.handles is HandlePolicy.PER_TURN:
            self._schedule.send(now, frames.update(None))
        if items is None and self.memory.abandoned and not prompt.responses:
            abandoned, self.memory.abandoned = self.memory.abandoned, []
            items = [[ToolCall(call.name, reworded(call.args)) for call in abandoned]]
        if items is None:
            self._schedule.plan(now, lambda _: [Ask(turn.number, prompt)], turn=turn.number)
            return
        for item in items:
            self._take(turn, item, now)
        self._replied(turn, now)

    def item(self, turn: int, item: Item, now: float) -> list[Effect]:
        """What the reply for this turn says next; too late, it is nothing."""
        if self._turn and self._turn.number == turn:
            self._turn.cursor = max(self._turn.cursor, now)
            self._take(self._turn, item, now)
        return self.wake(now)

    def replied(self, turn: int, now: float) -> list[Effect]:
        """The reply for this turn is at its end."""
        if self._turn and self._turn.number == turn:
            self._turn.cursor = max(self._turn.cursor, now)
            self._replied(self._turn, now)
        return self.wake(now)

    def _take(self, turn: Turn, item: Item, now: float) -> None:
        timing = self._world.timing
        match item:
            case Say(words):
                turn.lead(timing.after_response if turn.prompt.responses else timing.first_audio)
                for piece in pieces(words, self.setup, per_frame=self._world.faults().parts_per_frame):
                    due = turn.take(piece, timing)
                    self._schedule.plan(due, partial(turn.sent, piece), turn=turn.number)
            case Think(words):
                turn.thoughts += max(1, len(words) // 4)
                if self.setup.shows_thoughts:
                    self._schedule.send(turn.cursor, frames.text(words, thought=True), turn=turn.number)
            case Pause(seconds):
                turn.cursor += seconds * timing.pauses
            case Hold():
                turn.held = True
            case Raw(frame):
                self._schedule.send(turn.cursor, frame, turn=turn.number)
            case ToolCall():
                self._call(turn, [item])
            case _:
                self._call(turn, item)

    def _call(self, turn: Turn, calls: Iterable[ToolCall]) -> None:
        typed = turn.prompt.text is not None and not turn.prompt.pcm
        turn.lead(self._world.timing.text_to_call if typed else 0.0)
        declared = {function.name: function for function in self.setup.functions}
        sent: list[Json] = []
        for call in calls:
            blocking = declared[call.name].blocking if call.name in declared else True
            pending = PendingCall(call.id or self._call_id(blocking), call.name, call.args, blocking)
            self.memory.calls[pending.id] = pending
            if blocking or self.setup.profile.turn_ends_with_calls == "never":
                turn.calls.add(pending.id)
            sent.append(frames.function_call(pending.id, call.name, call.args))
        made = turn.call(sent)
        self.memory.history.append(made)
        self._schedule.plan(turn.cursor, partial(turn.calls_sent, made), turn=turn.number)

    def _call_id(self, blocking: bool) -> str:
        number = self._world.number()
        return f"fc_{4290863095698509728 + number}" if blocking else f"call_{1_000_000 + number}"

    def _replied(self, turn: Turn, now: float) -> None:
        turn.replied = True
        if turn.held:
            return
        profile, spoke = self.setup.profile, bool(turn.said or turn.planned)
        pending = {id: call for id in turn.calls if (call := self.memory.calls.get(id))}
        turn.calls = {id for id, call in pending.items() if call.blocking or not spoke}
        done = turn.cursor
        if turn.calls and profile.turn_ends_with_calls == "always":
            turn.calls.clear()
        elif turn.calls or turn.responses:
            return self._go_on(turn, now)
        else:
            done += self._world.timing.generation_complete if spoke or not turn.called else 0.0
            self._schedule.send(done, frames.generation_complete(), turn=turn.number)
        over = max(done, turn.plays_until)
        self._schedule.plan(over, partial(self._end, turn), turn=turn.number)

    def _go_on(self, turn: Turn, now: float) -> None:
        """Rule 3: once all calls are answered, the turn goes on."""
        if turn.calls or not turn.replied or not turn.responses:
            return
        responses, turn.responses = tuple(turn.responses), []
        turn.prompt = replace(
            turn.prompt, text=None, pcm=b"", responses=responses, history=tuple(self.memory.history)
        )
        turn.asks_again(now)
        prompt = turn.prompt
        self._schedule.plan(now, lambda _: [Ask(turn.number, prompt)], turn=turn.number)

    def _interrupt(self, now: float) -> None:
        """Rule 2."""
        turn = self._turn
        if turn is None:
            return
        self._schedule.drop(turn.number)
        self._schedule.plan(now, lambda _: [Hush(turn.number)])
        cut = [call for id in sorted(turn.calls) if (call := self.memory.calls.get(id)) and call.blocking]
        for call in cut:
            del self.memory.calls[call.id]
        if cut and self._world.faults().cancel_tool_calls:
            self._schedule.send(now, frames.tool_call_cancellation([call.id for call in cut]))
        if self._world.faults().repeat_tool_call:
            self.memory.abandoned += cut
        self._schedule.send(now, frames.interrupted())
        self._end(turn, now, goes_on=False)

    def _end(self, turn: Turn, now: float, *, goes_on: bool = True) -> Iterable[Effect]:
        written = sum(len(plain(content)) for content in self.memory.history) + len(self.setup.instruction)
        usage = turn.usage(written=written, heard=self._ears.offset)
        status: Literal["IN_PROGRESS", "IDLE"] | None = None
        if self.setup.profile.interaction_status:
            status = "IN_PROGRESS" if self.memory.calls else "IDLE"
        self._schedule.send(now, frames.turn_complete(usage, status=status))
        self.memory.remember(turn)
        self._turn = None
        if self.setup.resumable and self._world.handles is HandlePolicy.PER_TURN:
            self._schedule.plan(now, self._tell_handle)
        if self._prompts and goes_on:
            self._start(self._prompts.popleft(), now)
        return ()

    def _tell_handle(self, now: float) -> Iterable[Effect]:
        handle = self._world.issue(self._world.handles is HandlePolicy.PER_TURN)
        return [Send(frames.update(handle))]
