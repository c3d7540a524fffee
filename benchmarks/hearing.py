"""`python -m benchmarks.hearing`: how well and how fast `Moonshine` hears.

Several voices of eSpeak NG, at several speeds, in pink noise; and a person, whose recording comes with the
wheel of the model. What is said is of three kinds, in `SENTENCES`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from antiphon.core.messages import StreamEnded
from antiphon.models.local.attention import Attention
from antiphon.models.local.backlog import Piece
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.microphone import Microphone, Said
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.silero import Silero
from antiphon.models.local.spelling import said
from antiphon.models.local.vocabulary import vocabulary_of
from antiphon.tools import as_tool
from antiphon.tools.builtin import transfer_tool
from antiphon.types import Tool
from benchmarks.sounds import RATE, SPEEDS, VOICES, Recording, in_noise, pcm, recordings, silence, spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.models.local.recognizer import Recognizer, Vocabulary
    from benchmarks.sounds import Sound

__all__ = ["NOISES", "Score", "agent_vocabulary", "distance", "measure"]

NOISES = {"clean": 60.0, "20 dB": 20.0, "10 dB": 10.0}
"""How far below the speech the noise is."""


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


SENTENCES = {
    "what the agent is about": lines("""
        What's the weather in Paris?
        What is the weather like in Tokyo today?
        Weather in Berlin.
        How's the weather in Reykjavik?
        Find me a flight to Rome.
        Is there a flight to New York tomorrow?
        I need a flight to Madrid.
        Set a timer for five minutes.
        Can you set a timer for ninety seconds?
        Book a table for two at seven thirty.
        I'd like to book a table for four people.
        What time is it?
        What time is it in London?
        Hello.
        Good morning.
        Thank you.
        Stop.
        No thanks.
        Count to twenty.
        How much is twelve plus thirty?
        Transfer me to billing.
        Can I talk to billing please?
        I have a question about an invoice.
        I want a refund.
        Roll two dice.
        Remember that my name is Alice.
        What can you do?
        Can you help me?
        Yes please.
        Could you repeat that please?
    """),
    "the same in words of one's own": lines("""
        Will I need an umbrella in Oslo this weekend?
        Is it warm enough to swim in Lisbon right now?
        My plane should land in Chicago before noon.
        We want to fly out of Boston on a Sunday.
        Let me know when eight minutes have passed.
        The eggs have to boil for three minutes.
        There will be six of us for dinner around eight.
        We'd rather sit by the window if that's possible.
        You charged my card twice last month.
        Who should I speak to about my bill?
        Please don't forget that I'm allergic to nuts.
        Throw the dice for me again.
    """),
    "free speech": lines("""
        The stock market fell sharply after the announcement.
        My grandmother used to bake apple pies every autumn.
        They painted the old fence bright purple.
        The committee rejected every proposal.
        Fresh strawberries taste delicious with cream.
        She left her keys on the kitchen counter again.
        We walked along the river until it got dark.
        The train was late because of the snow.
        He plays the guitar better than his brother.
        Nobody expected the meeting to last so long.
        I read an interesting book about whales.
        The children built a castle out of sand.
    """),
}
PEOPLE = "people, in sentences from books"


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


def agent_vocabulary() -> Vocabulary:
    """Of an agent of many trades, like the examples'."""
    functions = (get_weather, find_flight, set_timer, book_table, remember, roll_dice)
    declarations = [as_tool(function).declaration() for function in functions]
    declarations.append(transfer_tool({"billing": "Invoices, payments and refunds."}).declaration())
    return vocabulary_of("You are a travel assistant.", [Tool(function_declarations=declarations)])


@dataclass
class Score:
    """What was counted under one condition."""

    words: int = 0
    errors: int = 0
    sound: float = 0.0
    """Seconds."""
    spent: float = 0.0
    """Seconds of a core, for asking once."""
    takes: list[float] = field(default_factory=list)
    """Seconds of a core for each utterance."""

    @property
    def rate(self) -> float:
        """Of word errors."""
        return self.errors / self.words


@dataclass
class Heard:
    """All scores, and what the model took to load."""

    scores: dict[tuple[str, str, int, str], Score]
    """By kind of sentence, voice, words per minute and noise."""
    load: float
    """Seconds."""
    memory: float
    """MB."""

    def where(
        self,
        kind: str | None = None,
        voice: str | None = None,
        speed: int | None = None,
        noise: str | None = None,
    ) -> Score:
        """All of these together."""
        total = Score()
        for key, score in self.scores.items():
            if all(
                wanted in (None, is_) for wanted, is_ in zip((kind, voice, speed, noise), key, strict=True)
            ):
                total.words += score.words
                total.errors += score.errors
                total.sound += score.sound
                total.spent += score.spent
                total.takes += score.takes
        return total


def measure(*, quick: bool = False) -> Heard:
    """All of it: three minutes, or half a minute."""
    recognizer, vocabulary = Moonshine(), agent_vocabulary()
    memory, began = resident(), time.perf_counter()
    recognizer.prepare(vocabulary)
    found = Heard({}, time.perf_counter() - began, resident() - memory)
    for kind, sentences in SENTENCES.items():
        for voice in VOICES[:2] if quick else VOICES:
            for speed in SPEEDS[:1] if quick else SPEEDS:
                for noise, below in NOISES.items():
                    score = found.scores[kind, voice, speed, noise] = Score()
                    for sentence in sentences[:: 3 if quick else 1]:
                        hear(recognizer, vocabulary, spoken(sentence, voice, speed), sentence, below, score)
    for person in recordings():
        for noise, below in NOISES.items():
            score = found.scores[PEOPLE, person.name, 0, noise] = Score()
            hear_person(recognizer, vocabulary, person, below, score)
    return found


def hear(
    recognizer: Recognizer, vocabulary: Vocabulary, speech: Sound, words: str, below: float, score: Score
) -> None:
    """One sentence, with the silence around it that a conversation would add."""
    heard = transcribed(recognizer, vocabulary, surrounded(speech, below), score)
    score.words += len(plain(words))
    score.errors += distance(plain(words), plain(heard))


def hear_person(
    recognizer: Recognizer, vocabulary: Vocabulary, person: Recording, below: float, score: Score
) -> None:
    """As a conversation hears it, in utterances, asked about at every pause."""
    microphone = Microphone(
        Attention(), Adaptive(), Silero(), partial(recognizer.hear, vocabulary), eager=True
    )
    sound = surrounded(person.sound, below)
    began, heard = time.process_time(), []
    for at in range(0, len(sound), 1_280):
        report = microphone.take([Piece(bytearray(sound[at : at + 1_280]), RATE, 0.0, 0.0)])
        heard += [each.text for each in report.news if isinstance(each, Said)]
    heard += [each.text for each in microphone.take([StreamEnded()]).news if isinstance(each, Said)]
    score.spent += time.process_time() - began
    score.sound += len(sound) / 2 / RATE
    score.words += len(plain(person.words))
    score.errors += distance(plain(person.words), plain(" ".join(heard)))


def surrounded(speech: Sound, below: float) -> bytes:
    return pcm(in_noise(np.concatenate([silence(0.3), speech, silence(0.2)]), below))


def transcribed(recognizer: Recognizer, vocabulary: Vocabulary, sound: bytes, score: Score) -> str:
    began = time.process_time()
    hearing = recognizer.hear(vocabulary)
    hearing.feed(sound)
    text = hearing.heard().text
    took = time.process_time() - began
    score.sound += len(sound) / 2 / RATE
    score.spent += took
    score.takes.append(took)
    return text


def plain(text: str) -> list[str]:
    """Words to compare: numbers as they are said, and what is short for the same is the same."""
    words = " ".join(said(text).split())
    for short, long in (("what's", "what is"), ("how's", "how is"), ("i'd", "i would"), ("o'clock", "")):
        words = words.replace(short, long)
    return words.split()


def distance(told: Sequence[str], heard: Sequence[str]) -> int:
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


def tell(found: Heard) -> None:
    def row(name: str, scores: Iterable[Score]) -> None:
        cells = [f"{each.rate:.3f}" if each.words else "–" for each in scores]
        print(f"{name:<36}" + "".join(f"{cell:>10}" for cell in cells))

    print(f"{'word error rate':<36}" + "".join(f"{noise:>10}" for noise in NOISES))
    for kind in (*SENTENCES, PEOPLE):
        row(kind, (found.where(kind, noise=noise) for noise in NOISES))
    for voice in VOICES:
        for speed in SPEEDS:
            row(f"{voice}, {speed}", (found.where(None, voice, speed, noise) for noise in NOISES))
    synthetic = [found.where(kind) for kind in SENTENCES]
    spent, sound = sum(each.spent for each in synthetic), sum(each.sound for each in synthetic)
    print(
        f"of a core, while it is spoken: {spent / sound:.3f}; load: {found.load:.1f} s, {found.memory:.0f} MB"
    )


if __name__ == "__main__":
    tell(measure())
