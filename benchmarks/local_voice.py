"""`python -m benchmarks.local_voice [CONVERSATIONS] [QUESTIONS] [--cores N]`: whole conversations, timed.

Each plays spoken questions into its microphone as fast as they are spoken, hears the answers, and after each
cuts in on long ones, `TIMES` times. All parts are the default ones, and real; so is the clock. eSpeak NG is
who speaks. An onset is the first sample above a hundredth of the peak: its sound begins there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from antiphon.config import RunConfig
from antiphon.core.messages import Media, ToolResults, Turn
from antiphon.core.signals import (
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ToolCalls,
    TurnComplete,
)
from antiphon.events import LlmResponse
from antiphon.models import Setup
from antiphon.models.chat import ChatModel
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.recognizer import Hearing, Recognizer
from antiphon.models.local.synthesizer import Synthesizer
from antiphon.models.local.voice import LocalVoice
from antiphon.types import Blob, Content, FunctionDeclaration, FunctionResponse, Part, Tool
from benchmarks.processes import ROOT
from benchmarks.sounds import VOICES, pcm, spoken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from antiphon.core.signals import ModelSignal
    from antiphon.models import ModelConnection

__all__ = ["STAGES", "Timed", "apart", "measure"]

QUESTIONS = (
    "What is the weather in Paris?",
    "What time is it?",
    "Hello.",
    "What can you do?",
    "Can you help me?",
)
INTERRUPTIONS = (
    "Wait a moment please.",
    "No, never mind that.",
    "That will do.",
    "Stop talking now.",
    "What about London?",
    "I have another question.",
    "Can you say that again?",
    "Hey, listen to me.",
)
TIMES = 4
"""So often each question is followed by one of them."""
STAGES = {
    "a pause is noticed": "paused",
    "the words are recognised": "recognised",
    "they are known to be all": "decided",
    "the brain answers": "written",
    "the first sentence is there": "asked to say",
    "its sound begins": "synthesised",
    "the first chunk is sent": "heard",
}
"""From the end of speech on, each to a mark; together they are all of it."""
SPEAKERS = ("en-us", "en-us+f3")
CHUNK = 640
"""20 ms, as a browser sends it."""
TOOLS = [
    Tool(
        function_declarations=[
            FunctionDeclaration(
                name="get_weather",
                description="Tells the weather of a city.",
                parameters={
                    "type": "OBJECT",
                    "properties": {"city": {"type": "STRING"}},
                    "required": ["city"],
                },
            ),
            FunctionDeclaration(name="get_time", description="Tells what time it is."),
        ]
    )
]

now = time.perf_counter


@dataclass
class Timed:
    """What was found; in seconds."""

    conversations: int
    cores: int
    answers: list[list[float]] = field(default_factory=list)
    """Of each question how long each of the `STAGES` took."""
    silences: list[float] = field(default_factory=list)
    """From the onset of an interruption to the end of the agent's sound."""
    cuts: list[float] = field(default_factory=list)
    """To the word that the agent was interrupted."""
    hasty: int = 0
    """Questions that were taken for whole in a pause of theirs, and answered before their end."""
    missed: int = 0
    """Questions without an answer, and interruptions without effect."""
    errors: int = 0
    core: float = 0.0
    """Share of one core, of all conversations together."""
    late: float = 0.0
    """By how much the loop was late, p95."""
    latest: float = 0.0

    @property
    def prompt(self) -> int:
        """How many interruptions had silenced the agent within 300 ms."""
        return sum(silence <= 0.3 for silence in self.silences)

    @property
    def waits(self) -> list[float]:
        """From the end of speech to the first sound."""
        return [sum(answer) for answer in self.answers]

    def stages(self, begin: float, end: float) -> list[float]:
        """The mean of each stage, of the answers between these ranks (0 the quickest, 1 the slowest)."""
        ranked = sorted(self.answers, key=sum)
        chosen = ranked[int(begin * len(ranked)) : max(int(end * len(ranked)), int(begin * len(ranked)) + 1)]
        return [sum(stage) / len(chosen) for stage in zip(*chosen, strict=True)]


def speech(text: str, voice: str) -> bytes:
    return pcm(spoken(text, voice, 160))


class Stamps:
    """When something happened first since they were cleared."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def stamp(self, what: str) -> None:
        self.at.setdefault(what, now())


class TimedHearing(Hearing):
    def __init__(self, inner: Hearing, stamps: Stamps) -> None:
        self.inner, self.stamps = inner, stamps

    def feed(self, pcm: bytes) -> None:
        self.inner.feed(pcm)

    def heard(self) -> Any:
        """What is asked for at the last pause counts."""
        self.stamps.at["paused"] = now()
        heard = self.inner.heard()
        self.stamps.at["recognised"] = now()
        return heard

    def nod(self, words: frozenset[str], sure: float) -> float:
        return self.inner.nod(words, sure)


class TimedRecognizer(Recognizer):
    def __init__(self, inner: Recognizer, stamps: Stamps) -> None:
        self.inner, self.stamps, self.eager = inner, stamps, inner.eager

    def hear(self, vocabulary: Any) -> Hearing:
        return TimedHearing(self.inner.hear(vocabulary), self.stamps)

    def prepare(self, vocabulary: Any) -> None:
        self.inner.prepare(vocabulary)


class TimedSynthesizer(Synthesizer):
    def __init__(self, inner: Synthesizer, stamps: Stamps) -> None:
        self.inner, self.stamps, self.rate = inner, stamps, inner.rate

    def say(self, sentence: str) -> Iterator[Any]:
        self.stamps.stamp("asked to say")
        for speech in self.inner.say(sentence):
            self.stamps.stamp("synthesised")
            yield speech


class TimedBrain(ChatModel):
    def __init__(self, inner: ChatModel, stamps: Stamps) -> None:
        self.inner, self.stamps, self.name = inner, stamps, inner.name

    async def generate(self, request: Any, *, stream: bool) -> AsyncGenerator[Any, None]:
        last = request.contents[-1].parts[-1]
        self.stamps.stamp("decided")
        if last.text == "go on":
            text = " ".join(f"This is sentence number {number}." for number in range(60))
            yield LlmResponse(content=Content(role="model", parts=[Part(text=text)]))
            return
        async for response in self.inner.generate(request, stream=stream):
            if response.content is not None and any(part.text for part in response.content.parts or []):
                self.stamps.stamp("written")
            yield response


class Client:
    """What it was sent, and when the sound of it ends."""

    def __init__(self, stamps: Stamps) -> None:
        self.stamps = stamps
        self.until = 0.0
        """When what it has is over."""
        self.cut: float | None = None
        """When it was told to drop what it has, first since that was cleared."""
        self.silent = 0.0
        """When there was nothing to be heard any more, then."""
        self.turns = self.errors = 0
        self.news = 0.0
        """When anything came last."""
        self.connection: ModelConnection | None = None

    def received(self, said: Sequence[ModelSignal]) -> None:
        self.news = now()
        for signal in said:
            match signal:
                case ModelAudio(data):
                    self.stamps.stamp("heard")
                    self.until = max(self.until, now()) + len(data) / 48_000
                case ModelInterrupted():
                    self.until = min(self.until, now())
                    if self.cut is None:
                        self.cut, self.silent = now(), self.until
                case TurnComplete():
                    self.turns += 1
                case ModelError():
                    self.errors += 1
                case ToolCalls(calls):
                    asyncio.get_running_loop().call_soon(self._answer, calls)
                case _:
                    pass

    def _answer(self, calls: Any) -> None:
        assert self.connection is not None
        told = {"sky": "sunny", "time": "12:30"}
        answers = tuple(FunctionResponse(id=call.id, name=call.name, response=told) for call in calls)
        self.connection.send(ToolResults(answers))

    def writable(self) -> None: ...

    def lost(self, error: Any, unsent: Any, doubtful: Any = ()) -> None: ...


async def play(connection: ModelConnection, sound: bytes) -> float:
    """Sends each chunk when its end was spoken, as a microphone does; returns when that was of the last."""
    ended = now()
    for at in range(0, len(sound), CHUNK):
        chunk = sound[at : at + CHUNK]
        ended += len(chunk) / 32_000
        await asyncio.sleep(max(ended - now(), 0))
        connection.send(Media(Blob(data=chunk, mime_type="audio/pcm;rate=16000")))
    return ended


async def quiet(connection: ModelConnection, client: Client) -> None:
    """Until nothing has come for a second and nothing is to be heard: the next turn begins on its own."""
    began = now()
    while now() < max(client.news, client.until, began) + 1.0:
        await play(connection, bytes(CHUNK))


async def cut_in(connection: ModelConnection, client: Client, number: int, found: Timed) -> None:
    """Has the agent talk, and interrupts it: at another moment each time, and by and by in other voices."""
    connection.send(Turn(Content(role="user", parts=[Part(text="go on")])))
    await play(connection, bytes(32_000 + 2 * (number * 185 % 640)))
    client.cut, onset = None, now()
    text = INTERRUPTIONS[number % len(INTERRUPTIONS)]
    voice = VOICES[number // len(INTERRUPTIONS) % len(VOICES)]
    await play(connection, speech(text, voice) + bytes(32_000))
    if client.cut is None:
        found.missed += 1
    else:
        found.silences.append(client.silent - onset)
        found.cuts.append(client.cut - onset)


async def converse(number: int, questions: int, shared: Moonshine, found: Timed) -> None:
    stamps = Stamps()
    model = LocalVoice(
        brain=TimedBrain(KeywordBrain(), stamps),
        recognizer=TimedRecognizer(shared, stamps),
        synthesizer=TimedSynthesizer(Espeak(), stamps),
    )
    client, config = Client(stamps), RunConfig()
    connection = client.connection = await model.connect(config, client)
    connection.begin(Setup(config, instruction="You tell the weather and the time.", tools=TOOLS))
    await play(connection, bytes(32_000 + 6_400 * number))
    for turn in range(questions):
        voice = SPEAKERS[turn % 2]
        asked = speech(QUESTIONS[(turn + number) % len(QUESTIONS)], voice)
        stamps.at.clear()
        turns = client.turns
        ended = await play(connection, asked)
        while not (client.turns > turns and "heard" in stamps.at) and now() < ended + 10:
            await play(connection, bytes(CHUNK))
        if set(STAGES.values()) <= stamps.at.keys():
            marks = [ended, *(stamps.at[mark] for mark in STAGES.values())]
            if stamps.at["decided"] < ended:
                found.hasty += 1
            else:
                found.answers.append([until - since for since, until in pairwise(marks)])
        else:
            found.missed += 1
        await quiet(connection, client)
        for again in range(TIMES):
            await cut_in(connection, client, number * 11 + turn * TIMES + again, found)
        connection.send(Turn(Content(role="user", parts=[Part(text="be quiet")])))
        await quiet(connection, client)
    await connection.close()
    found.errors += client.errors


async def measure(conversations: int, questions: int) -> Timed:
    """Holds them all at once, in this process."""
    found = Timed(conversations, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)
    shared, lag = Moonshine(), [0.0]
    await LocalVoice(recognizer=shared).prepare()
    for text in (*QUESTIONS, *INTERRUPTIONS):  # beforehand: users do their own speaking
        for voice in VOICES:
            speech(text, voice)

    async def watch() -> None:
        while True:
            at = now()
            await asyncio.sleep(0.01)
            lag.append(now() - at - 0.01)

    cpu, began = time.process_time(), now()
    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*(converse(number, questions, shared, found) for number in range(conversations)))
    watching.cancel()
    found.core = (time.process_time() - cpu) / (now() - began)
    found.late, found.latest = float(np.percentile(lag, 95)), max(lag)
    return found


def apart(conversations: int, questions: int, cores: int) -> Timed:
    """The same in a process of its own, on so many cores; 0 for all."""
    ran = subprocess.run(
        [sys.executable, "-m", __name__, str(conversations), str(questions), f"--cores={cores}", "--json"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    return Timed(**json.loads(ran.stdout))


def tell(found: Timed) -> None:
    print(f"{found.conversations} conversations at once, on {found.cores} cores")
    columns = [found.stages(0, 1), found.stages(0.4, 0.6), found.stages(0.9, 1)]
    print(f"{'':32}{'mean':>9}{'typical':>9}{'slowest':>9}")
    for name, *means in (*zip(STAGES, *columns, strict=True), ("all of it", *map(sum, columns))):
        print(f"{name:32}" + "".join(f"{mean * 1e3:6.0f} ms" for mean in means))
    for name, values in (
        ("end of speech → first sound", found.waits),
        ("onset → silence", found.silences),
        ("onset → interrupted", found.cuts),
    ):
        middle, high = np.percentile(values or [np.nan], [50, 95]) * 1e3
        print(f"{name:32}p50 {middle:.0f} ms, p95 {high:.0f} ms, of {len(values)}")
    print(f"silent within 300 ms: {found.prompt} of {len(found.silences)}")
    print(f"of a core {found.core:.2f}, {found.core / found.conversations:.3f} per conversation")
    print(f"the loop was late by {found.late * 1e3:.1f} ms (p95), {found.latest * 1e3:.0f} ms at most")
    print(f"hasty {found.hasty}, missed {found.missed}, errors {found.errors}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local_voice", description=__doc__)
    parser.add_argument("conversations", type=int, nargs="?", default=1)
    parser.add_argument("questions", type=int, nargs="?", default=6)
    parser.add_argument("--cores", type=int, default=0, help="to be confined to; by default all")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    chosen = parser.parse_args()
    if chosen.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores])
    found = asyncio.run(measure(chosen.conversations, chosen.questions))
    if chosen.json:
        print(json.dumps(asdict(found)))
    else:
        tell(found)


if __name__ == "__main__":
    main()
