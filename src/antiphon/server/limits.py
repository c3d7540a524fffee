"""`ServerLimits`: what a server grants its clients, and itself (protocol 7.3, contract 8.3, 8.6, 8.8)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from antiphon.server import messages

__all__ = ["ServerLimits"]


class ServerLimits(BaseModel):
    """Every bound of the server; instances are immutable. The first seven are told to clients in `hello`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text_bytes: int = Field(default=64 * 1024, ge=1024, description="Bytes of one text frame from a client.")
    media_bytes: int = Field(default=1024 * 1024, ge=1024, description="Bytes of one binary frame likewise.")
    frames_per_second: float = Field(
        default=200, gt=0, description="Frames from one client; who sends more for 10 s is closed."
    )
    images_per_second: float = Field(default=2, gt=0, description="Images from one client; more are refused.")
    idle_seconds: float = Field(
        default=300, gt=0, description="Seconds without a frame after which a socket is closed."
    )
    audio_buffer: float = Field(
        default=5, gt=0, description="Seconds of sound that wait for a client that takes nothing."
    )
    grace: float = Field(
        default=60, ge=0, description="Seconds in which a client that lost its socket may come back."
    )

    places: int = Field(default=100, ge=1, description="Conversations at the same time.")
    line: int = Field(default=1_000, ge=0, description="Clients that may wait for a place.")
    clients: int = Field(default=16, ge=1, description="Clients of one conversation: a speaker and watchers.")
    sockets: int = Field(default=10_000, ge=1, description="WebSockets at the same time.")
    hello_seconds: float = Field(default=10, gt=0, description="Seconds until `hello` has to come.")
    answer_seconds: float = Field(
        default=120, gt=0, description="Seconds of the current answer kept for those who come back."
    )
    control_messages: int = Field(
        default=10_000, ge=16, description="Messages kept for a client until it acknowledges them."
    )
    drain_seconds: float = Field(
        default=30, ge=0, description="Seconds that conversations have left once the server is to end."
    )
    closing_seconds: float = Field(
        default=10, gt=0, description="Seconds in which a conversation that is over has to have ended."
    )

    @property
    def longest_text(self) -> int:
        """Bytes of a text frame of the plain protocols, in which media is base64."""
        return self.media_bytes * 4 // 3 + 1024

    def told(self) -> messages.Limits:
        """What clients are told of it."""
        return messages.Limits(
            text_bytes=self.text_bytes,
            media_bytes=self.media_bytes,
            frames_per_second=self.frames_per_second,
            images_per_second=self.images_per_second,
            idle_seconds=self.idle_seconds,
            audio_buffer=self.audio_buffer,
            grace=self.grace,
        )
