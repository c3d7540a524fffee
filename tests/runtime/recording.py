"""A conversation that is recorded: an agent on a model in this process, artifacts in files."""

from __future__ import annotations

import asyncio
import io
import wave
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from antiphon import (
    Agent,
    Event,
    FileArtifactService,
    InMemorySessionService,
    LiveRequestQueue,
    RunConfig,
    Runner,
)
from antiphon.artifacts import ArtifactAddress
from antiphon.core.signals import ModelAudio
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from antiphon.artifacts import BaseArtifactService

__all__ = ["OWNER", "Studio", "read_wav"]

OWNER: Any = {"app_name": "app", "user_id": "ann"}
HERE: Any = {**OWNER, "session_id": "s1"}


def read_wav(data: bytes) -> tuple[int, int, bytes]:
    """Channels, hertz, and the audio."""
    with wave.open(io.BytesIO(data)) as file:
        assert file.getsampwidth() == 2
        return file.getnchannels(), file.getframerate(), file.readframes(file.getnframes())


class Studio:
    """One `run_live()` that is recorded, and what came of it."""

    def __init__(self, folder: Path, *tools: Any, agents: tuple[str, ...] = (), **config: Any) -> None:
        self.spool = folder / "spool"
        self.model = NearModel()
        self.sessions = InMemorySessionService()
        self.artifacts: BaseArtifactService = FileArtifactService(folder / "artifacts")
        self.queue = LiveRequestQueue(max_audio_seconds=1.0)
        settings = {"save_live_blob": True, "recording_spool": self.spool, **config}
        self.config = RunConfig.model_validate(settings)
        others = [Agent(name=name, model=self.model) for name in agents]
        self.agent = Agent(name="helper", model=self.model, tools=list(tools), sub_agents=others)
        self.seen: list[Event] = []

    @property
    def runner(self) -> Runner:
        return Runner(
            app_name="app",
            agent=self.agent,
            session_service=self.sessions,
            artifact_service=self.artifacts,
        )

    async def events(self) -> AsyncGenerator[Event, None]:
        """Runs it; every event is also kept in `seen`."""
        if await self.sessions.get_session(**HERE) is None:
            await self.sessions.create_session(**HERE)
        running = self.runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=self.queue, run_config=self.config
        )
        async with aclosing(running):
            async for event in running:
                self.seen.append(event)
                yield event

    async def act(self, *acts: Callable[[], object]) -> None:
        """Runs it to its end: when it is ready, these are done one after the other, then the user leaves."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "ready":
                    for do in acts:
                        do()
                    self.queue.close()

    # What happens.

    def hears(self, data: bytes, rate: int = 16_000) -> None:
        """The user speaks."""
        self.queue.send_realtime({"data": data, "mime_type": f"audio/pcm;rate={rate}"})

    def speaks(self, data: bytes, rate: int = 24_000) -> None:
        """The model does."""
        self.says(ModelAudio(data, f"audio/pcm;rate={rate}"))

    def says(self, *said: Any) -> None:
        self.model.connections[-1].listener.received(said)

    # What came of it.

    async def stored(self) -> list[Event]:
        """The events of the session that hold a file."""
        session = await self.sessions.get_session(**HERE)
        assert session is not None
        return [event for event in session.events if uri_of(event)]

    def yielded(self) -> list[Event]:
        return [event for event in self.seen if uri_of(event)]

    async def heard(self, events: list[Event]) -> list[tuple[str, str, int, bytes]]:
        """What is in the mono files these events tell of: author, file, rate, audio."""
        found: list[tuple[str, str, int, bytes]] = []
        for event in sorted(events, key=lambda event: uri_of(event) or ""):
            name, data = await self.file(event)
            channels, rate, pcm = read_wav(data)
            assert channels == 1
            found.append((event.author, name, rate, pcm))
        return found

    async def file(self, event: Event) -> tuple[str, bytes]:
        """The last part of the artifact's name, and what is in it."""
        address = ArtifactAddress.parse(uri_of(event) or "")
        assert address is not None
        assert address[:3] == ("app", "ann", "s1")
        assert event.actions.artifact_delta == {address.filename: address.version}
        invocation, _, name = address.filename.removeprefix("live/").partition("/")
        assert invocation == event.invocation_id
        loaded = await self.artifacts.load_artifact(
            **HERE, filename=address.filename, version=address.version
        )
        assert loaded is not None
        assert loaded.inline_data is not None
        assert loaded.inline_data.mime_type == "audio/wav"
        return name, loaded.inline_data.data or b""

    def left_in_spool(self) -> list[str]:
        """The files in the spool."""
        found = (path for path in self.spool.rglob("*") if path.is_file())
        return sorted(path.name for path in found)


def uri_of(event: Event) -> str | None:
    for part in (event.content.parts or []) if event.content else []:
        if part.file_data is not None:
            assert part.file_data.mime_type == "audio/wav"
            return part.file_data.file_uri
    return None


def now() -> float:
    return asyncio.get_running_loop().time()
