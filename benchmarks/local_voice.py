"""A local voice, measured: `python -m benchmarks.local_voice [CONVERSATIONS] [QUESTIONS]`.

Each conversation plays spoken questions into its microphone as fast as they are spoken, hears the answer, and
cuts in on a long one. All parts are the default ones, and real; so is the clock. eSpeak NG is who speaks.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from antiphon.config import RunConfig
from antiphon.core.messages import Media, ToolResults, Turn
from antiphon.core.signals import (
    InputTranscript,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ToolCalls,
    TurnComplete,
)
from antiphon.models import Setup
from antiphon.models.chat import ChatModel
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.recognizer import Hearing, Recognizer
from antiphon.models.local.synthesizer import Synthesizer
from antiphon.models.local.voice import LocalVoice
from antiphon.types import Blob, Content, FunctionDeclaration, FunctionResponse, Part, Tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from antiphon.core.signals import ModelSignal
    from antiphon.models import ModelConnection

QUESTIONS = ("what is the weather in paris", "what time is it", "hello", "what can you do", "can you help me")
INTERRUPTIONS = ("wait a moment please", "no never mind that", "okay thank you", "stop please stop it now")
STAGES = (
    "pause",
    "recognition",
    "endpointing",
    "brain",
    "first sentence",
    "synthesis",
    "first chunk",
    "all of it",
)
MARKS = ("paused", "recognised", "decided", "written", "asked to say", "synthesised", "heard")
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


def spoken(text: str, voice: str) -> bytes:
    said = b"".join(each.pcm for each in Espeak(voice).say(text))
    sound = soxr.resample(np.frombuffer(said, "<i2"), Espeak.rate, 16_000)
    loud = np.nonzero(np.abs(sound) > 300)[0]
    return bytes(sound[loud[0] : loud[-1] + 1].astype("<i2").tobytes())


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
            yield self._whole(text)
            return
        async for response in self.inner.generate(request, stream=stream):
            if response.content is not None and any(part.text for part in response.content.parts or []):
                self.stamps.stamp("written")
            yield response

    @staticmethod
    def _whole(text: str) -> Any:
        from antiphon.events import LlmResponse

        return LlmResponse(content=Content(role="model", parts=[Part(text=text)]))


class Ear:
    """The client: what it was sent, and when the sound of it ends."""

    def __init__(self, stamps: Stamps) -> None:
        self.stamps = stamps
        self.until = 0.0
        self.over = asyncio.Event()
        self.cut = self.silent = 0.0
        self.heard: list[str] = []
        self.errors: list[str] = []
        self.connection: ModelConnection | None = None

    def received(self, said: Sequence[ModelSignal]) -> None:
        for signal in said:
            match signal:
                case ModelAudio(data):
                    self.stamps.stamp("heard")
                    self.until = max(self.until, now()) + len(data) / 48_000
                case ModelInterrupted():
                    self.cut = now()
                    self.until = self.silent = min(self.until, self.cut)
                case InputTranscript(text):
                    self.heard.append(text)
                case TurnComplete():
                    self.over.set()
                case ModelError(message=message):
                    self.errors.append(message)
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

    def lost(self, error: Any, unsent: Any) -> None: ...


async def play(connection: ModelConnection, pcm: bytes) -> float:
    """Returns when its end was spoken."""
    began = now()
    for number, at in enumerate(range(0, len(pcm), CHUNK)):
        await asyncio.sleep(max(began + number * CHUNK / 32_000 - now(), 0))
        connection.send(Media(Blob(data=pcm[at : at + CHUNK], mime_type="audio/pcm;rate=16000")))
    ended = began + len(pcm) / 32_000
    await asyncio.sleep(max(ended - now(), 0))
    return ended


async def converse(number: int, questions: int, shared: Moonshine, took: dict[str, list[float]]) -> Ear:
    stamps = Stamps()
    model = LocalVoice(
        brain=TimedBrain(KeywordBrain(), stamps),
        recognizer=TimedRecognizer(shared, stamps),
        synthesizer=TimedSynthesizer(Espeak(), stamps),
    )
    ear, config = Ear(stamps), RunConfig()
    connection = ear.connection = await model.connect(config, ear)
    connection.begin(Setup(config, instruction="You tell the weather and the time.", tools=TOOLS))
    await play(connection, bytes(32_000 + 6_400 * number))
    for turn in range(questions):
        voice = ("en-us", "en-us+f3")[turn % 2]
        pcm = spoken(QUESTIONS[(turn + number) % len(QUESTIONS)], voice)
        stamps.at.clear()
        ear.over.clear()
        ended = await play(connection, pcm)
        while not ear.over.is_set() and now() < ended + 15:
            await play(connection, bytes(CHUNK))
        if set(MARKS) <= stamps.at.keys():
            at = stamps.at
            marks = [ended, *(at[each] for each in MARKS)]
            for stage, since, until in zip(STAGES, marks, marks[1:], strict=False):
                took[stage].append(until - since)
            took[STAGES[-1]].append(at["heard"] - ended)
        else:
            took["not answered"].append(0.0)
        ear.over.clear()
        connection.send(Turn(Content(role="user", parts=[Part(text="go on")])))
        await play(connection, bytes(64_000))
        ear.over.clear()
        onset = now()
        speaking = asyncio.ensure_future(
            play(connection, spoken(INTERRUPTIONS[turn % len(INTERRUPTIONS)], voice) + bytes(48_000))
        )
        await speaking
        took["onset to silence"].append(ear.silent - onset if ear.cut > onset else 9.9)
        await play(connection, bytes(32_000))
        while ear.until > now():
            await play(connection, bytes(CHUNK))
    await connection.close()
    return ear


async def main(conversations: int, questions: int) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    shared = Moonshine()
    await LocalVoice(recognizer=shared).prepare()
    cpu, began = time.process_time(), now()
    lag: list[float] = []

    async def watch() -> None:
        while True:
            at = now()
            await asyncio.sleep(0.01)
            lag.append(now() - at - 0.01)

    watching = asyncio.ensure_future(watch())
    ears = await asyncio.gather(
        *(converse(number, questions, shared, took) for number in range(conversations))
    )
    watching.cancel()
    spent, passed = time.process_time() - cpu, now() - began
    print(f"{conversations} conversations, {questions} questions each, on {os.cpu_count()} cores")
    print(f"{'':24}{'p50':>9}{'p95':>9}{'n':>6}")
    for stage in (*STAGES, "onset to silence"):
        values = np.array(took[stage] or [float("nan")]) * 1_000
        print(
            f"{stage:24}{np.percentile(values, 50):6.0f} ms{np.percentile(values, 95):6.0f} ms{len(values):6}"
        )
    print(f"not answered            {len(took['not answered'])}")
    share = spent / passed
    print(f"of a core               {share:.2f}, {share / conversations:.3f} per conversation")
    late = np.array(lag) * 1000
    print(f"the loop was late by    {np.percentile(late, 95):.1f} ms p95, {late.max():.0f} ms at most")
    print(f"errors                  {sum(len(ear.errors) for ear in ears)}")


if __name__ == "__main__":
    asyncio.run(main(*(int(each) for each in [*sys.argv[1:3], *("1", "6")[len(sys.argv) - 1 :]])))
