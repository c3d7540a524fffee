"""`Handset`: the user of a conversation by voice at a microphone and a loudspeaker.

Rule 1  What the microphone takes is sent at once; what the agent says is played as it comes, and dropped when
        the agent is cut off.
Rule 2  What is played is reported several times a second, so that the record says what was heard
        (contract 4.5).
Rule 3  Half duplex: while the agent is heard, and a moment longer, the microphone counts as silent. Without
        it the user may cut in, and a microphone that hears the loudspeaker cuts the agent off as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from antiphon.cli.loudspeaker import Loudspeaker
from antiphon.errors import AntiphonError, QueueClosed

if TYPE_CHECKING:
    from antiphon.cli.audio_device import AudioDevice
    from antiphon.cli.spoken import Call

__all__ = ["GONE", "REPORT", "TAIL", "Handset", "MicrophoneGone"]

REPORT: Final = 0.1
"""Seconds between two reports of what was played."""
GONE: Final = 3.0
"""Seconds without anything from the microphone after which it is taken for gone."""
TAIL: Final = 0.3
"""Seconds for which a room rings after the agent's last sound."""


class MicrophoneGone(AntiphonError):
    """The microphone has stopped in mid-conversation."""


class Handset:
    """One conversation's. `user` is what `talk_through` takes, together with the `loudspeaker`."""

    def __init__(self, device: AudioDevice, *, half_duplex: bool = False) -> None:
        self.loudspeaker = Loudspeaker()
        self._device = device
        self._half_duplex = half_duplex
        self._hung_up = asyncio.Event()
        self._took = 0.0
        """When the microphone's last chunk came."""
        self._spoke = float("-inf")
        """When the agent was heard last, as far as half duplex needs it."""

    def hang_up(self) -> None:
        """The user leaves."""
        self._hung_up.set()

    async def user(self, call: Call) -> None:
        """Talks until `hang_up`. Raises what opening the device raises, and `MicrophoneGone`."""
        loop = asyncio.get_running_loop()

        def heard(pcm: bytes) -> None:
            self._took = loop.time()
            if self._half_duplex and self.loudspeaker.playing:
                self._spoke = self._took
            call.hear(bytes(len(pcm)) if self._took < self._spoke + TAIL else pcm)

        self._took = loop.time()
        try:
            self.loudspeaker.latency = self._device.open(heard, self.loudspeaker.take)
            await self._until_over(call)
        finally:
            self._device.close()

    async def _until_over(self, call: Call) -> None:
        loop = asyncio.get_running_loop()
        told: tuple[int, float] | None = None
        while not self._hung_up.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT):
                    await self._hung_up.wait()
            played = self.loudspeaker.played
            if played is not None and played != told:
                told = played
                with contextlib.suppress(QueueClosed):
                    call.queue.send_playback(played[1], turn=played[0])
            if loop.time() - self._took > GONE:
                raise MicrophoneGone(
                    f"Nothing has come from the microphone for {GONE:g} s. Check that it is connected and "
                    "chosen as the system's default, and talk again."
                )
