"""`Mouth`: an answer as it is written, said sentence by sentence while the rest is being written.

Rule 1  What is told as a transcript is the text as it was written, each word when its sound begins; so what
        was told of an answer that is cut off ends where its sound ends.
Rule 2  Sentences are synthesised while those before them are heard, up to `AHEAD` seconds before.
Rule 3  What cannot be said is told without sound, and as an error: nothing that was written is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from antiphon.core.signals import GenerationComplete, ModelAudio, ModelError, OutputTranscript
from antiphon.errors import MissingExtra
from antiphon.events import ErrorCode
from antiphon.models.liveness import CLOSE_TIMEOUT
from antiphon.models.local.lanes import Lane
from antiphon.models.local.playout import SPOKEN_RATE, Mark, Playout
from antiphon.models.local.sentences import Sentence, Sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from antiphon.core.signals import ModelSignal
    from antiphon.models.local.synthesizer import Speech, Synthesizer

__all__ = ["AHEAD", "Mouth", "Outlet"]

log = logging.getLogger(__name__)

AHEAD: Final = 6.0
"""Seconds of synthesised speech that wait to be heard; then synthesis does."""
_STEP: Final = 0.2
"""Seconds of speech that are synthesised at a time, at least."""
_MIME_TYPE: Final = f"audio/pcm;rate={SPOKEN_RATE}"


@dataclass(frozen=True, slots=True)
class Outlet:
    """Whom a mouth tells."""

    said: Callable[[Sequence[ModelSignal]], None]
    speaking: Callable[[bool], None]
    """Whether the agent is being heard, from now on."""
    over: Callable[[], None]
    """All that was written before `finish` has been heard."""


class _Saying:
    """A sentence on its way to sound; for one thread at a time."""

    def __init__(self, synthesizer: Synthesizer, sentence: Sentence) -> None:
        self.sentence = sentence
        self.over = False
        self._synthesizer = synthesizer
        self._speech: Iterator[Speech] | None = None
        self._resampler: Any = None
        self._said = self._written = 0

    def more(self) -> tuple[list[tuple[str, bytes]], Exception | None]:
        """The next words as they were written, each with the sound from there on, at `SPOKEN_RATE`.

        With an error all that is left of the sentence is there, without sound.
        """
        pieces: list[tuple[str, bytes]] = []
        try:
            self._add(pieces)
        except Exception as error:
            self.over = True
            return [*pieces, (self._until(len(self.sentence.said)), b"")], error
        return pieces, None

    def _add(self, pieces: list[tuple[str, bytes]]) -> None:
        if self._speech is None:
            self._speech = self._synthesizer.say(self.sentence.said)
            self._resampler = _resampler(self._synthesizer.rate)
        wanted = int(_STEP * SPOKEN_RATE) * 2
        while wanted > 0:
            speech = next(self._speech, None)
            if speech is None:
                self.over = True
                pieces.append((self._until(len(self.sentence.said)), self._resampled(b"", last=True)))
                return
            pcm = self._resampled(speech.pcm, last=False)
            pieces.append((self._until(self._said + len(speech.text)), pcm))
            self._said += len(speech.text)
            wanted -= len(pcm)

    def close(self) -> None:
        if isinstance(self._speech, Generator):
            self._speech.close()

    def _until(self, said: int) -> str:
        end = self.sentence.written_until(said)
        begin, self._written = self._written, max(end, self._written)
        return self.sentence.written[begin : self._written]

    def _resampled(self, pcm: bytes, *, last: bool) -> bytes:
        if self._resampler is None:
            return pcm
        import numpy

        return bytes(self._resampler.resample_chunk(numpy.frombuffer(pcm, "<i2"), last=last).tobytes())


@dataclass(slots=True)
class _Answer:
    """One turn of the agent's."""

    written: int = 0
    """Characters."""
    told: int = 0
    last: str = ""
    """The last character of that."""
    seams: deque[int] = field(default_factory=deque)
    """Where responses begin that are still to be told, the first one's apart."""
    responses: int = 0
    """Characters of the responses that are whole, which come first."""
    finished: bool = False
    generated: bool = False
    splitter: Sentences | None = None
    whole: deque[Sentence] = field(default_factory=deque)
    """To be said, of these."""
    sentences: deque[Sentence] = field(default_factory=deque)
    """To be said after them, of the response that is being written."""
    saying: _Saying | None = None
    mark: Mark | None = None
    """Where the response that is not whole begins in the sound, once that is known."""
    errors: set[str] = field(default_factory=set)
    """What was told of sentences that could not be said."""

    @property
    def pending(self) -> bool:
        """Whether there is something to synthesise."""
        return self.saying is not None or bool(self.whole or self.sentences)

    def transcript(self, words: str) -> str:
        """The next words told, as they are to be read: between two responses there is a space."""
        begin, self.told = self.told, self.told + len(words)
        while self.seams and self.seams[0] < self.told:
            at = self.seams.popleft() - begin
            before = words[at - 1] if at else self.last
            if before.strip() and words[at].strip():
                words, begin = f"{words[:at]} {words[at:]}", begin - 1
        self.last = words[-1:] or self.last
        return words

    def forget(self, *, busy: bool) -> None:
        """What is being said is said no further. What a thread is `busy` with closes when it is done."""
        if self.saying is not None and not busy:
            self.saying.close()
        self.saying = None


class Mouth:
    """One conversation's. To be made, used and closed on its event loop; synthesis is done elsewhere."""

    def __init__(self, synthesizer: Synthesizer, outlet: Outlet, *, ahead: float, transcribes: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._synthesizer = synthesizer
        self._lane = Lane(self._failed)
        self._outlet = outlet
        self._transcribes = transcribes
        self._playout = Playout(ahead)
        self._answer = _Answer()
        self._timer: asyncio.TimerHandle | None = None
        self._heard = False
        """The agent is being heard."""

    @property
    def busy(self) -> bool:
        """Whether there is something that has not been heard."""
        answer = self._answer
        return bool(
            answer.written > answer.told or not self._playout.empty or self._playout.until > self._loop.time()
        )

    @property
    def finishing(self) -> bool:
        """`finish` was called, and `over` was not."""
        return self._answer.finished

    @property
    def begun(self) -> bool:
        """Whether anything of this turn was told."""
        return self._answer.told > 0

    def write(self, text: str) -> None:
        """The model has written this."""
        answer = self._answer
        answer.splitter = answer.splitter or Sentences()
        answer.written += len(text)
        answer.sentences += answer.splitter.add(text)
        self._go_on()

    def end_response(self) -> None:
        """One response is whole; another may follow in the same turn."""
        answer = self._answer
        if answer.splitter is not None:
            answer.sentences += answer.splitter.end()
        answer.whole += answer.sentences
        answer.sentences.clear()
        answer.splitter = answer.mark = None
        answer.responses = answer.written
        if answer.written not in (0, *answer.seams):
            answer.seams.append(answer.written)
        self._go_on()

    def void(self) -> None:
        """The response that is being written does not count: what of it was not said is dropped."""
        answer = self._answer
        if answer.mark is not None:
            self._playout.drop(answer.mark)
            answer.forget(busy=self._lane.busy)
        answer.sentences.clear()
        answer.splitter = answer.mark = None
        answer.written = answer.responses = max(answer.told, answer.responses)
        self._go_on()

    def finish(self) -> None:
        """The turn is written; `over` follows once it has been heard."""
        self.end_response()
        self._answer.finished = True
        self._go_on()

    def hold(self) -> None:
        """Sends nothing until `resume`, or `cut`."""
        self._playout.held = True
        self._go_on()

    def resume(self) -> None:
        if self._playout.held:
            self._playout.held = False
            self._go_on()

    def cut(self) -> int:
        """Says nothing more of this turn; returns how many of the last characters written were not told."""
        answer, self._answer = self._answer, _Answer()
        answer.forget(busy=self._lane.busy)
        self._playout.cut(self._loop.time())
        self._go_on()
        return answer.written - answer.told

    async def close(self) -> None:
        """Says nothing any more; waits for what is being synthesised, a bounded time."""
        self.leave()
        await self._lane.close(CLOSE_TIMEOUT)

    def leave(self) -> None:
        """The same without waiting. Twice is fine."""
        if self._timer is not None:
            self._timer.cancel()
        self._playout.drop()
        self._playout.held = True
        self._answer.forget(busy=self._lane.busy)
        self._answer = _Answer()
        self._lane.leave()

    # From sentences to sound.

    def _synthesize(self) -> None:
        answer = self._answer
        while not self._lane.busy and answer.pending and self._playout.seconds < AHEAD:
            if answer.saying is None:
                if not answer.whole and answer.mark is None:
                    answer.mark = self._playout.mark()
                sentence = (answer.whole or answer.sentences).popleft()
                if not sentence.said:
                    self._playout.add(sentence.written, b"")
                    continue
                answer.saying = _Saying(self._synthesizer, sentence)
            saying = answer.saying
            self._lane.do(saying.more, partial(self._synthesized, saying))

    def _synthesized(self, saying: _Saying, done: tuple[list[tuple[str, bytes]], Exception | None]) -> None:
        pieces, error = done
        answer = self._answer
        if saying is not answer.saying:  # it was cut off meanwhile
            saying.close()
            self._go_on()
            return
        for words, pcm in pieces:
            self._playout.add(words, pcm)
        if saying.over:
            answer.saying = None
        if error is not None:
            self._tell(error)
        self._go_on()

    def _tell(self, error: Exception) -> None:
        log.warning("Speech failed.", exc_info=error)
        said = f"This could not be said: {type(error).__name__}: {error}"
        if said not in self._answer.errors:
            self._answer.errors.add(said)
            self._outlet.said([ModelError(ErrorCode.UNAVAILABLE, said)])

    def _failed(self, error: Exception) -> None:
        raise AssertionError("What a synthesiser raises is an answer (`_Saying.more`).") from error

    # From sound to the client.

    def _go_on(self) -> None:
        """Sends what is due, synthesises what is wanted, and says when there is more to do."""
        self._synthesize()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        answer, playout = self._answer, self._playout
        signals: list[ModelSignal] = []
        for chunk in playout.take(now, more=answer.pending or self._lane.busy):
            words = answer.transcript(chunk.words)
            if words and self._transcribes:
                signals.append(OutputTranscript(words))
            if chunk.pcm:
                signals.append(ModelAudio(chunk.pcm, _MIME_TYPE))
        if self._said_all and not answer.generated:
            answer.generated = True
            if answer.told:
                signals.append(GenerationComplete())
        if signals:
            self._outlet.said(signals)
            if answer is not self._answer:
                return  # whoever heard it has cut it off
        self._synthesize()
        self._arm(now)

    @property
    def _said_all(self) -> bool:
        return self._answer.finished and not self._answer.pending and self._playout.empty

    def _arm(self, now: float) -> None:
        playout, answer = self._playout, self._answer
        more = answer.pending or self._lane.busy
        heard = playout.until > now or (not playout.empty and (self._heard or not playout.held))
        if heard is not self._heard:
            self._heard = heard
            self._outlet.speaking(heard)
        if self._said_all and playout.until <= now:
            self._answer = _Answer()
            self._outlet.over()
            return
        at = playout.next(more=more)
        if at is None and playout.until > now:
            at = playout.until  # when it falls silent
        if at is not None:
            if self._timer is not None:  # of a listener that has answered by speaking to it
                self._timer.cancel()
            self._timer = self._loop.call_at(max(at, now), self._go_on)


def _resampler(rate: int) -> Any:
    if rate == SPOKEN_RATE:
        return None
    try:
        import soxr
    except ImportError as missing:
        raise MissingExtra(
            f"Speech of {rate} Hz needs resampling: pip install 'antiphon[voice]'."
        ) from missing
    return soxr.ResampleStream(rate, SPOKEN_RATE, 1, dtype="int16")
