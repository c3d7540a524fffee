"""Calls of the application's functions, and their answers."""

from typing import Any, Literal, Self

from antiphon.types.media import (
    AudioMetadata,
    DocumentMetadata,
    MediaProcessing,
    PartMediaResolution,
    SpreadsheetMetadata,
    VideoMetadata,
    mime_type_of,
)
from antiphon.types.model import ClosedEnum, Model

__all__ = [
    "FunctionCall",
    "FunctionResponse",
    "FunctionResponseBlob",
    "FunctionResponseFileData",
    "FunctionResponsePart",
    "FunctionResponseScheduling",
    "PartialArg",
]


class PartialArg(Model):
    """A piece of an argument that is still being written. `json_path` says which, as in `$.items[0]`."""

    bool_value: bool | None = None
    json_path: str | None = None
    null_value: Literal["NULL_VALUE"] | None = None
    number_value: float | None = None
    string_value: str | None = None
    will_continue: bool | None = None


class FunctionCall(Model):
    """The model asks for a function. `id` joins it to its `FunctionResponse`.

    `will_continue` is true while more `partial_args` of the same call follow.
    """

    id: str | None = None
    args: dict[str, Any] | None = None
    name: str | None = None
    partial_args: list[PartialArg] | None = None
    will_continue: bool | None = None


class FunctionResponseScheduling(ClosedEnum):
    """What the answer of a non-blocking function does to the conversation."""

    SCHEDULING_UNSPECIFIED = "SCHEDULING_UNSPECIFIED"
    SILENT = "SILENT"
    WHEN_IDLE = "WHEN_IDLE"
    INTERRUPT = "INTERRUPT"


class FunctionResponseBlob(Model):
    """Bytes in an answer: raw in Python, base64 in JSON."""

    mime_type: str | None = None
    data: bytes | None = None
    display_name: str | None = None


class FunctionResponseFileData(Model):
    """A file in an answer, fetched by the model from `file_uri`."""

    file_uri: str | None = None
    mime_type: str | None = None
    display_name: str | None = None


class FunctionResponsePart(Model):
    """Media in the answer of a function: bytes or a file."""

    inline_data: FunctionResponseBlob | None = None
    file_data: FunctionResponseFileData | None = None
    media_processing: MediaProcessing | None = None
    media_resolution: PartMediaResolution | None = None
    video_metadata: VideoMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None

    @classmethod
    def from_bytes(cls, *, data: bytes, mime_type: str, display_name: str | None = None) -> Self:
        """Bytes in line."""
        return cls(
            inline_data=FunctionResponseBlob(data=data, mime_type=mime_type, display_name=display_name)
        )

    @classmethod
    def from_uri(
        cls, *, file_uri: str, mime_type: str | None = None, display_name: str | None = None
    ) -> Self:
        """A file. Without `mime_type` the suffix of the address decides.

        Raises:
            ValueError: the suffix is not known.
        """
        mime_type = mime_type or mime_type_of(file_uri)
        return cls(
            file_data=FunctionResponseFileData(
                file_uri=file_uri, mime_type=mime_type, display_name=display_name
            )
        )


class FunctionResponse(Model):
    """The answer to the call of the same `id`.

    By convention `response` holds `output` or `error`. `will_continue` true says that more answers to this
    call follow (non-blocking functions only).
    """

    will_continue: bool | None = None
    scheduling: FunctionResponseScheduling | None = None
    parts: list[FunctionResponsePart] | None = None
    id: str | None = None
    name: str | None = None
    response: dict[str, Any] | None = None
