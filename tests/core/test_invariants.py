"""What holds of a conversation whatever happens, and in whatever order."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.capabilities import Capabilities
from antiphon.config import Limits, Retry, RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import (
    Begin,
    CancelTool,
    Command,
    Dial,
    Emit,
    End,
    Failure,
    Growing,
    HangUp,
    Passage,
    Record,
    Review,
    RunTool,
    SaveConversation,
    SaveRecording,
    Send,
    Spoken,
    Store,
    Typed,
    Whole,
)
from antiphon.core.handover import Role, seed
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, Message, ToolResults, Turn
from antiphon.core.reviews import Asks, Circle
from antiphon.core.signals import (
    Acted,
    AppLeft,
    CallsCancelled,
    GenerationComplete,
    GoingAway,
    HandleUpdate,
    InputTranscript,
    LinkDialled,
    LinkLost,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    Received,
    RecordingFailed,
    RecordingSaved,
    Reviewed,
    Signal,
    Tick,
    ToolCalls,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    Usage,
    UserActivity,
    UserLeft,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
    Vetoed,
)
from antiphon.errors import ConnectionLost, InvalidSetup, ModelConnectionError, ResumptionRefused
from antiphon.events import ErrorCode, Event, EventActions, LlmResponse
from antiphon.testing.script import conversation, user_media, user_turn
from antiphon.types import (
    AutomaticActivityDetection,
    Content,
    FileData,
    FunctionCall,
    FunctionResponse,
    Part,
    RealtimeInputConfig,
    UsageMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANUAL = RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(disabled=True))
AUDIO = "audio/pcm;rate=24000"
TOOLS = {
    "look": ToolFacts(),
    "book": ToolFacts(long_running=True),
    "watch": ToolFacts(cancel_on_interruption=True, streaming=True),
    "join": ToolFacts(on_duplicate="join"),
    "once": ToolFacts(on_duplicate="refuse"),
}


def role(name: str, *, snapshot: bool = False, watched: bool = False) -> Role:
    able = name == "one"  # it goes on while tools run, and takes several answers to a call
    can = Capabilities(
        non_blocking_tools=able,
        blocks_by_default=not able,
        tool_scheduling=able,
        handle_is_snapshot=snapshot,
    )
    if not watched:
        return Role(name, TOOLS, can)
    circles = (Circle("all", before=True, after=True), Circle(name, before=True, after=True))
    return Role(name, TOOLS, can, asks=Asks(True, True, True, True), circles=circles)


# --- what an application sees ---------------------------------------------------------------------------


@dataclass
class Looks:
    """Callbacks and guardrails: what they were shown and have not answered. Answers are called `R:1`, …"""

    open: dict[int, Review] = field(default_factory=dict)
    given: dict[str, str | tuple[str, bool] | None] = field(default_factory=dict)
    """What each answer stands for: the text or transcript of which it takes the place."""
    count: int = 0

    def see(self, review: Review) -> None:
        self.open[review.id] = review
        guards = [each.about.speaker for each in self.open.values() if isinstance(each.about, Growing)]
        assert len(guards) == len(set(guards)), "one look at a time (contract 5.13)"
        assert sum(isinstance(each.about, Typed) for each in self.open.values()) <= 1

    @property
    def holds(self) -> bool:
        """Whether words of the model may wait for an answer."""
        return any(isinstance(each.about, Whole | Failure | Passage) for each in self.open.values())

    def answer(self, which: int, how: str) -> tuple[Review, Reviewed] | None:
        if not self.open:
            return None
        review = self.open.pop(sorted(self.open)[which % len(self.open)])
        self.count += 1
        name = f"R:{self.count}"
        about, outcome = review.about, Reviewed(review.id, actions=EventActions(state_delta={"k": 1}))
        match about, how:
            case Typed() | Growing(), "veto":
                veto = Vetoed("no", name if which % 2 else None)
                outcome = Reviewed(review.id, veto=veto)
            case Typed() | Spoken() | Whole() | Failure(), "answer":
                said = Content(role="model", parts=[Part(text=name)])
                outcome = Reviewed(review.id, answers=((review.agent, LlmResponse(content=said)),))
            case Typed() | Spoken() | Whole() | Failure(), "fail":
                outcome = Reviewed(review.id, failed=name)
            case Passage(_, entering), "answer" if entering:
                said = Content(role="model", parts=[Part(text=name)])
                answers = ((entering[-1], LlmResponse(content=said)),)
                outcome = Reviewed(review.id, answers=answers, refused_by=entering[-1])
        self.given[name] = None
        if isinstance(about, Whole):
            parts = (about.event.content.parts or []) if about.event.content else []
            self.given[name] = (about.event.author, bool(parts[0].thought)) if parts else "out"
        return review, outcome


@dataclass
class Watcher:
    """Looks at every command as it comes, and complains about what the contract forbids."""

    text: dict[tuple[str, bool], str] = field(default_factory=lambda: defaultdict(str))
    words: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    started: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    answers: Counter[str | None] = field(default_factory=Counter)
    asks: int = 0
    said: bool = False
    takes: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    unwritten: list[int] = field(default_factory=list)
    over: bool = False
    looks: Looks = field(default_factory=Looks)

    def heard(self, signal: Signal) -> None:
        """Notes what wants an answer: each such thing allows for one turn without content."""
        match signal:
            case UserTurn() | UserActivity() | ToolFinished():
                self.asks += 1
            case Received(_, said):
                self.asks += sum(isinstance(each, InputTranscript) for each in said)

    def see(self, command: Command) -> None:
        assert not self.over, "nothing comes after End"
        match command:
            case Emit(event, stored):
                self._event(event)
                if stored:
                    check_storable(event)
            case Store(event):
                check_storable(event)
                answered = {
                    answer.id for answer in event.get_function_responses() if not answer.will_continue
                }
                self.answers.update(answered & self.started)  # others are of an earlier invocation
            case RunTool(call_id):
                assert call_id not in self.started, "a call runs once"
                self.started.add(call_id)
            case CancelTool(call_id):
                assert call_id in self.started - self.stopped, "only what runs is cancelled"
                self.stopped.add(call_id)
            case Record(number, speaker, author, _, rate):
                assert number not in self.unwritten, "what is written does not grow"
                kind = self.takes.setdefault(number, (speaker, author, rate))
                assert kind == (speaker, author, rate), "one voice, one agent, one rate"
            case SaveRecording(number):
                assert self.takes.pop(number), "what is written was recorded, and is written once"
                self.unwritten.append(number)
            case SaveConversation(number):
                self.unwritten.append(number)
            case Review():
                self.looks.see(command)
            case End() if not self.looks.holds:
                self.over = True
                assert not self.takes, "all that was recorded is written (contract 4.3)"
                assert not any(self.text.values()), "text is merged before the end"
                assert not any(self.words.values()), "transcripts are finished before the end"
            case End():
                self.over = True
        for call_id in self.started:
            assert self.answers[call_id] <= 1, "a call ends once"

    def _event(self, event: Event) -> None:
        for answer in event.get_function_responses():
            self.answers[answer.id] += not answer.will_continue
        for part in (event.content.parts or []) if event.content else []:
            if part.text in self.looks.given:
                self._instead(part.text)
            elif part.text is not None:
                self._text((event.author, bool(part.thought)), part.text, event.partial)
        for speaker, heard in (("in", event.input_transcription), ("out", event.output_transcription)):
            if heard is not None and not heard.finished:
                assert event.partial
                self.words[speaker] += heard.text or ""
            elif heard is not None:
                assert heard.text == self.words.pop(speaker), (
                    "a transcript is all of its pieces (contract 3.8)"
                )
        if event.error_code == ErrorCode.CALLBACK_FAILED:
            self._instead(event.error_message or "")
        if event.turn_complete:
            assert event.content is None, "in an event of its own (contract 3.5)"
            assert self.looks.holds or not any(self.text.values()), "merged text comes first (contract 3.4)"
            assert self.said or self.asks, "once per turn (contract 3.5)"
            self.asks -= not self.said
            self.said = False
        spoke = event.content is not None or event.output_transcription is not None
        self.said |= spoke or bool(event.interrupted and not event.turn_complete)

    def _instead(self, name: str) -> None:
        """An answer, or an error, in place of words that were to come out whole."""
        key = self.looks.given.pop(name)
        if isinstance(key, tuple):
            self.text.pop(key)
        elif key is not None:
            self.words.pop(key)

    def _text(self, key: tuple[str, bool], text: str, partial: bool | None) -> None:
        if partial:
            self.text[key] += text
        else:
            assert text == self.text.pop(key), "merged text is all of its chunks (contract 3.4)"


def check_storable(event: Event) -> None:
    """contract 4.2"""
    parts = (event.content.parts or []) if event.content else []
    assert not any(part.inline_data for part in parts)
    assert not event.partial
    for heard in (event.input_transcription, event.output_transcription):
        assert heard is None or heard.finished
    assert event.live_session_resumption_update is None
    assert event.lifecycle is None


# --- a world that keeps to the commands -------------------------------------------------------------------


@dataclass
class Said:
    """A message on its way to the model, and whether it left."""

    message: Message
    left: bool = True
    again: bool = False
    """Said once more, to a session that knows nothing of it: its place among what others heard is void."""


@dataclass
class Wire:
    """A connection, as the driver and the model see it."""

    agent: str
    stage: str = "dialling"
    hung_up: bool = False
    fresh: bool = False
    moment: bool = False
    """It goes on from a moment, and is told what came later."""
    told: frozenset[str] = frozenset()
    sent: list[Said] = field(default_factory=list)


class World:
    """A driver, a model, a user and tools, which do what they are told at times of Hypothesis's choosing."""

    def __init__(self, config: RunConfig, *roles: Role) -> None:
        self.conversation = conversation(*roles, config=config, chance=lambda: 0.3)
        self.now = 0.0
        self.wires: dict[int, Wire] = {}
        self.watcher = Watcher()
        self.running: dict[str, str] = {}
        self.asked: list[str] = []
        self.said: list[Said] = []
        self.stored: list[str] = []
        self.fresh_seeds: list[int] = []
        self.late_report = False
        self.count = 0
        self.events: list[Event] = []
        self.vetoed: set[str] = set()
        self.perform(self.conversation.start(self.now))
        self.connect()

    @property
    def over(self) -> bool:
        return self.watcher.over

    def number(self) -> int:
        self.count += 1
        return self.count

    def ask(self) -> str:
        """The user's next words."""
        self.asked.append(f"u{self.number()}")
        return self.asked[-1]

    def feed(self, signal: Signal) -> None:
        was_over = self.over
        self.watcher.heard(signal)
        commands = self.conversation.handle(signal, self.now)
        assert not (was_over and commands)
        self.perform(commands)
        if not self.over:
            held = [wire for wire in self.wires.values() if wire.stage != "gone" and not wire.hung_up]
            assert len(held) <= 2, "a link and its replacement at most"

    def perform(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Emit | Store):
                command.event.id = f"e{self.number()}"
            self.watcher.see(command)
            if isinstance(command, Store) or (isinstance(command, Emit) and command.stored):
                self.events.append(command.event)
            match command:
                case Dial(link, agent):
                    assert link not in self.wires, "a link is dialled once"
                    self.wires[link] = Wire(agent)
                case Begin():
                    self._begin(command)
                case Send(link, message):
                    self._send(link, message)
                case HangUp(link):
                    self.wires[link].hung_up = True
                case RunTool(call_id, _, name):
                    self.running[call_id] = name
                case CancelTool(call_id):
                    del self.running[call_id]
                case Store(event) | Emit(event, True):
                    self.stored += names_of(event)
                case End():
                    forgotten = [
                        n for n, wire in self.wires.items() if wire.stage != "gone" and not wire.hung_up
                    ]
                    assert not forgotten, "every socket is closed (contract 1.6)"
                    assert not self.running, "every tool is cancelled (contract 1.6)"

    def _begin(self, begin: Begin) -> None:
        wire, agent, handle, fresh = self.wires[begin.link], begin.agent, begin.handle, begin.seed
        assert wire.stage == "open", "a session begins on an open socket"
        assert not wire.hung_up
        assert agent == wire.agent == self.conversation.agent
        assert fresh == (handle is None)
        assert handle is None or handle.startswith(agent), "a handle belongs to its agent (contract 7.5)"
        wire.stage, wire.fresh = "begun", fresh
        wire.moment = begin.since is not None
        later = self.events[begin.since or 0 :]
        names = {name for event in later for name in names_of(event)}
        by_id = {
            name for name in names if name.startswith(tuple(f"result {each} " for each in begin.answers))
        }
        if fresh or wire.moment:
            held = {part.text for part in begin.held}
            wire.told = frozenset(names - by_id - held - self.vetoed)
        told = seed(later, agent, ask=begin.ask, held=begin.held, answers=begin.answers)
        lines = [*told.history, *([told.pending] if told.pending else [])]
        words = {part.text for line in lines for part in line.parts or []}
        assert not words & self.vetoed, "no model is told of it (contract 5.13)"
        others = [
            each for each in self.wires.values() if each is not wire and each.stage in ("begun", "ready")
        ]
        assert all(each.hung_up for each in others), "one session at a time"

    def _send(self, link: int, message: Message) -> None:
        wire = self.wires[link]
        assert wire.stage == "ready", "only a live link is spoken to"
        assert not wire.hung_up
        seeded = next((w for _, w in sorted(self.wires.items(), reverse=True) if w.fresh or w.moment), None)
        if isinstance(message, Turn | ToolResults) and seeded:
            assert not set(names_in(message)) & seeded.told, "the seed has told that already"
        again = next((said for said in self.said if said.message is message and said.left), None)
        if again is not None and wire.fresh and not set(names_in(message)) & wire.told:
            for other in self.wires.values():  # the session that knew it is gone
                other.sent = [said for said in other.sent if said is not again]
            wire.sent.append(again)
            again.again = True
            return
        if again is not None:
            assert not any(said.message is message for said in wire.sent), "asked twice on one link"
            return  # a resumed model that stayed silent (turns, rule 7)
        assert not set(names_in(message)) & self.vetoed, "it does not pass (contract 5.13)"
        self.said.append(Said(message))
        wire.sent.append(self.said[-1])

    # What happens.

    def progress(self, choice: int) -> None:
        """One of the links comes a step further."""
        open_wires = [(n, wire) for n, wire in self.wires.items() if wire.stage != "gone"]
        if not open_wires:
            return
        link, wire = open_wires[choice % len(open_wires)]
        if wire.hung_up:
            self.lose(link, None, choice % 3)
        elif wire.stage == "dialling":
            wire.stage = "open"
            self.feed(LinkDialled(link))
        elif wire.stage == "begun":
            wire.stage = "ready"
            self.feed(Received(link, (ModelReady(),)))

    def lose(self, link: int, error: ModelConnectionError | None, unsent: int) -> None:
        """The link is gone, and its last `unsent` messages never left."""
        wire = self.wires[link]
        wire.stage = "gone"
        cut = max(0, len(wire.sent) - unsent)
        back = tuple(said.message for said in wire.sent[cut:])
        for said in wire.sent[cut:]:
            said.left = False
        self.late_report |= any(said.again for said in wire.sent[cut:])
        newer = [n for n, other in self.wires.items() if n > link and (other.sent or other.fresh)]
        self.late_report |= bool(back and newer)
        self.feed(LinkLost(link, error, back))

    def connect(self) -> None:
        """All links get as far as they can."""
        for _ in range(3):
            for choice in range(len(self.wires)):
                self.progress(choice)

    def live_links(self) -> list[int]:
        return [n for n, wire in self.wires.items() if wire.stage == "ready"]

    def wait(self, seconds: float) -> None:
        then = self.now + seconds
        for _ in range(200):
            due = self.conversation.deadline()
            if due is None or due > then:
                self.now = then
                return
            self.now = max(self.now, due)
            self.feed(Tick())
            again = self.conversation.deadline()
            assert again is None or again > self.now, "no busy loop"
        raise AssertionError("too many ticks")

    def settle(self) -> None:
        """The network is well from now on: what still waits can be said."""
        for _ in range(50):
            if self.over or any(not self.wires[n].hung_up for n in self.live_links()):
                break
            before = self.count_stages()
            for choice in range(len(self.wires)):
                self.progress(choice)
            if self.count_stages() == before:
                self.wait(max(0.0, (self.conversation.deadline() or self.now) - self.now))

    def count_stages(self) -> Counter[str]:
        return Counter(wire.stage for wire in self.wires.values())


def names_in(message: Message) -> Iterator[str]:
    """What tells this message from others of its conversation."""
    match message:
        case Turn(results=ToolResults() as results):
            yield from names_in(results)
        case Turn(content):
            yield from (part.text for part in content.parts or [] if part.text)
        case ToolResults(responses):
            yield from names_of_results(responses)


def names_of_results(answers: Iterable[FunctionResponse]) -> list[str]:
    """Refusals read alike, and sessions use the same ids: those have no name."""
    return [f"result {each.id} {each.response}" for each in answers if "error" not in (each.response or {})]


def names_of(event: Event) -> list[str]:
    named = names_of_results(event.get_function_responses())
    parts = (event.content.parts or []) if event.content and event.author == "user" else []
    return named + [part.text for part in parts if part.text]


# --- what the world does ----------------------------------------------------------------------------------

Step = tuple[str, int]

KINDS = (
    *("turn", "turn", "partial", "start", "stop", "media", "state", "stream_end"),
    *(
        "progress",
        "connect",
        "connect",
        "wait",
        "long wait",
        "lose",
        "drop",
        "switch",
        "switch",
        "refuse",
        "handle",
        "handle",
        "going",
    ),
    *("text", "text", "thought", "audio", "part", "input", "input end", "output", "output end"),
    *("interrupted", "generated", "complete", "call", "call", "again", "cancelled", "usage", "error"),
    *("finish", "finish", "fail", "yield", "stop tool", "transfer", "answer"),
    *("written", "unwritable"),
)
LOOKS = ("look pass", "look pass", "look pass", "look veto", "look veto", "look answer", "look fail")
WATCHED = st.lists(
    st.tuples(st.sampled_from(KINDS + LOOKS + LOOKS), st.integers(0, 7)), min_size=60, max_size=140
)
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 7)), min_size=40, max_size=100)

SAID: dict[str, ModelSignal] = {
    "audio": ModelAudio(b"\1\0" * 240, AUDIO),
    "input end": InputTranscript("?", finished=True),
    "output end": OutputTranscript("", finished=True),
    "interrupted": ModelInterrupted(),
    "generated": GenerationComplete(),
    "complete": TurnComplete(),
    "usage": Usage(UsageMetadata(total_token_count=7)),
    "error": ModelError("UNAVAILABLE", "busy"),
    "part": ModelPart(Part(file_data=FileData(file_uri="memory:x", mime_type="image/png"))),
}


def model_says(world: World, kind: str, number: int) -> ModelSignal | None:
    match kind:
        case "text" | "thought":
            return ModelText(f"t{world.number()} ", thought=kind == "thought")
        case "input":
            return InputTranscript(f"i{world.number()} ")
        case "output":
            return OutputTranscript(f"o{world.number()} ")
        case "handle":
            return HandleUpdate(f"{world.conversation.agent}/{world.number()}", resumable=number != 0)
        case "going":
            return GoingAway(float(number * 2))
        case "call" | "again":
            named = world.number() if kind == "call" else number
            return ToolCalls((FunctionCall(id=f"c{named}", name=list(TOOLS)[number % 5], args={}),))
        case "cancelled":
            return CallsCancelled((f"c{number}", *list(world.running)[:1]))
    return SAID.get(kind)


def user_does(world: World, kind: str) -> Signal | None:
    match kind:
        case "turn" | "partial":
            return user_turn(world.ask(), partial=kind == "partial")
        case "start" | "stop":
            world.asked.append(kind)
            return UserActivity("start" if kind == "start" else "end")
        case "media":
            return user_media(b"\0\0" * 1_600)
        case "state":
            return UserState({"key": 1})
        case "stream_end":
            return UserStreamEnd()
    return None


def tool_does(world: World, kind: str, number: int) -> Signal | None:
    if kind == "answer":
        pending = [
            call_id for call_id in sorted(world.watcher.started) if world.watcher.answers[call_id] == 0
        ]
        call_id = pending[number % len(pending)] if pending else f"c{number}"
        goes_on = number % 3 == 0 or None
        answer = FunctionResponse(
            id=call_id, name="book", response={"n": world.number()}, will_continue=goes_on
        )
        return UserTurn(Content(role="user", parts=[Part(function_response=answer)]))
    if not world.running:
        return None
    call_id = list(world.running)[number % len(world.running)]
    if kind == "yield":
        return ToolYielded(call_id, {"n": world.number()})
    if kind == "stop tool" and len(world.running) > 1:
        world.watcher.stopped.add(call_id)
        del world.running[call_id]
        return ToolFinished(call_id, {}, stops="watch")
    name = world.running.pop(call_id)
    world.watcher.stopped.add(call_id)
    match kind:
        case "fail":
            return ToolFinished(call_id, {"error": {"code": "FAILED", "n": world.number()}}, failed=True)
        case "transfer":
            target = ("one", "two", "nobody")[number % 3]
            return ToolFinished(call_id, {"to": world.number()}, EventActions(transfer_to_agent=target))
    later = name == "book" and number % 2
    return ToolFinished(call_id, None if later else {"n": world.number()})


def look(world: World, kind: str, number: int) -> None:
    """A callback or a guardrail comes to a result."""
    answered = world.watcher.looks.answer(number, kind.removeprefix("look "))
    if answered is None:
        return
    review, outcome = answered
    if isinstance(review.about, Typed) and (outcome.veto or outcome.failed):
        world.vetoed.add(review.about.content.parts[0].text or "")  # type: ignore[index]
    sends, asks = len(world.said), world.watcher.asks
    world.feed(outcome)
    if outcome.veto and not isinstance(review.about, Typed):
        assert len(world.said) == sends, "a veto asks no model for anything (contract 5.13)"
    world.watcher.asks = max(world.watcher.asks, asks)


def act(world: World, step: Step) -> None:
    kind, number = step
    live = world.live_links()
    match kind:
        case "progress":
            world.progress(number)
        case "connect":
            world.wait(2.0)
            world.connect()
        case "wait" | "long wait":
            world.wait(number / 4 if kind == "wait" else number * 3.0)
        case "switch" if live:  # as far as hanging up on the old link
            world.feed(user_turn(world.ask()))
            world.feed(Received(live[-1], (GoingAway(4.0),)))
            world.progress(-1)
            world.wait(2.0)
            world.feed(user_turn(world.ask()))
            world.wait(number / 2)
        case "drop" if live:
            world.lose(live[-1], ConnectionLost("the cable"), number // 2)
        case "lose":
            link = list(world.wires)[-1 - number % min(2, len(world.wires))]
            if world.wires[link].stage != "gone":
                world.lose(link, ConnectionLost("the cable"), number // 2)
        case "refuse":
            for link in [n for n, wire in world.wires.items() if wire.stage == "begun"]:
                world.lose(link, ResumptionRefused("who?"), 0)
        case "look pass" | "look veto" | "look answer" | "look fail":
            look(world, kind, number)
        case "finish" | "fail" | "yield" | "stop tool" | "transfer" | "answer":
            if signal := tool_does(world, kind, number):
                world.feed(signal)
        case "written" | "unwritable" if world.watcher.unwritten:
            written = world.watcher.unwritten.pop(number % len(world.watcher.unwritten))
            if kind == "written":
                world.feed(RecordingSaved(written, f"memory:{written}", "audio/wav", "a.wav", written))
            else:
                world.feed(RecordingFailed(written, "the disk is full"))
        case _ if signal := user_does(world, kind):
            world.feed(signal)
        case _ if live and (said := model_says(world, kind, number)):
            world.feed(Received(live[-1 - number % len(live)], (said,)))


RESTLESS = RunConfig(
    realtime_input_config=MANUAL,
    retry=Retry(attempts=1_000, resume_attempts=2),
    save_live_blob=True,
    record_conversation=True,
    held_audio=0.25,
)
SWIFT = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)


@SWIFT
@given(STEPS)
def test_what_the_user_says_reaches_the_model_once_and_in_order(steps: list[Step]) -> None:
    # contract 7.2, 7.3
    world = World(RESTLESS, role("one"), role("two"))
    for step in steps:
        act(world, step)
    world.settle()
    assert not world.over
    heard = [name for said in world.said if said.left for name in spoken(said.message) if name in world.asked]
    turns = Counter(name for name in heard if name.startswith("u"))
    assert not turns or max(turns.values()) == 1, "said twice"
    told_by_seed = {name for wire in world.wires.values() if wire.fresh for name in wire.told}
    for name in world.asked:
        assert not name.startswith("u") or turns[name] or name in told_by_seed, f"{name} was lost"
    for kind in ("start", "stop"):
        assert heard.count(kind) == world.asked.count(kind), f"a {kind} was lost or doubled"
    if not world.late_report:
        rest = iter(world.asked)
        assert all(name in rest for name in heard), "out of order"


def spoken(message: Message) -> Iterator[str]:
    match message:
        case ActivityStarted():
            yield "start"
        case ActivityEnded():
            yield "stop"
        case _:
            yield from names_in(message)


@SWIFT
@given(STEPS, st.sampled_from([UserLeft(), AppLeft()]))
def test_every_call_is_answered_once_and_nothing_is_left_open(steps: list[Step], leave: Signal) -> None:
    # contract 1.6, 3.4, 3.5, 3.8, 4.2, 5.4: the watcher and the world look at every command
    world = World(RESTLESS, role("one"), role("two"))
    for step in steps:
        act(world, step)
    pending = {call_id for call_id in world.watcher.started if call_id not in world.running}
    world.feed(leave)
    world.wait(60.0)
    assert world.over
    assert world.conversation.deadline() is None
    for call_id in world.watcher.started:
        ended = world.watcher.answers[call_id]
        assert ended == 1 or (ended == 0 and call_id in pending), (
            "only a long-running call is left to the app"
        )
    for step in steps:
        act(world, step)


@SWIFT
@given(WATCHED, st.sampled_from([UserLeft(), AppLeft()]))
def test_whatever_callbacks_say_and_whenever_the_contract_holds(steps: list[Step], leave: Signal) -> None:
    # contract 3.4, 3.5, 3.8, 5.4, 5.10, 5.13: what is vetoed reaches no model, now or in a later session
    world = World(RESTLESS, role("one", watched=True), role("two", watched=True))
    for step in [("look pass", 0), ("connect", 0), *steps]:
        act(world, step)
    pending = {call_id for call_id in world.watcher.started if call_id not in world.running}
    world.feed(leave)
    world.wait(60.0)
    assert world.over
    for call_id in world.watcher.started:
        ended = world.watcher.answers[call_id]
        assert ended == 1 or (ended == 0 and call_id in pending)


# --- a world that keeps to nothing ------------------------------------------------------------------------

LINKS = st.integers(-1, 6)
IDS = st.sampled_from(["c1", "c2", "call-1", "", "?"])
WORDS = st.sampled_from(["", "a", "b c"])
ERRORS = st.sampled_from([None, ConnectionLost("x"), ResumptionRefused("x"), InvalidSetup("x")])
AGENTS = st.sampled_from([None, None, "one", "two", "nobody"])
CONTENTS = st.builds(
    lambda text, call_id: Content(
        parts=[
            *([Part(text=text)] if text else []),
            *(
                [Part(function_response=FunctionResponse(id=call_id, name="book", response={}))]
                if call_id
                else []
            ),
        ]
    ),
    WORDS,
    IDS,
)
ACTIONS = st.builds(
    lambda agent, delta: EventActions(transfer_to_agent=agent, state_delta=delta),
    AGENTS,
    st.sampled_from([{}, {"k": 1}]),
)
RESPONSES = st.sampled_from([None, {"ok": 1}])
MESSAGES = st.sampled_from(
    [Turn(Content(parts=[Part(text="x")])), ActivityStarted(), Media(user_media(b"\0\0").blob)]
)
CALLS = st.builds(lambda i, n: FunctionCall(id=i or None, name=n), IDS, st.sampled_from([*TOOLS, "?", None]))

MODEL_SIGNALS: st.SearchStrategy[Any] = st.one_of(
    st.builds(ModelReady),
    st.builds(ModelAudio, st.sampled_from([b"", b"\0\0"]), st.sampled_from([AUDIO, "audio/ogg", ""])),
    st.builds(ModelText, WORDS, st.booleans()),
    st.builds(InputTranscript, WORDS, st.booleans()),
    st.builds(OutputTranscript, WORDS, st.booleans()),
    st.builds(ModelInterrupted),
    st.builds(GenerationComplete),
    st.builds(TurnComplete),
    st.builds(ToolCalls, st.lists(CALLS, max_size=3).map(tuple)),
    st.builds(CallsCancelled, st.lists(IDS, max_size=2).map(tuple)),
    st.builds(HandleUpdate, st.sampled_from([None, "", "h"]), st.booleans()),
    st.builds(GoingAway, st.floats(-5, 60)),
    st.builds(ModelError, WORDS, WORDS),
)
SIGNALS: st.SearchStrategy[Any] = st.one_of(
    st.builds(Received, LINKS, st.lists(MODEL_SIGNALS, max_size=4)),
    st.builds(Received, st.just(1), st.lists(MODEL_SIGNALS, max_size=4)),
    st.builds(LinkDialled, LINKS),
    st.builds(LinkLost, LINKS, ERRORS, st.lists(MESSAGES, max_size=3).map(tuple)),
    st.builds(UserTurn, CONTENTS, st.booleans(), st.sampled_from([None, {"k": 1}])),
    st.builds(UserActivity, st.sampled_from(["start", "end", "stop"])),
    st.builds(UserPlayed, st.sampled_from([0.0, 10.0, 500.0]), st.sampled_from([None, 0, 1])),
    st.just(user_media(b"\0\0" * 800)),
    st.just(user_media(b"\xff\xd8", "image/jpeg")),
    st.builds(UserStreamEnd),
    st.builds(UserState, st.just({"k": 1})),
    st.builds(ToolFinished, IDS, RESPONSES, ACTIONS, st.booleans(), st.booleans(), st.booleans()),
    st.builds(ToolYielded, IDS, st.just({"n": 1}), ACTIONS),
    st.builds(
        RecordingSaved,
        st.integers(0, 4),
        st.just("memory:a"),
        st.just("audio/wav"),
        st.just("a"),
        st.just(0),
    ),
    st.builds(RecordingFailed, st.integers(0, 4), st.just("the disk is full")),
    st.tuples(st.integers(0, 7), st.sampled_from(["pass", "pass", "veto", "answer", "fail"])),
    st.builds(Reviewed, st.integers(-1, 30)),
    st.builds(Acted, st.just("one"), ACTIONS),
    st.just(Tick()),
    st.just(UserLeft()),
)
CONFIGS = st.builds(
    RunConfig,
    retry=st.builds(
        Retry, attempts=st.integers(0, 3), resume_attempts=st.integers(0, 2), first_delay=st.just(0.0)
    ),
    limits=st.builds(
        Limits, max_turns=st.sampled_from([None, 1, 3]), idle_timeout=st.sampled_from([None, 5.0])
    ),
    max_llm_calls=st.sampled_from([0, 2]),
    held_audio=st.sampled_from([0.0, 0.06, 10.0]),
    save_live_blob=st.booleans(),
    record_conversation=st.booleans(),
    realtime_input_config=st.sampled_from([None, MANUAL]),
)


@SWIFT
@given(CONFIGS, st.booleans(), st.booleans(), st.lists(st.tuples(SIGNALS, st.floats(0, 4)), max_size=40))
def test_no_order_of_signals_is_too_much(
    config: RunConfig, snapshot: bool, watched: bool, signals: list[tuple[Any, float]]
) -> None:
    roles = (role("one", snapshot=snapshot, watched=watched), role("two", watched=watched))
    conversed = conversation(*roles, config=config)
    watcher = Watcher(asks=len(signals))
    now = 0.0
    dialled: set[int] = set()
    opened: set[int] = {signal.link for signal, _ in signals if isinstance(signal, LinkDialled)}

    def take(commands: list[Command]) -> None:
        for command in commands:
            watcher.see(command)
            match command:
                case Dial(link):
                    dialled.add(link)
                case Begin(link):
                    assert link in dialled & opened
                case Send(link) | HangUp(link):
                    assert link in dialled

    take(conversed.start(now))
    for signal, pause in [*signals, (AppLeft(), 2.5), (Tick(), 0.0)]:
        if isinstance(signal, tuple):  # a look comes to a result
            answered = watcher.looks.answer(*signal)
            if answered is None:
                continue
            signal = answered[1]
        elif isinstance(signal, Reviewed):
            watcher.looks.open.pop(signal.id, None)
        take(conversed.handle(signal, now))
        now += pause
        for _ in range(20):
            due = conversed.deadline()
            if due is None or due > now:
                break
            take(conversed.handle(Tick(), now))
        else:
            raise AssertionError("a busy loop")
    assert watcher.over
