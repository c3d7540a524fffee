"""The voice the model speaks with."""

from antiphon.types.model import Model

__all__ = [
    "AvatarConfig",
    "CustomizedAvatar",
    "MultiSpeakerVoiceConfig",
    "PrebuiltVoiceConfig",
    "ReplicatedVoiceConfig",
    "SpeakerVoiceConfig",
    "SpeechConfig",
    "TranslationConfig",
    "VoiceConfig",
    "VoiceConsentSignature",
]


class PrebuiltVoiceConfig(Model):
    """A voice the model brings along, by name."""

    voice_name: str | None = None


class VoiceConsentSignature(Model):
    """The proof that a voice may be copied."""

    signature: str | None = None


class ReplicatedVoiceConfig(Model):
    """A voice copied from a sample. Audio is bytes in Python, base64 in JSON."""

    mime_type: str | None = None
    voice_sample_audio: bytes | None = None
    consent_audio: bytes | None = None
    voice_consent_signature: VoiceConsentSignature | None = None


class VoiceConfig(Model):
    """Which voice: one of the model's own, or a copy."""

    replicated_voice_config: ReplicatedVoiceConfig | None = None
    prebuilt_voice_config: PrebuiltVoiceConfig | None = None
    voice: str | None = None


class SpeakerVoiceConfig(Model):
    """The voice of one named speaker."""

    speaker: str | None = None
    voice_config: VoiceConfig | None = None


class MultiSpeakerVoiceConfig(Model):
    """The voices of several speakers."""

    speaker_voice_configs: list[SpeakerVoiceConfig] | None = None


class SpeechConfig(Model):
    """How the model speaks. `language_code` is BCP-47."""

    voice_config: VoiceConfig | None = None
    language_code: str | None = None
    multi_speaker_voice_config: MultiSpeakerVoiceConfig | None = None


class CustomizedAvatar(Model):
    """A likeness made from a picture. Bytes in Python, base64 in JSON."""

    image_mime_type: str | None = None
    image_data: bytes | None = None


class AvatarConfig(Model):
    """A face that speaks. Rates are bits per second."""

    avatar_name: str | None = None
    customized_avatar: CustomizedAvatar | None = None
    audio_bitrate_bps: int | None = None
    video_bitrate_bps: int | None = None


class TranslationConfig(Model):
    """Speak in another language. `echo_target_language` repeats what already is in it."""

    echo_target_language: bool | None = None
    target_language_code: str | None = None
