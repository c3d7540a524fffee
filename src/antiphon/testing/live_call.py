"""What a script says and hears on one connection, as verbs.

```python
async def script(call: Call) -> None:
    await call.setup()
    assert await call.receive_text() == "weather in Paris?"
    id = await call.tool_call("get_weather", {"city": "Paris"})
    [response] = await call.receive_tool_response()
    await call.say("It is sunny.")
    await call.generation_complete()
    await call.turn_complete()
```

A verb that sends returns when the frame is on its way; one that receives, when the message is there. When the
connection ends, the verb raises `CallEnded`, which ends the script quietly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from antiphon.testing import live_frames as frames
from antiphon.testing.live_faults import Close, GoAway, Mishap
from antiphon.testing.live_line import CallEnded, Line
from antiphon.testing.live_setup import Refusal, Setup
from antiphon.testing.live_speech import chunks, silence
from antiphon.testing.live_turn import pieces
from antiphon.testing.live_wire import Json, Message, merged

if TYPE_CHECKING:
    from antiphon.testing.live_connection import Connection
    from antiphon.testing.live_reply import Reply

__all__ = ["Call", "Converse", "Judge"]

Frame = Mapping[str, Any]
Judge = Callable[[Message], Setup | Refusal]
Converse = Callable[["Call", "Reply | None"], Awaitable[None]]


class Call:
    """The server's end of one connection, in the hands of a script or of a test."""

    def __init__(self, line: Line, judge: Judge, converse: Converse) -> None:
        self.connection: Connection = line.connection
        """The log of this connection."""
        self.line = line
        self.accepted: Setup | None = None
        """The setup, once it was read."""
        self._judge = judge
        self._converse = converse
        self._numbers = 0

    # --- receiving ---

    async def setup(self, *, answer: bool = True, session_id: str | None = None) -> Json:
        """Reads the first message, which must be a setup that this model takes, and answers `setupComplete`.

        Returns the normalised `setup` object. When the service would refuse it, so does this, with the code
        and reason of wire 1.9, and the script ends.
        """
        message = await self.line.receive()
        judged = self._judge(message)
        if isinstance(judged, Refusal):
            await self.close(judged.code, judged.reason)
            raise CallEnded(f"refused: {judged.code} {judged.reason}")
        self.accepted = judged
        if answer:
            await self.send(frames.setup_complete(session_id))
        return judged.body

    async def receive(self, *, skip_media: bool = False) -> Message:
        """The next message; with `skip_media` the next that is no audio chunk or video frame."""
        while True:
            message = await self.line.receive()
            if not (skip_media and message.media is not None):
                return message

    async def receive_text(self, *, skip_media: bool = True) -> str:
        """The text of the next message: realtime text, or of client content. Fails on any other message."""
        message = await self.receive(skip_media=skip_media)
        assert message.text is not None, f"expected text, the client sent {message}"
        return message.text

    async def receive_audio(self) -> bytes:
        """The PCM of the next message, which must be an audio chunk: 16-bit little-endian mono."""
        message = await self.receive()
        pcm = message.audio
        assert pcm is not None, f"expected audio, the client sent {message}"
        return pcm

    async def receive_tool_response(self, *, skip_media: bool = True) -> list[Json]:
        """The `functionResponses` of the next message, which must be a tool response."""
        message = await self.receive(skip_media=skip_media)
        assert message.kind == "toolResponse", f"expected a tool response, the client sent {message}"
        return message.function_responses

    async def closed(self) -> int:
        """Waits until the connection is closed; returns the close code. What still comes is only logged."""
        await self.line.drain()
        return self.connection.close_code or 1006

    # --- saying ---

    async def say(self, words: str) -> None:
        """Speech with its transcript (if the setup asked for one), or text, by the session's modality."""
        assert self.accepted is not None, "say() comes after setup()"
        for piece in pieces(words, self.accepted):
            await self.send(piece.frame)

    async def text(self, words: str, *, thought: bool = False, with_: Frame | None = None) -> None:
        """One text part, whatever the modality."""
        await self.send(frames.text(words, thought=thought), with_)

    async def audio(self, pcm: bytes | float, *, with_: Frame | None = None) -> None:
        """`pcm` is 16-bit little-endian mono at 24 kHz; a number is so many seconds of silence.

        In frames of at most 680 ms; `with_` rides in the first of them.
        """
        data = pcm if isinstance(pcm, bytes) else silence(pcm, rate=24_000)
        for index, chunk in enumerate(chunks(data)):
            await self.send(frames.audio(chunk), None if index else with_)

    async def input_transcription(self, words: str, *, finished: bool | None = None) -> None:
        await self.send(frames.input_transcription(words, finished=finished))

    async def output_transcription(self, words: str, *, finished: bool | None = None) -> None:
        await self.send(frames.output_transcription(words, finished=finished))

    async def voice_activity(self, kind: Literal["ACTIVITY_START", "ACTIVITY_END"], offset: float) -> None:
        """`offset` in seconds of audio received."""
        await self.send(frames.voice_activity(kind, offset))

    async def tool_call(
        self, name: str, args: Frame | None = None, *, id: str | None = None, with_: Frame | None = None
    ) -> str:
        """One function call; returns its id. For several in one frame: `send(frames.tool_call(…))`."""
        self._numbers += 1
        call_id = id or f"fc_{4290863095698509728 + self._numbers}"
        await self.send(frames.tool_call(frames.function_call(call_id, name, args)), with_)
        return call_id

    async def cancel_tool_calls(self, *ids: str) -> None:
        await self.send(frames.tool_call_cancellation(ids))

    async def interrupted(self, *, with_: Frame | None = None) -> None:
        await self.send(frames.interrupted(), with_)

    async def generation_complete(self, *, with_: Frame | None = None) -> None:
        await self.send(frames.generation_complete(), with_)

    async def turn_complete(
        self,
        *,
        usage: Frame | None = None,
        status: Literal["IN_PROGRESS", "IDLE"] | None = None,
        with_: Frame | None = None,
    ) -> None:
        """`usage` is a `usageMetadata` object; see `frames.usage`."""
        await self.send(frames.turn_complete(usage, status=status), with_)

    async def turn(self, words: str, *, usage: Frame | None = None) -> None:
        """A whole turn: `say`, `generationComplete`, `turnComplete`."""
        await self.say(words)
        await self.generation_complete()
        await self.turn_complete(usage=usage)

    async def go_away(self, seconds: float = 50.0, *, then: Close | None = None) -> None:
        """`goAway`; after so many seconds the connection is closed if `then` says how."""
        await self.line.suffer(GoAway(seconds, then))

    async def handle(self, handle: str | None, *, resumable: bool = True) -> None:
        """`sessionResumptionUpdate`; None is what comes while the model is busy."""
        await self.send(frames.update(handle, resumable=resumable and handle is not None))

    async def send(self, frame: Frame, *others: Frame | None) -> None:
        """One frame that says all that these say, in the wire's words: objects are merged, lists joined."""
        await self.line.send(merged(frame, *(other for other in others if other)))

    async def send_all(self, all_frames: Sequence[Frame]) -> None:
        """One frame after the other."""
        for frame in all_frames:
            await self.line.send(frame)

    async def send_bytes(self, data: bytes | str) -> None:
        """Anything, as one binary (or text) frame."""
        await self.line.send_bytes(data)

    # --- ending ---

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """A close frame with the reason cut at 123 bytes; returns when the client answered it."""
        await self.line.close(code, reason)

    def abort(self) -> Awaitable[None]:
        """Resets the connection without a close frame; may be awaited until that is done."""
        return self.line.abort()

    async def freeze(self) -> None:
        """Says nothing more, with the socket up, until the client leaves; then the script ends."""
        self.line.freeze()
        await self.line.drain()
        raise CallEnded(f"{self.connection!r} is closed")

    async def suffer(self, mishap: Mishap) -> None:
        """Any mishap of `live_faults`."""
        await self.line.suffer(mishap)

    async def pause(self, seconds: float) -> None:
        """Waits by the loop's clock."""
        await asyncio.sleep(seconds)

    async def converse(self, reply: Reply | None = None) -> None:
        """From here on the emulated model answers, until the connection ends."""
        await self._converse(self, reply)
