"""Who holds the floor, and the text of the turn so far.

Rule 1 (contract 3.5)  A turn is announced complete exactly once.
Rule 2 (contract 3.6)  What arrives for a turn after it was cut off is dropped, until the turn is over.
Rule 3 (contract 3.4)  Text merges by segment, which ends where something other than its kind of text comes.
Rule 4                 A model that says `interrupted` and then never ends the turn does not keep the floor:
                       after `SETTLE` seconds the turn counts as over.
Rule 5 (contract 5.8)  A turn goes on across a reconnect or a hand-over; if nothing more comes, it is over
                       after `RESUME_SETTLE` seconds on the new link.
Rule 6                 Words of the user that come while the model holds the floor may be a late transcript
                       of what it is answering: they want an answer of their own only if they interrupt it.
Rule 7 (contract 7.3)  A model that was asked just before its link was lost, and is silent for `RE_ASK`
                       seconds after it was resumed, is asked again.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from antiphon.core.playhead import Playhead

__all__ = ["RESUME_SETTLE", "RE_ASK", "SETTLE", "Act", "Beat", "Floor", "Segment", "Turns"]

SETTLE: Final = 2.0
RESUME_SETTLE: Final = 5.0
RE_ASK: Final = 8.0


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


class Beat(Enum):
    """What moves the floor."""

    CONTENT = auto()
    GENERATED = auto()
    INTERRUPTED = auto()
    COMPLETE = auto()
    LOST = auto()
    SETTLED = auto()


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
        self._segment: Segment | None = None
        self._settles_at: float | None = None

    @property
    def quiet(self) -> bool:
        return self.floor is Floor.QUIET

    @property
    def flowing(self) -> bool:
        """Whether more content changes nothing: the model is speaking, and of what it was last told."""
        return self.floor is Floor.SPEAKING and not self.result_told

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

    def heard(self) -> None:
        """Words of the user were transcribed (rule 6)."""
        self.hand_overs = 0
        if self.floor not in (Floor.SPEAKING, Floor.GENERATED):
            self.owed = True

    def beat(self, beat: Beat, now: float) -> Act:
        """Moves the floor, and says what the beat amounts to."""
        before = self.floor
        self.floor, act = _TABLE[before, beat]
        if act is Act.CLOSE and before is Floor.QUIET and not self.owed:
            return Act.DROP  # a second end of a turn that has ended: rule 1
        if before in _OPENS and (self.floor is Floor.SPEAKING or act is Act.CLOSE):
            self.owed = False
        if beat is Beat.CONTENT and act is Act.PASS:
            self.result_told = self.handed_over = False
        if act in (Act.CLOSE, Act.CLOSE_CUT):
            self.completed += 1
            self.result_told = self.result_told and act is Act.CLOSE
        if self.floor is not before or beat in (Beat.LOST, Beat.SETTLED):
            cut = self.floor in (Floor.CUT, Floor.HUSHED)
            self._settles_at = now + SETTLE if cut else None
        return act

    def resumed(self, now: float, *, asked: bool) -> None:
        """A new link is ready: a suspended turn may go on, an owed answer come (rules 5 and 7)."""
        if self.floor is Floor.SUSPENDED:
            self._settles_at = now + RESUME_SETTLE
        elif self.floor is Floor.QUIET and asked:
            self._settles_at = now + RE_ASK

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
