"""`Microphone`: one conversation's ear, from audio as it comes to whole utterances.

All of it is work for a thread, and may take its time: framing, voice activity, recognition. Who calls it
calls it from one thread at a time, with what came in its order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded
from antiphon.models.local.backlog import Late, Piece, Speaking
from antiphon.models.local.framing import Framing
from antiphon.models.local.listening import (
    Ask,
    End,
    Hold,
    Interrupt,
    Listening,
    Onset,
    Resume,
    Sound,
    Weigh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from antiphon.models.local.attention import Attention
    from antiphon.models.local.backlog import Item
    from antiphon.models.local.endpointing import Endpointing
    from antiphon.models.local.listening import Notice
    from antiphon.models.local.recognizer import Heard, Hearing
    from antiphon.models.local.vad import VoiceActivity

__all__ = ["Began", "Deaf", "Microphone", "News", "Report", "Said"]

log = logging.getLogger(__name__)

SILENT: Final = 0.1
"""Below this probability nobody speaks."""


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks. Followed by one `Said`, or by `Resume` if it was nothing."""

    at: float
    """Seconds of audio since the beginning."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance is over; `text` is empty when nothing was understood."""

    text: str
    at: float
    """Seconds of audio at which its speech ended."""


@dataclass(frozen=True, slots=True)
class Deaf:
    """Recognition failed; what was being said is lost."""

    error: Exception


News: TypeAlias = Began | Said | Deaf | Hold | Resume | Interrupt


@dataclass(frozen=True, slots=True)
class Report:
    """What there was to hear."""

    news: Sequence[News]
    deadline: float | None
    """When a `Late` should come, unless something else does."""
    error: Exception | None = None
    """Something could not be listened to; what was being said has ended with it."""


class Microphone:
    """Made and used off the event loop."""

    def __init__(
        self,
        attention: Attention,
        endpointing: Endpointing,
        voice_activity: VoiceActivity,
        hear: Callable[[], Hearing],
        *,
        eager: bool,
    ) -> None:
        """`hear` begins to recognise an utterance; `eager`: it may be asked before that is over.

        Raises `ConfigurationError` when a part is missing.
        """
        self._manual = attention.manual
        self._nods = attention.backchannels, attention.nod
        self._framing = Framing()
        self._detector = None if attention.manual else voice_activity.detector()
        self._listening = Listening(attention, endpointing.speaker())
        self._hear = hear
        self._eager = eager
        self._hearing: Hearing | None = None
        self._heard: Heard | None = None
        """What was said, if nothing was since."""
        self._over_speech = False
        """The agent speaks."""

    def take(self, items: Iterable[Item]) -> Report:
        """Listens to what came. Whatever happens, who was told of a beginning is told of its end."""
        news: list[News] = []
        failed: Exception | None = None
        for item in items:
            try:
                self._item(item, news)
            except Exception as error:
                failed = failed or error
                self._framing = Framing()
                self._act(self._listening.stream_ended(), news)
        return Report(news, self._listening.deadline(), failed)

    def _item(self, item: Item, news: list[News]) -> None:
        match item:
            case Piece():
                for frame in self._framing.feed(bytes(item.pcm), item.rate):
                    self._frame(frame, item.came, news)
            case Speaking(speaking):
                self._over_speech = speaking
                self._act(self._listening.speaking(speaking), news)
            case Late(now):
                self._act(self._listening.late(now), news)
            case ActivityStarted():
                if self._manual:
                    self._act(self._listening.mark_start(), news)
            case ActivityEnded():
                if self._manual:
                    self._rest(news)
                    self._act(self._listening.mark_end(), news)
            case StreamEnded():
                self._rest(news)
                self._act(self._listening.stream_ended(), news)
                if self._detector is not None:
                    self._detector.reset()
            case _:
                assert_never(item)

    def _rest(self, news: list[News]) -> None:
        for frame in self._framing.end():
            self._frame(frame, float("-inf"), news)

    def _frame(self, frame: bytes, came: float, news: list[News]) -> None:
        detector = self._detector
        probability = detector.probability(frame) if detector is not None else 0.0
        if detector is not None and self._over_speech and probability < SILENT:
            detector.fade()
        self._act(self._listening.frame(frame, probability, came), news)

    def _act(self, notices: Iterable[Notice], news: list[News]) -> None:
        for notice in notices:
            match notice:
                case Onset(at, pcm):
                    news.append(Began(at))
                    self._begin(pcm, news)
                case Sound(pcm, speech):
                    self._listen(pcm, speech, news)
                case Ask():
                    if self._eager and self._asked(news):
                        self._act(self._listening.words(self._words), news)
                case Weigh():
                    self._act(self._listening.weighed(self._weighed(news)), news)
                case End(at):
                    self._asked(news)
                    news.append(Said(self._words, at))
                    self._hearing = None
                case Resume():
                    self._hearing = None
                    news.append(notice)
                case Hold() | Interrupt():
                    news.append(notice)
                case _:
                    assert_never(notice)

    @property
    def _words(self) -> str:
        return self._heard.text.strip() if self._heard is not None else ""

    def _begin(self, pcm: bytes, news: list[News]) -> None:
        self._heard = None
        try:
            self._hearing = self._hear()
            self._hearing.feed(pcm)
        except Exception as error:
            self._failed(error, news)

    def _listen(self, pcm: bytes, speech: bool, news: list[News]) -> None:
        if self._hearing is None:
            return
        self._heard = None if speech else self._heard
        try:
            self._hearing.feed(pcm)
        except Exception as error:
            self._failed(error, news)

    def _asked(self, news: list[News]) -> bool:
        """Finds out what was said so far, unless that is known; whether it is now."""
        if self._hearing is not None and self._heard is None:
            try:
                self._heard = self._hearing.heard()
            except Exception as error:
                self._failed(error, news)
        return self._heard is not None

    def _weighed(self, news: list[News]) -> float:
        """How likely it is that what was said so far is no more than a nod; 1 where that cannot be told."""
        try:
            return self._hearing.nod(*self._nods) if self._hearing is not None and self._eager else 1.0
        except Exception as error:
            self._failed(error, news)
            return 1.0

    def _failed(self, error: Exception, news: list[News]) -> None:
        log.warning("Recognition failed.", exc_info=error)
        self._hearing = self._heard = None
        news.append(Deaf(error))
