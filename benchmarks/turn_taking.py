"""Turn taking, measured: `python -m benchmarks.turn_taking`.

Everything is heard as a conversation hears it, frame by frame, by the real detector; eSpeak NG is who speaks.
So the figures are of clean synthetic voices: they say what the parts do, not how a room of people would fare.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from antiphon.models.local.attention import Attention
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.listening import End, Hold, Interrupt, Listening, Notice, Onset, Resume
from antiphon.models.local.sentences import Sentences
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import FRAME_BYTES, FRAME_SECONDS, RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Sound = NDArray[np.float64]

VOICES = ("en-us", "en-us+f3", "en-gb", "en-us+m3")
SPEEDS = (140, 190)
WHOLE = (
    "what is the weather in paris",
    "set a timer for ten minutes",
    "book a table for two at seven",
    "what time is it",
    "stop",
    "talk to the billing agent",
    "can you help me",
    "turn the lights off please",
)
UNFINISHED = ("book a table for", "what is the", "set a timer and", "i want to", "so um", "my name is")
COUGHS = ("huh", "mm", "uh")
AGENT = "The weather in Paris is clear, twenty one degrees, and it will stay so until the weekend."
SECONDS_OF_NOISE = 600

rng = np.random.default_rng(7)


def spoken(text: str, voice: str = "en-us", speed: int = 175) -> Sound:
    """At half of full scale, without the silence around it."""
    said = b"".join(each.pcm for each in Espeak(voice, words_per_minute=speed).say(text))
    sound = soxr.resample(np.frombuffer(said, "<i2").astype(np.float64) / 32_768, Espeak.rate, RATE)
    loud = np.nonzero(np.abs(sound) > 0.01 * np.abs(sound).max())[0]
    trimmed: Sound = sound[loud[0] : loud[-1] + 1]
    return trimmed * 0.5 / np.abs(trimmed).max()


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE))


def frames(sound: Sound, noise: float = 0.0) -> Iterator[bytes]:
    noisy = sound + rng.standard_normal(len(sound)) * noise
    pcm = (np.clip(noisy, -1, 1) * 32_767).astype("<i2").tobytes()
    return (pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES))


@dataclass
class Heard:
    """What was noticed, and how many seconds of sound had come by then."""

    notices: list[tuple[float, Notice]]

    def first(self, kind: type[Notice]) -> float:
        return next((at for at, notice in self.notices if isinstance(notice, kind)), math.nan)

    def count(self, kind: type[Notice]) -> int:
        return sum(isinstance(notice, kind) for _, notice in self.notices)


def hear(
    sound: Sound,
    noise: float = 0.0,
    *,
    words: str = "",
    speaking: bool = False,
    attention: Attention | None = None,
) -> Heard:
    """`words` are recognised from 0.3 s after the onset on, all at once: a recogniser's time is not in it."""
    listening = Listening(Attention(), Adaptive().speaker())
    ear = Silero().detector()
    listening.speaking(speaking)
    found: list[tuple[float, Notice]] = []
    for index, frame in enumerate(frames(sound, noise), 1):
        at = index * FRAME_SECONDS
        said = listening.frame(frame, ear.probability(frame), at)
        onset = next((when for when, notice in found if isinstance(notice, Onset)), math.inf)
        if words and at >= onset + 0.3:
            said += listening.words(words)
        found += [(at, notice) for notice in said]
    return Heard(found)


def row(name: str, *cells: str) -> None:
    print(f"{name:<46}" + "".join(f"{cell:>12}" for cell in cells))


def spread(values: list[float]) -> tuple[str, str, str]:
    known = [value for value in values if not math.isnan(value)]
    missed = len(values) - len(known)
    if not known:
        return "–", "–", f"{missed} missed"
    middle, high = np.percentile(known, [50, 95])
    return (
        f"{middle * 1e3:.0f} ms",
        f"{high * 1e3:.0f} ms",
        f"{missed} missed" if missed else f"{len(known)} of them",
    )


def delays_of_ends() -> None:
    row("end of speech → decision", "p50", "p95", "")
    for name, texts, tell in (
        ("finished", WHOLE, True),
        ("hesitating", UNFINISHED, True),
        ("no words", WHOLE, False),
    ):
        for level, below in (
            ("quiet", 45),
            ("noise 25 dB below", 25),
            ("noise 10 dB below", 10),
        ):
            delays, cut_in = [], 0
            for text in texts:
                for voice in VOICES:
                    for speed in SPEEDS:
                        speech = spoken(text, voice, speed)
                        sound = np.concatenate([silence(1), speech, silence(2.5)])
                        noise = float(np.sqrt(np.mean(speech**2))) * 10 ** (-below / 20)
                        heard = hear(sound, noise, words=text if tell else "")
                        over = 1 + len(speech) / RATE
                        delay = heard.first(End) - over
                        cut_in += delay < 0
                        delays.append(delay)
            row(f"  {name}, {level}", *spread(delays), f"{cut_in} cut in")


def delays_of_holds() -> None:
    row("over the agent's speech", "p50", "p95", "")
    holds, interrupts = [], []
    for text in WHOLE:
        for voice in VOICES:
            heard = hear(
                np.concatenate([silence(1), spoken(text, voice), silence(1)]),
                0.002,
                words=text,
                speaking=True,
            )
            holds.append(heard.first(Hold) - 1)
            interrupts.append(heard.first(Interrupt) - 1)
    row("  onset → held", *spread(holds))
    row("  onset → interrupted (words after 0.3 s)", *spread(interrupts))
    resumed = []
    for text in COUGHS:
        for voice in VOICES:
            heard = hear(
                np.concatenate([silence(1), spoken(text, voice), silence(2)]),
                0.002,
                words="mm",
                speaking=True,
            )
            resumed.append(heard.first(Resume) - heard.first(Hold) if heard.count(Hold) else math.nan)
    row("  backchannel: held → goes on", *spread(resumed))


def noises() -> dict[str, Callable[[int], Sound]]:
    def white(samples: int) -> Sound:
        return rng.standard_normal(samples) * 0.05

    def pink(samples: int) -> Sound:
        spectrum = np.fft.rfft(rng.standard_normal(samples))
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        sound: Sound = np.fft.irfft(spectrum, samples)
        return sound * 0.1 / sound.std()

    def hum(samples: int) -> Sound:
        at = np.arange(samples) / RATE
        return sum(
            (np.sin(2 * np.pi * 50 * k * at) * 0.1 / k for k in (1, 2, 3, 5)),
            rng.standard_normal(samples) * 0.002,
        )

    def clicks(samples: int) -> Sound:
        sound = rng.standard_normal(samples) * 0.001
        for at in rng.integers(0, samples - 400, samples // RATE * 3):
            sound[at : at + 400] += rng.standard_normal(400) * np.exp(-np.arange(400) / 60) * 0.6
        return sound

    def babble(samples: int) -> Sound:
        sound = np.zeros(samples)
        for turn in range(12):
            one = np.concatenate([spoken(text, VOICES[turn % 4], SPEEDS[turn % 2]) for text in WHOLE])
            sound += np.roll(np.resize(one, samples), int(rng.integers(0, samples)))
        return sound * 0.01 / sound.std()

    return {
        "white noise": white,
        "pink noise": pink,
        "hum": hum,
        "clicks": clicks,
        "babble of 12, 30 dB down": babble,
    }


def false_onsets() -> None:
    row("false onsets per hour", "listening", "speaking")
    for name, make in noises().items():
        counts = []
        sound = make(SECONDS_OF_NOISE * RATE)
        for speaking in (False, True):
            heard = hear(sound, speaking=speaking)
            counts.append(f"{heard.count(Onset) * 3600 / SECONDS_OF_NOISE:.0f}")
        row(f"  {name}", *counts)


def echo() -> None:
    """The agent's own voice, coming back so much quieter; it falls silent 0.2 s after it is held."""
    row("the agent's own voice by the microphone", "holds", "interrupts", "in 30 s")
    speech = np.concatenate([spoken(AGENT, "en-us")] * 5)
    for down in (20, 30, 40, 50):
        listening = Listening(Attention(), Adaptive().speaker())
        listening.speaking(True)
        ear = Silero().detector()
        coming = frames(speech * 10 ** (-down / 20), 0.0005)
        holds = interrupts = 0
        held: float | None = None
        while True:
            muted = held is not None and listening.clock > held + 0.2
            frame = next(frames(silence(FRAME_SECONDS), 0.0005)) if muted else next(coming, None)
            if frame is None:
                break
            for notice in listening.frame(frame, ear.probability(frame), listening.clock):
                if isinstance(notice, Hold):
                    holds, held = holds + 1, listening.clock
                elif isinstance(notice, Resume | Interrupt):
                    held = None
                    interrupts += isinstance(notice, Interrupt)
        row(f"  {down} dB down", str(holds), str(interrupts))


def per_frame(name: str, work: Callable[[bytes], Any], sound: list[bytes]) -> None:
    for frame in sound[:50]:
        work(frame)
    began = time.process_time()
    for frame in sound:
        work(frame)
    spent = (time.process_time() - began) / len(sound)
    row(f"  {name}", f"{spent * 1e6:.0f} µs", f"{spent / FRAME_SECONDS * 100:.2f} %")


def costs() -> None:
    row("processor time", "per frame", "of a core")
    talk = np.concatenate([np.concatenate([silence(1), spoken(text)]) for text in WHOLE * 8])
    sound = list(frames(talk, 0.002))
    ear = Silero().detector()
    per_frame("voice activity", ear.probability, sound)
    listening = Listening(replace(Attention(), longest=5.0), Adaptive().speaker())
    per_frame("listening", lambda frame: listening.frame(frame, 0.9, 0.0), sound)
    began, seconds = time.process_time(), 0.0
    for _ in range(40):
        seconds += sum(len(each.pcm) for each in Espeak().say(AGENT)) / 2 / Espeak.rate
    spent = time.process_time() - began
    row(
        "  speech by eSpeak NG",
        f"{spent / 40 * 1e3:.1f} ms",
        f"{spent / seconds * 100:.2f} %",
        "per sentence",
    )
    began = time.process_time()
    for _ in range(40):
        splitter = Sentences()
        for at in range(0, len(AGENT), 4):
            splitter.add(AGENT[at : at + 4])
        splitter.end()
    row(
        "  splitting into sentences", f"{(time.process_time() - began) / 40 * 1e3:.2f} ms", "", "per sentence"
    )


def main() -> None:
    for part in (delays_of_ends, delays_of_holds, false_onsets, echo, costs):
        part()
        print()


if __name__ == "__main__":
    main()
