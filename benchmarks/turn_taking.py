"""`python -m benchmarks.turn_taking`: when turns end, what interrupts the agent, and what does not.

Everything is heard as a conversation hears it, frame by frame, by the real detector and the real recogniser.
Time is that of the sound: what computing takes is not in it, and is measured by `benchmarks.local_voice`.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from antiphon.models.local.attention import Attention
from antiphon.models.local.backlog import Piece, Speaking
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.listening import Hold, Interrupt, Listening, Resume
from antiphon.models.local.microphone import Microphone, Said
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import FRAME_BYTES, FRAME_SECONDS
from benchmarks.hearing import agent_vocabulary
from benchmarks.sounds import (
    BACKCHANNELS,
    INTRUSIONS,
    NOISES,
    RATE,
    SPEEDS,
    VOICES,
    Sound,
    in_noise,
    pcm,
    silence,
    spoken,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from antiphon.models.local.microphone import News
    from antiphon.models.local.recognizer import Hearing

__all__ = ["Turns", "measure"]

WHOLE = (
    "What is the weather in Paris?",
    "Set a timer for ten minutes.",
    "Book a table for two at seven.",
    "What time is it?",
    "Talk to the billing agent.",
    "Can you help me?",
    "My sister is moving to Canada.",
    "Where did you put my umbrella?",
)
UNFINISHED = ("book a table for", "what is the", "set a timer and", "i want to", "my name is")
HESITATIONS = (
    ("Book a table for", "two people."),
    ("What is the", "weather in Paris?"),
    ("Set a timer for", "ten minutes."),
    ("I would like to", "book a table."),
    ("Find me a flight to", "Berlin."),
    ("I was wondering if", "you could help me."),
)
PAUSES = (0.3, 0.5, 0.7)
CUTS_IN = ("Wait a moment.", "No, never mind.", "Stop.", "What about London?", "Can you say that again?")
AGENT = "The weather in Paris is clear, twenty one degrees, and it will stay so until the weekend."
BELOW = {"quiet": 45.0, "noise 20 dB below": 20.0, "noise 10 dB below": 10.0}
LEVELS = (0.5, 0.15)
"""How loud an intrusion is: its peak, and speech has 0.5."""


@dataclass
class Turns:
    """What was found. Delays are in seconds, `nan` where nothing happened."""

    ends: dict[str, list[float]] = field(default_factory=dict)
    cut_in: dict[str, int] = field(default_factory=dict)
    hesitations: dict[float, tuple[int, int]] = field(default_factory=dict)
    """By the length of the pause: how many sentences stayed one, of how many."""
    holds: list[float] = field(default_factory=list)
    interrupts: list[float] = field(default_factory=list)
    intrusions: dict[str, Counter[str]] = field(default_factory=dict)
    stops: dict[str, list[float]] = field(default_factory=dict)
    """How long the agent was held in false starts."""
    noises: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per hour."""
    echo: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By how many dB the agent's own voice is down: holds and interruptions in half a minute."""
    costs: dict[str, float] = field(default_factory=dict)
    """Shares of a core."""


@dataclass
class Noticed:
    """What was noticed, and how many seconds of sound had come by then."""

    news: list[tuple[float, News]] = field(default_factory=list)

    def first(self, kind: type[News]) -> float:
        return next((at for at, each in self.news if isinstance(each, kind)), math.nan)

    def count(self, kind: type[News]) -> int:
        return sum(isinstance(each, kind) for _, each in self.news)

    @property
    def said(self) -> list[str]:
        return [each.text for _, each in self.news if isinstance(each, Said) and each.text]


def measure(*, quick: bool = False) -> Turns:
    """All of it: three minutes, or half a minute."""
    found = Turns()
    ends(found, VOICES[:2] if quick else VOICES, SPEEDS[:1] if quick else SPEEDS)
    interruptions(found, VOICES[:2] if quick else VOICES)
    intrusions(found, 4 if quick else 12)
    false_starts(found, 60 if quick else 400)
    own_voice(found)
    costs(found)
    return found


@cache
def hears() -> Callable[[], Hearing]:
    """One recogniser for all, as in a process."""
    return partial(Moonshine().hear, agent_vocabulary())


def ear() -> Microphone:
    """One of a conversation with the default parts."""
    return Microphone(Attention(), Adaptive(), Silero(), hears(), eager=True)


def frames(sound: Sound) -> Iterator[bytes]:
    heard = pcm(sound)
    return (heard[at : at + FRAME_BYTES] for at in range(0, len(heard) - FRAME_BYTES + 1, FRAME_BYTES))


@cache
def before() -> Sound:
    """What was heard of the conversation before the agent speaks: a question, and a while of little."""
    return in_noise(np.concatenate([silence(0.5), spoken(WHOLE[0]), silence(8)]), 45)


def notice(sound: Sound, *, speaking: bool = False) -> Noticed:
    """`speaking`: the agent does, until it is interrupted; and something was said `before`."""
    microphone, found = ear(), Noticed()
    if speaking:
        microphone.take([Piece(bytearray(frame), RATE, 0.0, 0.0) for frame in frames(before())])
    microphone.take([Speaking(speaking)])
    for index, frame in enumerate(frames(sound), 1):
        at = index * FRAME_SECONDS
        news = microphone.take([Piece(bytearray(frame), RATE, at, at)]).news
        found.news += [(at, each) for each in news]
        if speaking and any(isinstance(each, Interrupt) for each in news):
            microphone.take([Speaking(False)])
    return found


def ends(found: Turns, voices: Sequence[str], speeds: Sequence[int]) -> None:
    """How long after the end of speech it is known to be over; and whether it is cut in two."""
    for name, texts in (("a whole sentence", WHOLE), ("in the middle of one", UNFINISHED)):
        for level, below in BELOW.items():
            condition = f"{name}, {level}"
            found.ends[condition], found.cut_in[condition] = [], 0
            for text in texts:
                for voice in voices:
                    for speed in speeds:
                        speech = spoken(text, voice, speed)
                        sound = np.concatenate([silence(1), speech, silence(2)])
                        delay = notice(in_noise(sound, below)).first(Said) - 1 - len(speech) / RATE
                        found.cut_in[condition] += delay < 0
                        found.ends[condition].append(delay)
    for pause in PAUSES:
        whole = [
            len(notice(in_noise(np.concatenate(parts), 45)).said) == 1
            for before, after in HESITATIONS
            for voice in voices
            for parts in [
                (silence(1), spoken(before, voice), silence(pause), spoken(after, voice), silence(1.5))
            ]
        ]
        found.hesitations[pause] = sum(whole), len(whole)


def interruptions(found: Turns, voices: Sequence[str]) -> None:
    for text in CUTS_IN:
        for voice in voices:
            sound = np.concatenate([silence(1), spoken(text, voice), silence(1)])
            heard = notice(in_noise(sound, 35), speaking=True)
            found.holds.append(heard.first(Hold) - 1)
            found.interrupts.append(heard.first(Interrupt) - 1)


def intrusions(found: Turns, times: int) -> None:
    """What sounds over the agent's speech and means nothing."""
    draw = np.random.default_rng(5)
    for name, make in {**INTRUSIONS, **BACKCHANNELS}.items():
        counts = found.intrusions[name] = Counter()
        stops = found.stops[name] = []
        for each in range(times):
            one = make(draw)
            one = one / np.abs(one).max() * LEVELS[each % 2]
            sound = np.concatenate([silence(1), one, silence(2.5)])
            heard = notice(sound + draw.standard_normal(len(sound)) * 0.002, speaking=True)
            if heard.count(Interrupt):
                counts["interrupted"] += 1
                counts["in words"] += bool(heard.said)
            elif heard.count(Hold):
                counts["went on"] += 1
                stops.append(heard.first(Resume) - heard.first(Hold))
            else:
                counts["unnoticed"] += 1


def false_starts(found: Turns, seconds: int) -> None:
    for name, make in NOISES.items():
        sound = make(seconds * RATE, np.random.default_rng(9))
        over, alone = interrupted_again(sound), notice(sound)
        hours = seconds / 3600
        found.noises[name] = {
            "resumed": over["resumed"] / hours,
            "interrupted": over["interrupted"] / hours,
            "taken for a turn": len(alone.said) / hours,
        }


def interrupted_again(sound: Sound) -> Counter[str]:
    """The agent speaks on and on: cut off, it begins again 2 s later."""
    microphone, counts = ear(), Counter[str]()
    microphone.take([Speaking(True)])
    again = math.inf
    for index, frame in enumerate(frames(sound), 1):
        at = index * FRAME_SECONDS
        if at >= again:
            again = math.inf
            microphone.take([Speaking(True)])
        for each in microphone.take([Piece(bytearray(frame), RATE, at, at)]).news:
            counts["resumed"] += isinstance(each, Resume)
            if isinstance(each, Interrupt):
                counts["interrupted"] += 1
                again = at + 2
                microphone.take([Speaking(False)])
    return counts


def own_voice(found: Turns) -> None:
    """The agent's voice comes back by the microphone; it falls silent 0.1 s after it is held."""
    speech = np.concatenate([spoken(AGENT)] * 6)
    for down in (20, 30, 40, 50):
        microphone = ear()
        microphone.take([Speaking(True)])
        coming = frames(speech * 10 ** (-down / 20))
        hush, counts, held = next(frames(silence(FRAME_SECONDS))), Counter[str](), math.inf
        for index in range(int(30 / FRAME_SECONDS)):
            at = index * FRAME_SECONDS
            frame = hush if at > held + 0.1 else next(coming, hush)
            for each in microphone.take([Piece(bytearray(frame), RATE, at, at)]).news:
                match each:
                    case Hold():
                        counts["held"] += 1
                        held = at
                    case Resume():
                        held = math.inf
                    case Interrupt():
                        counts["interrupted"] += 1
                        held = math.inf
                        microphone.take([Speaking(False), Speaking(True)])
                    case _:
                        pass
        found.echo[down] = counts["held"], counts["interrupted"]


def costs(found: Turns) -> None:
    talk = np.concatenate([np.concatenate([silence(1), spoken(text)]) for text in WHOLE * 6])
    heard = list(frames(in_noise(talk, 30)))
    detector = Silero().detector()
    listening = Listening(Attention(), Adaptive().speaker())
    found.costs["voice activity, while anybody speaks or not"] = share(detector.probability, heard)
    found.costs["turn taking"] = share(lambda frame: listening.frame(frame, 0.9, 0.0), heard)
    began, seconds = time.process_time(), 0.0
    for _ in range(40):
        seconds += sum(len(each.pcm) for each in Espeak().say(AGENT)) / 2 / Espeak.rate
    found.costs["eSpeak NG, while it speaks"] = (time.process_time() - began) / seconds


def share(work: Callable[[bytes], Any], heard: list[bytes]) -> float:
    for frame in heard[:50]:
        work(frame)
    began = time.process_time()
    for frame in heard:
        work(frame)
    return (time.process_time() - began) / (len(heard) * FRAME_SECONDS)


def percentiles(values: Sequence[float]) -> str:
    """p50, p95, and how many were missed."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "all missed"
    middle, high = np.percentile(known, [50, 95]) * 1e3
    missed = f", {len(values) - len(known)} missed" * (len(known) < len(values))
    return f"{middle:.0f} ms, {high:.0f} ms ({len(known)}{missed})"


def tell(found: Turns) -> None:
    def rows(title: str, values: Mapping[Any, object]) -> None:
        print(f"\n{title}")
        for name, value in values.items():
            print(f"  {name!s:<56} {value}")

    rows("end of speech → over: p50, p95", {name: percentiles(each) for name, each in found.ends.items()})
    rows("of them before their end", found.cut_in)
    rows("sentences with a pause that stayed one, of", found.hesitations)
    over = {"held": percentiles(found.holds), "interrupted": percentiles(found.interrupts)}
    rows("onset over the agent's speech → p50, p95", over)
    rows("no interruptions", {name: dict(each) for name, each in found.intrusions.items()})
    rows("held for: p50, p95", {name: percentiles(each) for name, each in found.stops.items() if each})
    rows(
        "per hour of noise",
        {name: {k: round(v) for k, v in each.items()} for name, each in found.noises.items()},
    )
    rows("the agent's own voice, dB down: holds, interruptions in 30 s", found.echo)
    rows("of a core", {name: f"{each:.2%}" for name, each in found.costs.items()})


if __name__ == "__main__":
    tell(measure())
