"""`python -m benchmarks.hearing`: how well and how fast `Moonshine` hears spoken sentences.

The sentences are those of agents like the examples', with the vocabulary drawn from what these are
told. They are said by eSpeak NG, in pink noise; so the figures compare changes with each other, and not
with people's voices.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from antiphon.models.local.espeak import Espeak
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.vocabulary import vocabulary_of
from antiphon.tools import as_tool
from antiphon.tools.builtin import transfer_tool
from antiphon.types import Tool

RATE = 16_000
VOICES = ("en-us", "en-us+m3", "en-us+f3", "en-gb")
SPEEDS = (130, 170)
NOISES = (30, 20, 10)

EXPECTED = """
    what's the weather in paris
    what is the weather like in tokyo today
    weather in berlin
    how's the weather in reykjavik
    find me a flight to rome
    is there a flight to new york tomorrow
    i need a flight to madrid
    set a timer for 5 minutes
    can you set a timer for 90 seconds
    book a table for 2 at 7:30
    i'd like to book a table for 4 people
    what time is it
    what time is it in london
    hello
    good morning
    thank you
    stop
    no thanks
    count to 20
    how much is 12 plus 30
    transfer me to billing
    can i talk to billing please
    i have a question about an invoice
    i want a refund
    roll 2 dice
    remember that my name is alice
    what can you do
    can you help me
    yes please
    could you repeat that please
    tell me a joke
    goodbye
"""
STRANGE = """
    the stock market fell sharply after the announcement
    my grandmother used to bake apple pies every autumn
    photosynthesis converts sunlight into chemical energy
    they painted the old fence bright purple
    quantum mechanics puzzled many brilliant physicists
    elephants wander across the savanna
    the committee rejected every proposal
    fresh strawberries taste delicious with cream
    electricity
    hippopotamus
    basketball tournament
    yellow submarine
"""


def get_weather(city: str) -> None:
    """The weather right now.

    Args:
        city: The city's English name.
    """


def find_flight(to: str) -> None:
    """The next flight.

    Args:
        to: The city to fly to.
    """


def set_timer(seconds: int) -> None:
    """Rings when the time is over."""


def book_table(people: int, time: str) -> None:
    """Books a table.

    Args:
        people: How many come.
        time: When they come.
    """


def remember(fact: str) -> None:
    """Keeps a fact about the user."""


def roll_dice(sides: int = 6, count: int = 1) -> None:
    """Rolls dice and tells what each shows."""


@dataclass
class Found:
    """What was counted under one condition."""

    words: int = 0
    errors: int = 0
    sentences: int = 0
    right: int = 0
    strange: int = 0
    taken: int = 0
    sound: float = 0.0
    spent: float = 0.0
    ends: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        return {
            "word error rate": self.errors / self.words,
            "sentences right": self.right / self.sentences,
            "other speech taken for words": self.taken / self.strange,
            "real-time factor": self.spent / self.sound,
            "end, ms, median": sorted(self.ends)[len(self.ends) // 2] * 1e3,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two voices at one speed, every other sentence")
    parser.add_argument("--output", type=Path, help="where the figures go as JSON, if anywhere")
    chosen = parser.parse_args()
    step = 2 if chosen.quick else 1
    voices, speeds = (VOICES[1:3], SPEEDS[1:]) if chosen.quick else (VOICES, SPEEDS)
    expected, strange = (lines(text)[::step] for text in (EXPECTED, STRANGE))
    functions = (get_weather, find_flight, set_timer, book_table, remember, roll_dice)
    declarations = [as_tool(function).declaration() for function in functions]
    declarations.append(transfer_tool({"billing": "Invoices, payments and refunds."}).declaration())
    vocabulary = vocabulary_of("You are a travel assistant.", [Tool(function_declarations=declarations)])
    recognizer = Moonshine()
    before, began = resident(), time.perf_counter()
    recognizer.prepare(vocabulary)
    loaded = {"load, s": time.perf_counter() - began, "memory, MB": resident() - before}
    console = Console()
    table = Table("voice", "words/min", "SNR, dB", *Found(1, 0, 1, 0, 1, 0, 1.0, 0.0, [0.0]).row(), box=None)
    rows: list[dict[str, object]] = []
    for voice in voices:
        for speed in speeds:
            for noise in NOISES:
                found = Found()
                for sentence in (*expected, *strange):
                    pcm = spoken(sentence, voice, speed, noise)
                    began = time.process_time()
                    hearing = recognizer.hear(vocabulary)
                    for begin in range(0, len(pcm), 640):
                        hearing.feed(pcm[begin : begin + 640])
                    ending = time.process_time()
                    text = hearing.end().text
                    ended = time.process_time()
                    found.ends.append(ended - ending)
                    found.spent += ended - began
                    found.sound += len(pcm) / 2 / RATE
                    if sentence in strange:
                        found.strange += 1
                        found.taken += bool(text)
                        continue
                    errors = distance(plain(sentence), plain(text))
                    found.words += len(plain(sentence))
                    found.errors += errors
                    found.sentences += 1
                    found.right += not errors
                row = found.row()
                rows.append({"voice": voice, "words/min": speed, "SNR, dB": noise} | row)
                table.add_row(voice, str(speed), str(noise), *(f"{value:.2f}" for value in row.values()))
    console.print(table)
    console.print("; ".join(f"{name}: {value:.1f}" for name, value in loaded.items()), highlight=False)
    if chosen.output:
        chosen.output.write_text(
            json.dumps({"loaded": loaded, "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def plain(text: str) -> list[str]:
    """Words to compare: what is short for the same is the same."""
    return text.replace("what's", "what is").replace("how's", "how is").replace("i'd", "i would").split()


def spoken(sentence: str, voice: str, speed: int, noise: int) -> bytes:
    """Half as loud as can be, 0.3 s after the beginning of pink noise and 0.6 s before its end."""
    synthesizer = Espeak(voice, words_per_minute=speed)
    pcm = b"".join(stretch.pcm for stretch in synthesizer.say(sentence))
    speech = soxr.resample(np.frombuffer(pcm, np.int16).astype(np.float64), synthesizer.rate, RATE)
    speech *= 16_384 / np.abs(speech).max()
    sound = np.concatenate([np.zeros(int(0.3 * RATE)), speech, np.zeros(int(0.6 * RATE))])
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(len(sound)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(sound))
    pink *= np.sqrt(np.mean(speech**2) / np.mean(pink**2)) * 10 ** (-noise / 20)
    return np.clip(sound + pink, -32_768, 32_767).astype(np.int16).tobytes()


def distance(told: list[str], heard: list[str]) -> int:
    """How many words are to be put in, left out or changed."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(told, 1):
        corner, row[0] = row[0], at
        for place, other in enumerate(heard, 1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (word != other))
    return row[-1]


def resident() -> float:
    """MB of memory that this process holds; 0 where that is not told."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * 4_096 / 1e6 if told.exists() else 0.0


if __name__ == "__main__":
    main()
