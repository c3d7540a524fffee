"""`Visitor`: a user of the demo without devices: asks by a voice of its own, and cuts in."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.cli.loudspeaker import Loudspeaker
from antiphon.cli.spoken import CHUNK_SECONDS
from antiphon.cli.voices import LOUDSPEAKER, MICROPHONE, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.cli.spoken import Call
    from antiphon.models.local.synthesizer import Synthesizer

__all__ = ["QUESTIONS", "Question", "Visitor", "mixed"]

_CHUNK: Final = int(MICROPHONE * CHUNK_SECONDS) * 2
_ALOUD: Final = int(LOUDSPEAKER * CHUNK_SECONDS) * 2
_PATIENCE: Final = 5.0
"""Seconds from a question to the first sound of its answer; then it is given up."""
_LONGEST: Final = 20.0
"""Seconds of an answer that are listened to."""
_BREATH: Final = 0.5
"""Seconds of silence before each question."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the visitor says, and when the next question comes."""

    text: str
    hears: float | None = None
    """Seconds of the answer that are heard before the visitor cuts in; `None` for all of it."""


QUESTIONS: Final = (
    Question("Good morning. What is the weather like in Paris?"),
    Question("Could you count to twenty, please?", hears=2.2),
    Question("And what time is it in New York?"),
)


class Visitor:
    """Asks the questions one after the other. Synthesizes them beforehand: make it off the event loop.

    `aloud` gets the same sound at 24 kHz, for those who listen.
    """

    def __init__(self, voice: Synthesizer, questions: Sequence[Question] = QUESTIONS) -> None:
        self.aloud = Loudspeaker()
        self._questions = [(each, _said(voice, each.text)) for each in questions]
        self._chunks = 0
        self._left = False

    def leave(self) -> None:
        """Nothing more is said."""
        self._left = True

    async def user(self, call: Call) -> None:
        """What `talk_through` takes."""
        cuts_in = False
        for question, (pcm, aloud) in self._questions:
            if not cuts_in:
                await self._listens(call, _BREATH)
            await self._says(call, pcm, aloud)
            await self._hears(call, question.hears)
            cuts_in = question.hears is not None

    async def _says(self, call: Call, pcm: bytes, aloud: bytes) -> None:
        for number in range(-(-len(pcm) // _CHUNK)):
            if self._left:
                return
            self.aloud.speaks(0, aloud[number * _ALOUD : (number + 1) * _ALOUD])
            await self._chunk(call, pcm[number * _CHUNK : (number + 1) * _CHUNK].ljust(_CHUNK, b"\0"))

    async def _hears(self, call: Call, seconds: float | None) -> None:
        """Listens to the answer: all of it, or so many seconds."""
        turns = call.turns

        def begun() -> bool:
            return call.turns > turns or call.speaking_since is not None

        await self._listens(call, _PATIENCE, begun)
        if begun():
            await self._listens(call, _LONGEST if seconds is None else seconds, lambda: call.turns > turns)

    async def _listens(self, call: Call, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        until = call.now + seconds
        while not self._left and call.now < until and not enough():
            await self._chunk(call, bytes(_CHUNK))

    async def _chunk(self, call: Call, pcm: bytes) -> None:
        await asyncio.sleep(max(self._chunks * CHUNK_SECONDS - call.now, 0))
        self._chunks += 1
        call.hear(pcm)


def mixed(*voices: Loudspeaker) -> Callable[[int], bytes]:
    """What a device takes to play all of these at once."""

    def take(size: int) -> bytes:
        sides = [array("h", voice.take(size)) for voice in voices]
        return array(
            "h", (max(-32_768, min(sum(each), 32_767)) for each in zip(*sides, strict=True))
        ).tobytes()

    return take


def _said(voice: Synthesizer, text: str) -> tuple[bytes, bytes]:
    """At the microphone's rate, and at the loudspeaker's."""
    pcm = b"".join(speech.pcm for speech in voice.say(text))
    return resampled(pcm, voice.rate, MICROPHONE), resampled(pcm, voice.rate, LOUDSPEAKER)
