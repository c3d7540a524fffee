from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import AudioTranscriptionConfig, Model, Transcription

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        Transcription,
        {
            "text": "Hello you",
            "finished": True,
            "languageCode": "en-US",
            "speakerLabel": "1",
            "words": [{"word": "Hello", "startOffset": "0s", "endOffset": "0.4s"}, {"word": "you"}],
            "startOffset": "0s",
            "endOffset": "0.9s",
        },
    ),
    (AudioTranscriptionConfig, {"languageCodes": ["de"], "wordTimestamp": True, "mode": "VERBATIM"}),
    (AudioTranscriptionConfig, {}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_transcripts_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
