"""Copies of what the user sends, for the tools that watch and listen (contract 5.7)."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from antiphon.errors import QueueClosed
from antiphon.queue import LiveRequestQueue
from antiphon.requests import check_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from antiphon.types import Blob

__all__ = ["COPIED_AUDIO", "COPIED_IMAGES", "InputStreams"]

log = logging.getLogger(__name__)

COPIED_AUDIO: Final = 10.0
"""Seconds of audio that wait for a tool to read them; beyond it the oldest is dropped and counted."""
COPIED_IMAGES: Final = 10
"""Images that wait for a tool to read them."""
COPIED_FRAMES: Final = 1_000
"""Chunks and images that wait, whatever their length."""


class InputStreams:
    """The copies of one conversation's running calls. Without any, media costs nothing more."""

    def __init__(self) -> None:
        self.copies: dict[str, LiveRequestQueue] = {}
        """By the calls that have them; to be looked at, not changed."""
        self._ended = False

    def __len__(self) -> int:
        return len(self.copies)

    @contextmanager
    def open(self, call_id: str, tool: str) -> Iterator[LiveRequestQueue]:
        """A copy of all media from now on, for a call; closed when the block is left, at the latest."""
        copy = self.copies[call_id] = LiveRequestQueue(
            max_audio_seconds=COPIED_AUDIO, max_frames=COPIED_FRAMES, max_images=COPIED_IMAGES
        )
        copy.lanes.media.report = _once(tool)
        if self._ended:
            copy.close()
        try:
            yield copy
        finally:
            self.close(call_id)

    def give(self, media: Blob) -> None:
        """The user sent this; every call gets the same blob, none of its bytes is copied."""
        if self.copies:
            seconds = check_blob(media)
            for copy in self.copies.values():
                with suppress(QueueClosed):  # the tool itself has closed it: it has seen enough
                    copy.lanes.put_media(media, seconds)

    def close(self, call_id: str) -> None:
        """Nothing more is given to this call; a thread that waits for it wakes up."""
        copy = self.copies.pop(call_id, None)
        if copy is not None:
            copy.close()

    def end(self) -> None:
        """The user has left: every copy ends, also one that is opened later."""
        self._ended = True
        for call_id in list(self.copies):
            self.close(call_id)


def _once(tool: str) -> Callable[[int], None]:
    """Tells once per call, however often it falls behind: a tool may look only now and then on purpose."""
    told = False

    def report(count: int) -> None:
        nonlocal told
        if not told:
            told = True
            log.info("The tool %s does not read all of its input_stream; the oldest is dropped.", tool)

    return report
