from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import AvatarConfig, Model, SpeechConfig, TranslationConfig

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (SpeechConfig, {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}, "languageCode": "de-DE"}),
    (
        SpeechConfig,
        {
            "multiSpeakerVoiceConfig": {
                "speakerVoiceConfigs": [
                    {
                        "speaker": "A",
                        "voiceConfig": {
                            "replicatedVoiceConfig": {"mimeType": "audio/pcm", "voiceSampleAudio": "_-8="}
                        },
                    }
                ]
            }
        },
    ),
    (AvatarConfig, {"customizedAvatar": {"imageData": "_-8="}, "audioBitrateBps": 64000}),
    (TranslationConfig, {"echoTargetLanguage": True, "targetLanguageCode": "fr"}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_voices_agree_with_the_official_package(cls: type[Model], wire: dict[str, Any], agree: Agree) -> None:
    agree(cls, wire)
