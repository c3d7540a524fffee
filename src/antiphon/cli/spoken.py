"""`antiphon talk --wav`: a whole conversation by voice, from a file, with a timeline of who speaks when.

Rule 1  The file is played into the microphone as fast as it was spoken; when it is over, whatever is being
        answered is heard to its end.
Rule 2  A line of the timeline begins with the seconds since the file began.
Rule 3  Both voices may be written to a file, the user left and the agent right, each where it was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import wave
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.cli.wording import called, clean, result_of
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError, MissingExtra, QueueClosed
from antiphon.queue import LiveRequestQueue
from antiphon.requests import pcm_rate
from antiphon.runtime.tasks import TaskOwner
from antiphon.types import Blob, VoiceActivityType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from antiphon.events import Event
    from antiphon.runtime import Runner
    from antiphon.types import FunctionCall, VoiceActivity

__all__ = ["PATIENCE", "Timeline", "Voices", "from_file", "read_wav", "talk_through"]

PATIENCE: Final = 3.0
"""Seconds without sound or event after which nothing more is waited for, once the file is over."""
_MICROPHONE: Final = 16_000
_OUT: Final = 24_000
_CHUNK_SECONDS: Final = 0.04


def read_wav(path: Path) -> bytes:
    """The file as 16 kHz 16-bit mono PCM, whatever its rate, width and channels.

    Raises `ConfigurationError` for what is no WAV file of PCM, and `MissingExtra`.
    """
    try:
        import numpy
        import soxr
    except ImportError as missing:
        raise MissingExtra(f"--wav needs {missing.name}: pip install 'antiphon[voice]'.") from missing
    try:
        with wave.open(str(path), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigurationError(f"{path} cannot be read as a WAV file of PCM: {error}.") from error
    data = data[: len(data) // (width * channels) * width * channels]
    if width == 1:
        sound = (numpy.frombuffer(data, "u1").astype("f4") - 128) / 128
    elif width == 3:
        padded = numpy.zeros((len(data) // 3, 4), "u1")
        padded[:, 1:] = numpy.frombuffer(data, "u1").reshape(-1, 3)
        sound = padded.view("<i4").reshape(-1).astype("f4") / 2**31
    else:
        sound = numpy.frombuffer(data, f"<i{width}").astype("f4") / 2 ** (8 * width - 1)
    mono: Any = sound.reshape(-1, channels).mean(axis=1)
    heard = soxr.resample(mono, rate, _MICROPHONE) if rate != _MICROPHONE else mono
    return bytes((numpy.clip(heard, -1, 1) * 32_767).astype("<i2").tobytes())


@dataclass
class Voices:
    """Both voices, each where it was heard; 16-bit PCM."""

    user: bytearray = field(default_factory=bytearray)
    """At 16 kHz."""
    agent: bytearray = field(default_factory=bytearray)
    """At 24 kHz."""

    def speaks(self, data: bytes, at: float) -> None:
        """The agent's next chunk, which came at this second: it is heard after what came before."""
        self.agent += bytes(max(int(at * _OUT) * 2 - len(self.agent), 0)) + data

    def cut(self, at: float) -> None:
        """What was not heard by then is not heard at all."""
        del self.agent[max(int(at * _OUT), 0) * 2 :]

    @property
    def seconds(self) -> float:
        """When the agent falls silent."""
        return len(self.agent) / 2 / _OUT

    def write(self, path: Path) -> None:
        """A stereo file. Raises `ConfigurationError` where it cannot be written."""
        import numpy
        import soxr

        user = numpy.frombuffer(bytes(self.user[: len(self.user) & ~1]), "<i2")
        left = array("h", soxr.resample(user, _MICROPHONE, _OUT).astype("<i2").tobytes())
        right = array("h", bytes(self.agent))
        longest = max(len(left), len(right))
        for side in (left, right):
            side.extend([0] * (longest - len(side)))
        both = array("h", bytes(4 * longest))
        both[0::2], both[1::2] = left, right
        try:
            with path.open("wb") as raw, wave.open(raw, "wb") as file:
                file.setnchannels(2)
                file.setsampwidth(2)
                file.setframerate(_OUT)
                file.writeframes(both.tobytes())
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error}.") from error


class Timeline:
    """From events to lines. Pure; `at` in seconds since the beginning."""

    def __init__(self) -> None:
        self._stopped: float | None = None
        self._heard = False
        self._calls: dict[str, FunctionCall] = {}
        self.waits: list[float] = []
        """Seconds from the end of what the user said to the first sound of the answer."""

    def event(self, event: Event, at: float) -> Iterator[str]:
        """The lines of one event; most have none."""
        if event.voice_activity is not None:
            yield from self._activity(event.voice_activity, at)
        if (said := event.input_transcription) is not None and said.finished and not event.partial:
            yield _line(at, "user", f"“{clean(said.text or '')}”")
        for part in (event.content.parts or []) if event.content else []:
            if part.inline_data is not None and not self._heard:
                self._heard = True
                after = ""
                if self._stopped is not None:
                    self.waits.append(at - self._stopped)
                    after = f", {at - self._stopped:.2f} s after the user"
                    self._stopped = None
                yield _line(at, event.author, f"is heard{after}")
            if part.function_call is not None:
                self._calls[part.function_call.id or ""] = part.function_call
                yield _line(at, event.author, f"calls {called(part.function_call)}")
            if part.function_response is not None:
                answer = part.function_response
                yield _line(at, answer.name or "tool", f"→ {result_of(answer.response or {})}")
            if part.text and not event.partial and event.author != "user":
                yield _line(at, event.author, f"“{clean(part.text)}”")
        if (told := event.output_transcription) is not None and told.finished and not event.partial:
            cut = " — cut off" if event.interrupted else ""
            yield _line(at, event.author, f"“{clean(told.text or '').strip()}”{cut}")
        if event.error_code or event.error_message:
            yield _line(at, "error", f"{event.error_code}: {clean(event.error_message or '')}")
        if event.turn_complete:
            self._heard = False
            yield _line(at, event.author, "is done")

    def summary(self) -> str:
        """How long answers took."""
        if not self.waits:
            return "Nothing was answered."
        half, most = statistics.median(self.waits), max(self.waits)
        return f"{len(self.waits)} answers, {half:.2f} s after the user (median), {most:.2f} s at most."

    def _activity(self, activity: VoiceActivity, at: float) -> Iterator[str]:
        kind, offset = activity.voice_activity_type, (activity.audio_offset or "").removesuffix("s")
        if kind is VoiceActivityType.ACTIVITY_START:
            yield _line(at, "user", "speaks")
        elif kind is VoiceActivityType.ACTIVITY_END:
            with contextlib.suppress(ValueError):
                self._stopped = min(float(offset), at)  # noticing it takes a while, which is part of the wait
            yield _line(at, "user", "is done")


async def from_file(runner: Runner, wav: str, out: str | None, user_id: str, session_id: str) -> None:
    """Says what is in `wav`, prints the timeline, and writes both voices to `out`, if there is one."""
    pcm = await asyncio.to_thread(read_wav, Path(wav))
    voices = await talk_through(runner, RunConfig(), pcm, user_id, session_id, print)
    if out is not None:
        await asyncio.to_thread(voices.write, Path(out))


async def _quiet_since(last: Callable[[], float]) -> None:
    """Returns `PATIENCE` seconds after the last thing that happened."""
    left = PATIENCE
    while left > 0:
        await asyncio.sleep(left)
        left = last() + PATIENCE - asyncio.get_running_loop().time()


async def talk_through(
    runner: Runner, config: RunConfig, pcm: bytes, user_id: str, session_id: str, write: Callable[[str], None]
) -> Voices:
    """Holds the conversation; the timeline goes to `write`, line by line. Raises what `run_live` raises."""
    loop = asyncio.get_running_loop()
    queue, voices, timeline = LiveRequestQueue(), Voices(), Timeline()
    failed: list[BaseException] = []
    began = [loop.time(), loop.time()]  # of the file, and of the last event

    async def user() -> None:
        began[0] = loop.time()
        step = int(_MICROPHONE * _CHUNK_SECONDS) * 2
        with contextlib.suppress(QueueClosed):
            for number, at in enumerate(range(0, len(pcm), step)):
                await asyncio.sleep(max(began[0] + number * _CHUNK_SECONDS - loop.time(), 0))
                queue.send_realtime(Blob(data=pcm[at : at + step], mime_type=f"audio/pcm;rate={_MICROPHONE}"))
                voices.user += pcm[at : at + step]
            queue.send_audio_stream_end()
            began[1] = max(began[1], loop.time())
            await _quiet_since(lambda: max(began[1], began[0] + voices.seconds))
            queue.close()

    def fail(error: BaseException) -> None:
        failed.append(error)
        queue.close()

    tasks = TaskOwner(fail)
    events = runner.run_live(
        user_id=user_id, session_id=session_id, live_request_queue=queue, run_config=config
    )
    started = False
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                if not started:  # the model is there
                    started = True
                    tasks.spawn(user(), "antiphon-talk-wav")
                began[1] = loop.time()
                at = began[1] - began[0]
                if event.interrupted:
                    voices.cut(at)
                for part in (event.content.parts or []) if event.content else []:
                    if (sound := part.inline_data) is not None and pcm_rate(sound.mime_type or "") == _OUT:
                        voices.speaks(sound.data or b"", at)
                for line in timeline.event(event, at):
                    write(line)
    finally:
        await tasks.cancel_all(1.0)
    if failed:
        raise failed[0]
    write(timeline.summary())
    return voices


def _line(at: float, who: str, what: str) -> str:
    return f"{at:8.2f}  {who:<12} {what}"
