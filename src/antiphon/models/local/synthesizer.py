"""`Synthesizer`: from words to sound."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.models.local.manner import Manner

__all__ = ["Speech", "Synthesizer"]


@dataclass(frozen=True, slots=True)
class Speech:
    """A stretch of speech: whole words of a text, and their sound."""

    text: str
    """As it stands in the sentence, with spaces and punctuation: all stretches together are the sentence."""
    pcm: bytes
    """16-bit little-endian mono at the synthesiser's rate."""


class Synthesizer(ABC):
    """Says sentences. One instance, with its model, serves all conversations."""

    rate: int
    """Hertz of its speech."""

    @abstractmethod
    def say(self, sentence: str) -> Iterator[Speech]:
        """The sentence in stretches as short as can be told apart, each as soon as it is there.

        Called off the event loop, from several threads at once; may be closed early. Text that cannot be
        said (symbols, empty) gives stretches without sound. Raises `ConfigurationError` when a model or a
        package is missing, saying where to get it.
        """

    def speaking(self, manner: Manner) -> Synthesizer:
        """One that speaks so, and shares what is heavy with this one (contract 6.6). Loads nothing.

        Raises `ConfigurationError` where no voice can be chosen; for one there is none of, `prepare` does.
        """
        raise ConfigurationError(
            f"{self!r} speaks as it was made: leave speech_config out, and name the voice where you make it."
        )

    def prepare(self) -> None:
        """Loads what takes time, so that the first sentence need not wait. Called off the event loop."""
        for _ in self.say("."):
            pass
