"""What was said, in words."""

from antiphon.types.model import ClosedEnum, Model

__all__ = [
    "AudioTranscriptionConfig",
    "AudioTranscriptionConfigMode",
    "LanguageAuto",
    "LanguageHints",
    "Transcription",
    "WordInfo",
]


class WordInfo(Model):
    """One word and where it stands in the audio. Offsets are durations such as `"1.5s"`."""

    word: str | None = None
    start_offset: str | None = None
    end_offset: str | None = None


class Transcription(Model):
    """Speech as text. While it grows `finished` is false or unset; the last one says true.

    `language_code` is BCP-47. Offsets are durations such as `"1.5s"`.
    """

    text: str | None = None
    finished: bool | None = None
    language_code: str | None = None
    speaker_label: str | None = None
    words: list[WordInfo] | None = None
    start_offset: str | None = None
    end_offset: str | None = None


class LanguageAuto(Model):
    """Let the model find out the language."""


class LanguageHints(Model):
    """The languages to expect, as BCP-47 codes."""

    language_codes: list[str] | None = None


class AudioTranscriptionConfigMode(ClosedEnum):
    """Every sound as spoken, or tidied up."""

    MODE_UNSPECIFIED = "MODE_UNSPECIFIED"
    VERBATIM = "VERBATIM"
    SMART = "SMART"


class AudioTranscriptionConfig(Model):
    """Whether and how speech is transcribed. An empty object asks for a transcript with the defaults."""

    language_codes: list[str] | None = None
    language_auto: LanguageAuto | None = None
    language_hints: LanguageHints | None = None
    custom_vocabulary: list[str] | None = None
    adaptation_phrases: list[str] | None = None
    word_timestamp: bool | None = None
    diarization: bool | None = None
    mode: AudioTranscriptionConfigMode | None = None
    source_text: str | None = None
