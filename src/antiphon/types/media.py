"""Bytes and files, and which part of them to look at."""

from mimetypes import guess_type

from antiphon.types.model import ClosedEnum, Model

__all__ = [
    "AudioMetadata",
    "Blob",
    "DocumentMetadata",
    "DocumentMetadataContentLayer",
    "FileData",
    "MediaProcessing",
    "Modality",
    "PartMediaResolution",
    "PartMediaResolutionLevel",
    "SpeechMetadata",
    "SpreadsheetMetadata",
    "SpreadsheetMetadataContentLayer",
    "VideoMetadata",
    "VideoMetadataContentLayer",
    "mime_type_of",
]


def mime_type_of(file_uri: str) -> str:
    """The MIME type that the suffix of an address stands for.

    Raises:
        ValueError: the suffix is not known.
    """
    mime_type, _ = guess_type(file_uri)
    if mime_type is None:
        raise ValueError(f"cannot tell the MIME type of {file_uri!r} by its suffix: pass mime_type=")
    return mime_type


class Modality(ClosedEnum):
    """What the model answers in."""

    MODALITY_UNSPECIFIED = "MODALITY_UNSPECIFIED"
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    AUDIO = "AUDIO"
    VIDEO = "VIDEO"


class Blob(Model):
    """Bytes sent in line. `data` is raw in Python, base64 in JSON; `mime_type` says what they are.

    Live audio is 16-bit little-endian mono PCM, as in `audio/pcm;rate=16000`.
    """

    data: bytes | None = None
    display_name: str | None = None
    mime_type: str | None = None


class FileData(Model):
    """A file the model fetches for itself, from `file_uri`."""

    display_name: str | None = None
    file_uri: str | None = None
    mime_type: str | None = None


class MediaProcessing(ClosedEnum):
    """Whether media is read once as a whole, or explored by the model as it needs."""

    MEDIA_PROCESSING_UNSPECIFIED = "MEDIA_PROCESSING_UNSPECIFIED"
    STATIC = "STATIC"
    AGENTIC = "AGENTIC"


class PartMediaResolutionLevel(ClosedEnum):
    """How finely one image or video is looked at."""

    MEDIA_RESOLUTION_UNSPECIFIED = "MEDIA_RESOLUTION_UNSPECIFIED"
    MEDIA_RESOLUTION_LOW = "MEDIA_RESOLUTION_LOW"
    MEDIA_RESOLUTION_MEDIUM = "MEDIA_RESOLUTION_MEDIUM"
    MEDIA_RESOLUTION_HIGH = "MEDIA_RESOLUTION_HIGH"
    MEDIA_RESOLUTION_ULTRA_HIGH = "MEDIA_RESOLUTION_ULTRA_HIGH"


class PartMediaResolution(Model):
    """The resolution of one part: a level, or an exact number of tokens."""

    level: PartMediaResolutionLevel | None = None
    num_tokens: int | None = None


class VideoMetadataContentLayer(ClosedEnum):
    """What of a video is read."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    FRAMES = "FRAMES"
    AUDIO = "AUDIO"
    TRANSCRIPT = "TRANSCRIPT"


class VideoMetadata(Model):
    """A stretch of a video. Offsets are durations such as `"1.5s"`; `fps` is frames per second."""

    end_offset: str | None = None
    fps: float | None = None
    start_offset: str | None = None
    content_layers: list[VideoMetadataContentLayer] | None = None


class SpeechMetadata(Model):
    """Who speaks a text that is to be read aloud, and how."""

    speaker: str | None = None
    style: str | None = None


class DocumentMetadataContentLayer(ClosedEnum):
    """What of a document is read."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    PAGE_IMAGE = "PAGE_IMAGE"
    PAGE_TEXT = "PAGE_TEXT"


class DocumentMetadata(Model):
    """A range of pages, counted from 1, both ends included."""

    start_page: int | None = None
    end_page: int | None = None
    content_layers: list[DocumentMetadataContentLayer] | None = None


class SpreadsheetMetadataContentLayer(ClosedEnum):
    """What of a spreadsheet is read."""

    CONTENT_LAYER_UNSPECIFIED = "CONTENT_LAYER_UNSPECIFIED"
    DATA = "DATA"
    FORMULAS = "FORMULAS"
    VISUAL = "VISUAL"


class SpreadsheetMetadata(Model):
    """A range of cells such as `"A1:C9"` in the sheet of that index."""

    visible_cells: str | None = None
    sheet_index: int | None = None
    content_layers: list[SpreadsheetMetadataContentLayer] | None = None


class AudioMetadata(Model):
    """A stretch of a recording. Offsets are durations such as `"1.5s"`."""

    start_offset: str | None = None
    end_offset: str | None = None
