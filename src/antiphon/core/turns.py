"""Who holds the floor, and the text of the turn so far.

Rule 1 (contract 3.5)  A turn is announced complete exactly once.
Rule 2 (contract 3.6)  What arrives for a turn after it was cut off is dropped, until the turn is over.
Rule 3 (contract 3.4)  Text merges by segment, which ends where something other than its kind of text comes.
Rule 4                 A model that says `interrupted` and then never ends the turn does not keep the floor:
                       after `SETTLE` seconds the turn counts as over.
Rule 5 (contract 5.8)  A turn goes on across a reconnect or a hand-over; if nothing more comes, it is over
                       after `RESUME_SETTLE` seconds on the new link, unless the model waits for a tool.
Rule 6                 Words of the user that come while the model holds the floor may be a late transcript
                       of what it is answering: they want an answer of their own only if they interrupt it.
Rule 7 (contract 7.3)  A model that was asked just before its link was lost, and is silent for `RE_ASK`
                       seconds after it was resumed, is asked again.
Rule 8 (contract 5.13) A veto ends the turn for the application at once; what the model still says of it, or
                       says to vetoed words, is dropped until the model ends that turn, or is silent for
                       `MUTE_SETTLE` seconds in it. A model that never answers is heard again as soon as the
                       user has said something else.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from antiphon.core.playhead import Playhead

__all__ = ["MUTE_SETTLE", "RESUME_SETTLE", "RE_ASK", "SETTLE", "Act", "Beat", "Floor", "Segment", "Turns"]

SETTLE: Final = 2.0
RESUME_SETTLE: Final = 5.0
RE_ASK: Final = 8.0
MUTE_SETTLE: Final = 5.0


class Floor(Enum):
    """Where the model's turn stands."""

    QUIET = auto()
    """No turn; the floor is the user's."""
    SPEAKING = auto()
    """Content is arriving."""
    GENERATED = auto()
    """All of it has arrived; it is still being played."""
    CUT = auto()
    """Interrupted; leftovers of the turn are dropped."""
    HUSHED = auto()
    """Interrupted when nothing was being said: there can be no leftovers."""
    SUSPENDED = auto()
    """The link went away in mid-turn; the turn may go on."""
    MUTED = auto()
    """Vetoed, and announced as over; what still comes of it is dropped."""
    BARRED = auto()
    """What the user said was vetoed: the answer to it, if one comes, is dropped."""


class Beat(Enum):
    """What moves the floor."""

    CONTENT = auto()
    GENERATED = auto()
    INTERRUPTED = auto()
    COMPLETE = auto()
    LOST = auto()
    SETTLED = auto()
    VETOED = auto()


class Act(Enum):
    """What a beat amounts to."""

    PASS = auto()
    """Let it through."""
    DROP = auto()
    """Leave it out: a leftover, or nothing new."""
    CUT = auto()
    """Announce the interruption."""
    CLOSE = auto()
    """Announce the end of the turn."""
    CLOSE_CUT = auto()
    """Announce the end of a turn that was cut off."""


_SPEAKING: Final = Floor.SPEAKING  # looked up once: this is asked with every chunk of speech

_TABLE: Final[dict[tuple[Floor, Beat], tuple[Floor, Act]]] = {
    (Floor.QUIET, Beat.CONTENT): (Floor.SPEAKING, Act.PASS),
    (Floor.QUIET, Beat.GENERATED): (Floor.QUIET, Act.DROP),
    (Floor.QUIET, Beat.INTERRUPTED): (Floor.HUSHED, Act.CUT),
    (Floor.QUIET, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE),  # a turn without content; see `Turns.beat`
    (Floor.QUIET, Beat.LOST): (Floor.QUIET, Act.DROP),
    (Floor.QUIET, Beat.SETTLED): (Floor.QUIET, Act.DROP),
    (Floor.SPEAKING, Beat.CONTENT): (Floor.SPEAKING, Act.PASS),
    (Floor.SPEAKING, Beat.GENERATED): (Floor.GENERATED, Act.PASS),
    (Floor.SPEAKING, Beat.INTERRUPTED): (Floor.CUT, Act.CUT),
    (Floor.SPEAKING, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE),
    (Floor.SPEAKING, Beat.LOST): (Floor.SUSPENDED, Act.PASS),
    (Floor.SPEAKING, Beat.SETTLED): (Floor.SPEAKING, Act.DROP),
    (Floor.GENERATED, Beat.CONTENT): (Floor.SPEAKING, Act.PASS),
    (Floor.GENERATED, Beat.GENERATED): (Floor.GENERATED, Act.DROP),
    (Floor.GENERATED, Beat.INTERRUPTED): (Floor.CUT, Act.CUT),
    (Floor.GENERATED, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE),
    (Floor.GENERATED, Beat.LOST): (Floor.SUSPENDED, Act.PASS),
    (Floor.GENERATED, Beat.SETTLED): (Floor.GENERATED, Act.DROP),
    (Floor.CUT, Beat.CONTENT): (Floor.CUT, Act.DROP),
    (Floor.CUT, Beat.GENERATED): (Floor.CUT, Act.DROP),
    (Floor.CUT, Beat.INTERRUPTED): (Floor.CUT, Act.DROP),
    (Floor.CUT, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE_CUT),
    (Floor.CUT, Beat.LOST): (Floor.QUIET, Act.CLOSE_CUT),
    (Floor.CUT, Beat.SETTLED): (Floor.QUIET, Act.CLOSE_CUT),
    (Floor.HUSHED, Beat.CONTENT): (Floor.SPEAKING, Act.PASS),
    (Floor.HUSHED, Beat.GENERATED): (Floor.HUSHED, Act.DROP),
    (Floor.HUSHED, Beat.INTERRUPTED): (Floor.HUSHED, Act.DROP),
    (Floor.HUSHED, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE_CUT),
    (Floor.HUSHED, Beat.LOST): (Floor.QUIET, Act.DROP),
    (Floor.HUSHED, Beat.SETTLED): (Floor.QUIET, Act.DROP),
    (Floor.SUSPENDED, Beat.CONTENT): (Floor.SPEAKING, Act.PASS),
    (Floor.SUSPENDED, Beat.GENERATED): (Floor.GENERATED, Act.PASS),
    (Floor.SUSPENDED, Beat.INTERRUPTED): (Floor.CUT, Act.CUT),
    (Floor.SUSPENDED, Beat.COMPLETE): (Floor.QUIET, Act.CLOSE),
    (Floor.SUSPENDED, Beat.LOST): (Floor.SUSPENDED, Act.DROP),
    (Floor.SUSPENDED, Beat.SETTLED): (Floor.QUIET, Act.CLOSE_CUT),
    (Floor.MUTED, Beat.CONTENT): (Floor.MUTED, Act.DROP),
    (Floor.MUTED, Beat.GENERATED): (Floor.MUTED, Act.DROP),
    (Floor.MUTED, Beat.INTERRUPTED): (Floor.MUTED, Act.DROP),
    (Floor.MUTED, Beat.COMPLETE): (Floor.QUIET, Act.DROP),
    (Floor.MUTED, Beat.LOST): (Floor.MUTED, Act.DROP),
    (Floor.MUTED, Beat.SETTLED): (Floor.QUIET, Act.DROP),
    (Floor.BARRED, Beat.CONTENT): (Floor.MUTED, Act.DROP),
    (Floor.BARRED, Beat.GENERATED): (Floor.BARRED, Act.DROP),
    (Floor.BARRED, Beat.INTERRUPTED): (Floor.BARRED, Act.CUT),
    (Floor.BARRED, Beat.COMPLETE): (Floor.QUIET, Act.DROP),
    (Floor.BARRED, Beat.LOST): (Floor.BARRED, Act.DROP),
    (Floor.BARRED, Beat.SETTLED): (Floor.BARRED, Act.DROP),
    (Floor.QUIET, Beat.VETOED): (Floor.BARRED, Act.CLOSE),
    (Floor.SPEAKING, Beat.VETOED): (Floor.MUTED, Act.CLOSE_CUT),
    (Floor.GENERATED, Beat.VETOED): (Floor.MUTED, Act.CLOSE_CUT),
    (Floor.CUT, Beat.VETOED): (Floor.MUTED, Act.CLOSE_CUT),
    (Floor.HUSHED, Beat.VETOED): (Floor.MUTED, Act.CLOSE_CUT),
    (Floor.SUSPENDED, Beat.VETOED): (Floor.MUTED, Act.CLOSE_CUT),
    (Floor.MUTED, Beat.VETOED): (Floor.MUTED, Act.CLOSE),
    (Floor.BARRED, Beat.VETOED): (Floor.BARRED, Act.CLOSE),
}

_OPENS: Final = frozenset({Floor.QUIET, Floor.HUSHED, Floor.SUSPENDED})
"""Where the next content, or an end without any, is the answer to what the user said last."""


class Segment:
    """One run of text of one kind, growing; at its end it is merged into one event."""

    __slots__ = ("_pieces", "thought")

    def __init__(self, thought: bool) -> None:
        self.thought = thought
        self._pieces: list[str] = []

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def merged(self) -> str:
        return "".join(self._pieces)


class Mute:
    """What a veto leaves behind (rule 8)."""

    __slots__ = ("bars_next", "by_user", "cut", "late")

    def __init__(self) -> None:
        self.by_user = False
        """It was the user's words that were vetoed."""
        self.bars_next = False
        """The muted turn is not the answer to them: that is still to come."""
        self.cut = False
        """The model has said that it was interrupted: only leftovers follow."""
        self.late = False
        """Transcripts that come when the turn is over are of vetoed words."""


class Turns:
    """The floor, the open text segment, and whether the model owes the user an answer."""

    def __init__(self) -> None:
        self.floor = Floor.QUIET
        self.completed = 0
        self.owed = False
        """The user has said something since the model last took the floor."""
        self.hand_overs = 0
        """How often agents have handed over since the user last said something."""
        self.handed_over = False
        """Another agent has taken over, and has not said anything yet."""
        self.playhead = Playhead()
        """How much of the model's speech was heard."""
        self.result_told = False
        """The model was given the result of a call, and has not said anything since."""
        self.calls: list[str] = []
        """The calls made in this turn."""
        self.mute = Mute()
        self._segment: Segment | None = None
        self._settles_at: float | None = None

    @property
    def quiet(self) -> bool:
        return self.floor is Floor.QUIET

    @property
    def suspended(self) -> bool:
        return self.floor is Floor.SUSPENDED

    @property
    def flowing(self) -> bool:
        """Whether more content changes nothing: the model is speaking, and of what it was last told."""
        return self.floor is _SPEAKING and not self.result_told

    @property
    def over(self) -> bool:
        """Whether a turn has ended and nobody asked for another: a transcript that comes now is of it."""
        return self.quiet and self.completed > 0 and not self.owed and not self.unfinished

    @property
    def unfinished(self) -> bool:
        """Whether the model goes on without the user: it has a result to speak of, or has just taken over."""
        return self.result_told or self.handed_over

    def asked(self) -> None:
        """The user said something that wants an answer."""
        self.owed = True
        self.hand_overs = 0

    def passed_on(self) -> None:
        """Another agent is to answer what the user said."""
        self.owed = self.handed_over = True
        self.hand_overs += 1

    def spoken_of(self) -> None:
        """The model has nothing more to say of what it was told."""
        self.result_told = self.handed_over = False

    def heard(self) -> None:
        """Words of the user were transcribed (rule 6)."""
        self.hand_overs = 0
        if self.floor not in (Floor.SPEAKING, Floor.GENERATED):
            self.owed = True

    def beat(self, beat: Beat, now: float) -> Act:
        """Moves the floor, and says what the beat amounts to."""
        before = self.floor
        self.floor, act = _TABLE[before, beat]
        if beat is Beat.COMPLETE and act is Act.CLOSE and before is Floor.QUIET and not self.owed:
            return Act.DROP  # a second end of a turn that has ended: rule 1
        if before in _OPENS and (self.floor is Floor.SPEAKING or act is Act.CLOSE):
            self.owed = False
        if beat is Beat.CONTENT and act is Act.PASS:
            self.result_told = self.handed_over = self.mute.late = False
        if act in (Act.CLOSE, Act.CLOSE_CUT):
            self.completed += 1
            self.result_told = self.result_told and (act is Act.CLOSE or before is Floor.SUSPENDED)
            self.calls = []
        if self.floor is not before or beat in (Beat.LOST, Beat.SETTLED):
            cut = self.floor in (Floor.CUT, Floor.HUSHED)
            self._settles_at = now + SETTLE if cut else None
        if Floor.MUTED in (before, self.floor):
            self._muted(before, beat, now)
        return act

    def _muted(self, before: Floor, beat: Beat, now: float) -> None:
        """A muted turn began, went on, or ended (rule 8)."""
        mute = self.mute
        if self.floor is not Floor.MUTED:
            mute.cut = False
            if mute.bars_next:
                mute.bars_next, self.floor = False, Floor.BARRED
        elif beat is Beat.INTERRUPTED:
            mute.cut, mute.bars_next = True, mute.bars_next or mute.by_user
            self._settles_at = now + SETTLE
        elif before is not Floor.MUTED or (beat is not Beat.LOST and not mute.cut):
            mute.late = True
            self._settles_at = now + MUTE_SETTLE

    def bar(self, now: float) -> Act:
        """What the user said aloud was vetoed, and is not answered yet: the answer is not to be heard."""
        bars_next = self.floor in (Floor.CUT, Floor.HUSHED, Floor.MUTED)
        act = self.beat(Beat.VETOED, now)
        self.mute.by_user, self.mute.bars_next = True, bars_next
        self.owed = False
        return act

    def lift(self) -> None:
        """The user has said something else: the answer to that is to be heard."""
        self.mute.by_user = self.mute.bars_next = False
        if self.floor is Floor.BARRED:
            self.floor = Floor.QUIET

    def begin_anew(self) -> None:
        """A fresh session knows nothing of what was vetoed."""
        self.lift()
        if self.floor is Floor.MUTED:
            self.floor, self.mute.cut, self._settles_at = Floor.QUIET, False, None

    def resumed(self, now: float, *, asked: bool) -> None:
        """A new link is ready: a suspended turn may go on, an owed answer come (rules 5 and 7)."""
        if self.floor in (Floor.SUSPENDED, Floor.MUTED):
            self._settles_at = now + RESUME_SETTLE
        elif self.floor is Floor.QUIET and asked:
            self._settles_at = now + RE_ASK

    def waits_for_tools(self, now: float) -> bool:
        """A suspended turn whose tools still run is given more time; whether it is one."""
        if self.suspended:
            self._settles_at = now + RESUME_SETTLE
        return self.suspended

    def deadline(self) -> float | None:
        return self._settles_at

    def due(self, now: float) -> bool:
        """Whether the floor has waited long enough for a turn that does not end."""
        return self._settles_at is not None and now >= self._settles_at

    def text(self, text: str, thought: bool) -> Segment | None:
        """Adds to the open segment; the one that ends by it, if any, is returned (rule 3)."""
        ended = self.end_segment() if self._segment and self._segment.thought is not thought else None
        if self._segment is None:
            self._segment = Segment(thought)
        self._segment.add(text)
        return ended

    def end_segment(self) -> Segment | None:
        """Closes the open segment and returns it, if there is one."""
        ended, self._segment = self._segment, None
        return ended
