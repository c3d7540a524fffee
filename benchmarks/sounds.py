"""What the benchmarks of the voice listen to: synthetic voices, people's, noise, and what is none of these.

Sound is `float64` from -1 to 1, at 16 kHz, mono. Whatever is drawn comes from a generator with a seed.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from antiphon.models.local.espeak import Espeak

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "BACKCHANNELS",
    "INTRUSIONS",
    "NOISES",
    "RATE",
    "SPEEDS",
    "VOICES",
    "Recording",
    "Sound",
    "in_noise",
    "pcm",
    "recordings",
    "silence",
    "spoken",
]

Sound: TypeAlias = NDArray[np.float64]

RATE = 16_000
VOICES = ("en-us", "en-us+m3", "en-us+f3", "en-gb")
SPEEDS = (140, 190)
"""Words per minute; people talk at 130 to 190."""


@lru_cache(maxsize=4_096)
def spoken(text: str, voice: str = "en-us", speed: int = 170) -> Sound:
    """By eSpeak NG, at half of full scale, without the silence around it."""
    synthesizer = Espeak(voice, words_per_minute=speed)
    said = b"".join(each.pcm for each in synthesizer.say(text))
    return _trimmed(_resampled(np.frombuffer(said, "<i2").astype(np.float64), synthesizer.rate))


def silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE))


def pcm(sound: Sound) -> bytes:
    """16-bit little-endian."""
    return (np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes()


def in_noise(sound: Sound, below: float, seed: int = 0) -> Sound:
    """With pink noise so many dB below the speech, of which `sound` has as much as is loud."""
    loud = sound[np.abs(sound) > 0.01 * np.abs(sound).max()]
    noise = _pink(len(sound), np.random.default_rng(seed))
    found: Sound = sound + noise * np.sqrt(np.mean(loud**2)) * 10 ** (-below / 20)
    return found


@dataclass(frozen=True)
class Recording:
    """A person, and what they say."""

    name: str
    sound: Sound
    words: str


_SAID = {
    "two_cities": """
        It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
        foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light,
        it was the season of Darkness, it was the spring of hope, it was the winter of despair, we had
        everything before us, we had nothing before us, we were all going direct to Heaven, we were all going
        direct the other way – in short, the period was so far like the present period, that some of its
        noisiest authorities insisted on its being received, for good or for evil, in the superlative degree
        of comparison only.
    """,
}


def recordings() -> list[Recording]:
    """Those of texts that are free, that come with the wheel `moonshine-voice`; none where it has none."""
    package = find_spec("moonshine_voice")
    if package is None or package.origin is None:
        return []
    assets, found = Path(package.origin).parent / "assets", []
    for name, words in _SAID.items():
        if (path := assets / f"{name}.wav").is_file():
            with wave.open(str(path), "rb") as file:
                heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
                rate = file.getframerate()
            found.append(Recording(name, _trimmed(_resampled(heard, rate)), " ".join(words.split())))
    return found


# --- what is no speech -----------------------------------------------------------------------------------


def _white(samples: int, draw: np.random.Generator) -> Sound:
    return draw.standard_normal(samples)


def _pink(samples: int, draw: np.random.Generator) -> Sound:
    """At an effective value of 1, like `_white`."""
    spectrum = np.fft.rfft(draw.standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    sound: Sound = np.fft.irfft(spectrum, samples)
    found: Sound = sound / sound.std()
    return found


def _hum(samples: int, draw: np.random.Generator) -> Sound:
    at = np.arange(samples) / RATE
    tones = sum((np.sin(2 * np.pi * 50 * k * at) / k for k in (1, 2, 3, 5)), np.zeros(samples))
    return tones + 0.02 * draw.standard_normal(samples)


def _band(seconds: float, low: float, high: float, fades: float, draw: np.random.Generator) -> Sound:
    """A burst of noise between two frequencies, gone after some `fades` seconds; its peak is 1."""
    samples = int(seconds * RATE)
    spectrum = np.fft.rfft(draw.standard_normal(samples))
    pitch = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum *= np.exp(
        -((np.log2(np.maximum(pitch, 1) / np.sqrt(low * high)) / np.log2(high / low)) ** 2) * 4
    )
    at = np.arange(samples) / RATE
    sound: Sound = np.fft.irfft(spectrum, samples) * np.minimum(at / 0.004, 1) * np.exp(-at / fades)
    found: Sound = sound / np.abs(sound).max()
    return found


def _keys(draw: np.random.Generator) -> Sound:
    """A few words being typed."""
    sound = silence(2)
    for at in np.cumsum(draw.uniform(0.08, 0.25, 8)):
        for late, strength in ((0.0, 1.0), (0.05, 0.4)):  # down, and up
            click = _band(0.02, 1_500, 6_000, 0.004, draw) * strength * draw.uniform(0.5, 1)
            begin = int((at + late) * RATE)
            sound[begin : begin + len(click)] += click
    return sound


def _slam(draw: np.random.Generator) -> Sound:
    rumble = _band(0.8, 50, 300, draw.uniform(0.08, 0.2), draw)
    crack = _band(0.8, 400, 3_000, 0.03, draw) * 0.5
    return rumble + crack


def _cough(draw: np.random.Generator) -> Sound:
    bursts = []
    for _ in range(int(draw.integers(1, 4))):
        breath = _band(0.35, 350, 3_500, draw.uniform(0.05, 0.1), draw)
        at = np.arange(len(breath)) / RATE
        hoarse = np.sign(np.sin(2 * np.pi * draw.uniform(140, 260) * at)) * np.exp(-at / 0.06) * 0.15
        bursts += [breath + hoarse, silence(draw.uniform(0.02, 0.15))]
    return np.concatenate(bursts)


def _sneeze(draw: np.random.Generator) -> Sound:
    drawn = _band(0.5, 800, 4_000, 0.4, draw)[::-1] * 0.2
    return np.concatenate([drawn, _band(0.5, 1_000, 7_000, 0.12, draw)])


def _knock(draw: np.random.Generator) -> Sound:
    return np.concatenate([_band(0.22, 150, 900, 0.03, draw) for _ in range(3)])


def _glass(draw: np.random.Generator) -> Sound:
    at = np.arange(int(0.7 * RATE)) / RATE
    tones = np.sin(2 * np.pi * draw.uniform(2_000, 6_000) * at) * np.exp(-at / draw.uniform(0.05, 0.2))
    more = np.sin(2 * np.pi * draw.uniform(2_000, 6_000) * at) * np.exp(-at / 0.1)
    found: Sound = tones + more
    return found


def _hummed(*syllables: tuple[float, float, float]) -> Callable[[np.random.Generator], Sound]:
    """With the mouth closed; each lasts so many seconds, and its pitch goes from one ratio to another."""

    def make(draw: np.random.Generator) -> Sound:
        voice, sounds = draw.uniform(95, 220), []
        for seconds, begins, ends in syllables:
            samples = int(seconds * draw.uniform(0.8, 1.25) * RATE)
            pitch = voice * np.linspace(begins, ends, samples)
            turns = np.cumsum(pitch) / RATE
            hum = np.zeros(samples)
            for number in range(1, 16):  # the nose passes what is low, and a little at 1 and 2.2 kHz
                at = voice * number
                strength = 1 / (1 + (at / 300) ** 2) + 0.04 * np.exp(-(((at - 1_000) / 200) ** 2))
                hum += np.sin(2 * np.pi * number * turns) * strength
            fade = np.minimum(np.minimum(np.arange(samples), np.arange(samples)[::-1]) / (0.03 * RATE), 1)
            sounds += [hum * fade + 0.01 * draw.standard_normal(samples), silence(0.05)]
        return np.concatenate(sounds)

    return make


def _said_by_listeners(text: str) -> Callable[[np.random.Generator], Sound]:
    def make(draw: np.random.Generator) -> Sound:
        return spoken(text, VOICES[int(draw.integers(len(VOICES)))], int(draw.choice(SPEEDS)))

    return make


INTRUSIONS: Mapping[str, Callable[[np.random.Generator], Sound]] = {
    "cough": _cough,
    "sneeze": _sneeze,
    "door slam": _slam,
    "knocking": _knock,
    "typing": _keys,
    "clinking glass": _glass,
}
BACKCHANNELS: Mapping[str, Callable[[np.random.Generator], Sound]] = {
    "“mm-hm”, hummed": _hummed((0.18, 1.0, 0.95), (0.3, 1.05, 1.25)),
    "“hmm”, hummed": _hummed((0.45, 1.1, 0.9)),
    **{f"“{text}”": _said_by_listeners(text) for text in ("uh huh", "yeah", "okay", "right", "ah", "oh wow")},
}


def _now_and_then(
    kinds: Sequence[Callable[[np.random.Generator], Sound]], every: float
) -> Callable[..., Sound]:
    def make(samples: int, draw: np.random.Generator) -> Sound:
        sound = draw.standard_normal(samples) * 0.004
        for at in np.cumsum(draw.exponential(every, int(samples / RATE / every))):
            one = kinds[int(draw.integers(len(kinds)))](draw)
            begin = int(at * RATE)
            one = one[: max(samples - begin, 0)]
            sound[begin : begin + len(one)] += one * draw.uniform(0.1, 0.6)
        return sound

    return make


def _babble(samples: int, draw: np.random.Generator) -> Sound:
    sound = np.zeros(samples)
    texts = (
        "what do you think of that",
        "i am not sure at all",
        "she said it would be fine",
        "well of course",
    )
    for voice in range(12):
        one = np.concatenate([spoken(text, VOICES[voice % 4], SPEEDS[voice % 2]) for text in texts])
        sound += np.roll(np.resize(one, samples), int(draw.integers(0, samples)))
    found: Sound = sound / sound.std()
    return found


def _at(volume: float, make: Callable[..., Sound]) -> Callable[[int, np.random.Generator], Sound]:
    return lambda samples, draw: make(samples, draw) * volume


NOISES: Mapping[str, Callable[[int, np.random.Generator], Sound]] = {
    "white noise": _at(0.05, _white),
    "pink noise": _at(0.1, _pink),
    "mains hum": _at(0.1, _hum),
    "an office: typing, doors, knocking, glasses, every 4 s": _now_and_then(
        (_keys, _slam, _knock, _glass), 4
    ),
    "coughs and sneezes, every 10 s": _now_and_then((_cough, _sneeze), 10),
    "babble of twelve voices, 30 dB down": _at(0.01, _babble),
}


def _resampled(sound: Sound, rate: int) -> Sound:
    resampled: Sound = soxr.resample(sound, rate, RATE)
    return resampled


def _trimmed(sound: Sound) -> Sound:
    loud = np.nonzero(np.abs(sound) > 0.01 * np.abs(sound).max())[0]
    trimmed = sound[loud[0] : loud[-1] + 1]
    found: Sound = trimmed * 0.5 / np.abs(trimmed).max()
    return found
