"""Both speakers' words, from pieces to whole utterances.

Rule 1 (contract 3.8)  Pieces come out as they come in; the whole follows once, when the utterance ends.
Rule 2                 It ends by the model's own `finished`, or by whatever makes more of it impossible:
                       generation or turn complete, interruption, tool call, loss of the link, close.
Rule 3                 The user's utterance ends before the model output that answers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.types import Transcription

if TYPE_CHECKING:
    from antiphon.core.commands import Speaker

__all__ = ["Transcripts"]


class Transcripts:
    """What each speaker has said since their last finished utterance."""

    def __init__(self) -> None:
        self._pieces: dict[Speaker, list[str]] = {"user": [], "model": []}
        self._language: dict[Speaker, str | None] = {"user": None, "model": None}

    def open(self, speaker: Speaker) -> bool:
        """Whether the speaker is in mid-utterance."""
        return bool(self._pieces[speaker])

    def piece(self, speaker: Speaker, text: str, language_code: str | None) -> Transcription:
        """Takes new words, and returns them as a partial transcription."""
        assert text
        self._pieces[speaker].append(text)
        self._language[speaker] = language_code or self._language[speaker]
        return Transcription.trusted(text=text, finished=False, language_code=language_code)

    def finish(self, speaker: Speaker) -> Transcription | None:
        """Ends the utterance and returns it whole, or `None` when nothing was said."""
        pieces, language = self._pieces[speaker], self._language[speaker]
        if not pieces:
            return None
        self._pieces[speaker], self._language[speaker] = [], None
        return Transcription.trusted(text="".join(pieces), finished=True, language_code=language)
