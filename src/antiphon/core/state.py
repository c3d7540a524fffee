"""What a conversation consists of, and the few things every part of it does: emit, say, flush, finish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.config import StreamingMode
from antiphon.core import drafts
from antiphon.core.budget import Budget
from antiphon.core.calls import CallState, Deed, Ledger
from antiphon.core.commands import CancelTool, Command, Emit, End, EndedBy, Send, Speaker, Store, Whole
from antiphon.core.handover import Cast, aloud, in_words
from antiphon.core.links import Links
from antiphon.core.messages import Media, ToolResults, Turn
from antiphon.core.outbox import Outbox
from antiphon.core.recording import Recording
from antiphon.core.reviews import Pending, Reviews, is_said
from antiphon.core.transcripts import Transcripts
from antiphon.core.turns import Act, Beat, Turns
from antiphon.events import ErrorCode, Event, EventActions, LifecycleKind
from antiphon.types import FunctionResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.config import RunConfig
    from antiphon.core.calls import Call
    from antiphon.core.handover import Role
    from antiphon.core.messages import Message
    from antiphon.core.playhead import Heard, Playhead
    from antiphon.errors import AntiphonError

__all__ = ["USER", "ConversationState", "Ending"]

_BIDI = StreamingMode.BIDI  # looked up once: this is asked after every signal
USER = "user"
"""The author of what the user said (contract 3.3)."""


@dataclass(slots=True)
class Ending:
    """How far the conversation is on its way out."""

    leave_by: float | None = None
    """The user has left; what waits for the model may still be delivered until then."""
    user_left: bool = False
    """The user has left while what they wrote was still looked at."""
    farewell: End | None = None
    """How it ends once what is still looked at has passed, or `leave_by` is there. Nothing else counts."""
    over: bool = False
    """Nothing is to be done any more but to wait for recordings, and to say `last`."""
    last: End | None = None
    since: float = 0.0
    """Since when it has been ending."""
    waited: float = 0.0
    """Seconds for which the end has waited for recordings."""


@dataclass(slots=True)
class _Stage:
    """Who may speak, and who does."""

    cast: Cast
    agent: str


class ConversationState:
    """The parts of one conversation. `out` collects the commands of the signal in hand."""

    def __init__(self, cast: Cast, config: RunConfig, now: float, chance: Callable[[], float]) -> None:
        resumption = config.session_resumption
        self.config = config
        self._stage = _Stage(cast, cast.first)
        self.turns = Turns()
        self.transcripts = Transcripts()
        self.calls = Ledger()
        self.outbox = Outbox(config.held_audio)
        handle = resumption.handle if resumption else None
        self.links = Links(config.retry, config.connect_timeout, handle, chance)
        self.recording = Recording(config, now)
        self.reviews = Reviews()
        self.budget = Budget(config.limits, config.max_llm_calls, now)
        self.ending = Ending()
        self.out: list[Command] = []

    @property
    def cast(self) -> Cast:
        return self._stage.cast

    @property
    def agent(self) -> str:
        """The name of the agent that speaks now."""
        return self._stage.agent

    @agent.setter
    def agent(self, name: str) -> None:
        self._stage.agent = name

    @property
    def role(self) -> Role:
        """The agent that speaks now."""
        return self._stage.cast.roles[self._stage.agent]

    @property
    def served(self) -> bool:
        """Whether the run was for one turn, and that is over, with all it brought about (contract 6.3)."""
        turns = self.turns
        return (
            self.config.streaming_mode is not _BIDI
            and self.budget.turns > 0
            and turns.quiet
            and not (turns.owed or turns.unfinished)
            and self.links.live
            and not self.outbox.holds_control
            and not self.calls.running()
        )

    @property
    def playhead(self) -> Playhead:
        """How much of the model's speech was heard."""
        return self.turns.playhead

    # Yielding and storing.

    def emit(self, event: Event, *, stored: bool = False) -> None:
        line = self.reviews.line
        if line and is_said(event):
            line.append(Emit(event, stored))
        else:
            self.out.append(Emit(event, stored))

    def words(self, event: Event) -> None:
        """A whole piece of the model's words: yielded and stored, once callbacks have seen it."""
        asks = self.role.asks
        if asks.guardrails:
            self.reviews.watches["model"].events.append(event)
        if asks.after_model:
            self.out.append(self.reviews.put(self.agent, Whole(event), event))
        else:
            self.emit(event, stored=True)

    def store(self, event: Event) -> None:
        self.out.append(Store(event))

    @property
    def stored(self) -> int:
        """Events stored in this conversation so far."""
        count = self.links.known.stored
        for command in self.out:
            if isinstance(command, Emit):
                count += command.stored
            elif isinstance(command, Store):
                count += 1
        return count

    def fact(self, kind: LifecycleKind, **facts: Any) -> None:
        """A lifecycle event (contract 3.11)."""
        self.emit(drafts.lifecycle(self.agent, kind, **facts))

    def error(self, code: str, message: str, *, stored: bool = True) -> None:
        """An error the conversation survives (contract 3.10)."""
        self.emit(drafts.draft(self.agent, error_code=code, error_message=message), stored=stored)

    def refuse(self, message: str) -> None:
        """Something the application asked for and cannot have; nothing else changes."""
        self.error(ErrorCode.INVALID_REQUEST, message, stored=False)

    # To the model.

    def say(self, message: Message) -> None:
        """Sends the message, or keeps it until there is a live link (contract 7.3)."""
        links = self.links
        if links.live and links.current is not None:
            if not isinstance(message, Media):
                if isinstance(message, ToolResults):
                    message = self._as_told(message)
                if isinstance(message, Turn):
                    self.outbox.questions.sent(message)
            self.out.append(Send(links.current, message))
            return
        self.outbox.put(message)
        self._report_shed()

    def _as_told(self, results: ToolResults) -> ToolResults | Turn:
        """Under the calls' ids, or in words (`calls`, rule 3)."""
        can = self.role.capabilities
        says_nothing = can.turn_based and not any(answer.response for answer in results.responses)
        if not (says_nothing or (results.silent and can.tool_scheduling)):
            self.turns.result_told = True
        sent = results if results.session == self.links.session else in_words(results)
        if can.handle_is_snapshot:
            self.outbox.results.told(sent)
        return sent

    def put_back(self, unsent: Sequence[Message]) -> None:
        """Keeps what a dead link did not send, before all that came later (contract 7.3)."""
        self.outbox.put_back(unsent)
        self._report_shed()

    def _report_shed(self) -> None:
        if self.outbox.newly_shed():
            held = self.config.held_audio
            self.fact("overloaded", reason=f"the model is out of reach; the newest {held:g} s are kept")

    def heard_anew(self) -> None:
        """The user says something: what was vetoed before bars no answer any more (contract 5.13)."""
        reviews = self.reviews
        reviews.bar.on = reviews.bar.finished = False
        self.turns.lift()
        while reviews.withheld:
            self.say(reviews.withheld.pop(0))

    # Ending what is open.

    def flush_text(self, **fields: Any) -> bool:
        """Merges the open segment into one event (contract 3.4), with these fields; whether there was one."""
        segment = self.turns.end_segment()
        if segment is None:
            return False
        self.words(
            drafts.text(self.agent, segment.merged(), thought=segment.thought, partial=False, **fields)
        )
        return True

    def flush_transcript(self, speaker: Speaker, *, heard: str | None = None, **fields: Any) -> None:
        """Ends the speaker's utterance (contract 3.8), in an event with these fields.

        Only so much of it was `heard` (contract 4.5), when that is known.
        """
        whole = self.transcripts.finish(speaker)
        if whole is None:
            return
        if heard is not None:
            whole.text = heard
        if speaker == "model":
            said = drafts.draft(self.agent, output_transcription=whole, partial=False, **fields)
            self.playhead.told(said)
            self.words(said)
            return
        reviews, asks = self.reviews, self.role.asks
        reviews.utterances += 1
        if reviews.bar.on:
            fields["error_code"] = ErrorCode.GUARDRAIL
        elif self.turns.owed and self.links.live:
            self.outbox.questions.sent(aloud(whole.text or ""))
        event = drafts.draft(USER, input_transcription=whole, partial=False, **fields)
        self.emit(event, stored=True)
        if asks.guardrails:
            reviews.watches["user"].events.append(event)
        if asks.before_model and not reviews.bar.on:
            self.out.append(reviews.spoken(self.agent, whole.text or ""))

    def amend(self, heard: Heard) -> None:
        """Puts right what had been told as whole and was not heard to its end (contract 4.5).

        Words that a callback has changed since, or kept back, are left as they are.
        """
        looked_at = [each.event for each in self.reviews.line if isinstance(each, Pending)]
        for told, words in heard.amended:
            whole = told.output_transcription
            if whole is None or not (whole.text or "").startswith(words):
                continue
            if any(event is told for event in looked_at):
                told.output_transcription = drafts.amendment(told, words).output_transcription
                continue
            self.emit(drafts.amendment(told, words), stored=True)

    def cut_playing(self, now: float) -> None:
        """The user speaks while the client still plays an answer that the model has ended (contract 3.6)."""
        if self.turns.quiet and self.config.barge_in and self.playhead.playing(now):
            self.emit(drafts.draft(self.agent, interrupted=True), stored=True)
            self.stop_playing(now)

    def stop_playing(self, now: float) -> None:
        """The client has thrown away what it had still to play of answers that are over."""
        self.do(self.recording.interrupted(now, self.playhead.unheard(now)))
        self.amend(self.playhead.cut(now))

    def flush(self) -> None:
        """Everything that was said and is not yet whole."""
        self.flush_transcript("user")
        self.flush_text()
        self.flush_transcript("model")

    def save(self, *speakers: Speaker) -> None:
        """Writes what is kept of these voices (contract 4.3)."""
        self.out.extend(self.recording.flush(*speakers))

    def do(self, commands: Sequence[Command]) -> None:
        self.out.extend(commands)

    def end_turn(self, *, cut: bool, **fields: Any) -> None:
        """Announces the end of the model's turn, after everything it said (contract 3.5)."""
        self.flush()
        self.save("user", "model")
        if cut:
            fields["interrupted"] = True
        self.emit(drafts.draft(self.agent, turn_complete=True, **fields), stored=True)
        self.budget.turn_ended()

    def suspend(self, now: float) -> None:
        """The link is gone in the middle of whatever it was: what was said so far is made whole."""
        self.flush()
        self.save("user", "model")
        if self.turns.beat(Beat.LOST, now) is Act.CLOSE_CUT:
            self.end_turn(cut=True)

    def stop(self, call: Call, deed: Deed, *, runs: bool = True) -> None:
        """Ends a call before its tool does, and the tool, if it runs and not for another call too."""
        runs = runs and call.state is CallState.RUNNING
        self.calls.move(call.id, deed)
        if runs and not self.calls.of_run(call.run):
            self.out.append(CancelTool(call.run))

    def abandon(self, call_id: str, why: str, *, runs: bool = True) -> bool:
        """Ends a call without an answer from its tool (contract 5.4, 5.5); whether it was still open.

        `runs` says that it was started.
        """
        call = self.calls.get(call_id)
        if call is None:
            return False
        self.stop(call, Deed.CANCEL, runs=runs)
        answer = FunctionResponse.trusted(
            id=call_id, name=call.name, response={"error": {"code": "CANCELLED", "message": why}}
        )
        self.emit(drafts.response(call.agent, answer, EventActions()), stored=True)
        return True

    # The end.

    def finish_if_served(self) -> bool:
        """Ends a run that was for one turn; whether it was over."""
        if self.ending.farewell is not None or not self.served:
            return False
        self.finish("the turn is complete", "model")
        return True

    def finish(self, reason: str, by: EndedBy, error: AntiphonError | None = None) -> None:
        """Ends the conversation: nothing is left open (contract 1.5, 1.6).

        In good order, callbacks first see what they are still to see, within half of
        `RunConfig.shutdown_timeout`. The last words are said when what was recorded is written.
        """
        if self.ending.farewell is not None:
            return
        self.flush()
        self.do(self.recording.close(self.agent))
        for call in self.calls.running():
            self.abandon(call.id, f"the conversation ended: {reason}")
        self.do(self.links.hang_up())
        self.ending.farewell, self.ending.leave_by = End(reason, by, error), None
        if by != "error":
            leaving = self.reviews.passage(())
            if leaving.leaving:
                self.out.append(self.reviews.put(self.agent, leaving))
        if not self.reviews.waited_for:
            self.close()

    def close(self) -> None:
        """Ends it now. Of what is still looked at, nothing passes."""
        while self.reviews.line:
            each = self.reviews.line.pop(0)
            if not isinstance(each, Pending):
                self.out.append(each)
        self.ending.over = True
        self.ending.last = self.ending.farewell

    def end(self, now: float) -> None:
        """Says the last words; no command comes after."""
        last, self.ending.last = self.ending.last, None
        assert last is not None, "it is over, and the last words were not said"
        self.fact("closed", reason=last.reason, by=last.by)
        self.out.append(last)
        self.ending.waited = now - self.ending.since
