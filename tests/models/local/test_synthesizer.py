"""What every synthesiser gets for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Counting(Synthesizer):
    rate = 8_000

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, sentence: str) -> Iterator[Speech]:
        self.said.append(sentence)
        yield Speech(text=sentence, pcm=b"")


def test_to_prepare_is_to_say_something_short() -> None:
    voice = Counting()
    voice.prepare()
    assert voice.said == ["."]
