"""What a speaker said: a list of parts."""

from typing import TYPE_CHECKING, Any, Self

from antiphon.types.execution import CodeExecutionResult, ExecutableCode, Language, Outcome
from antiphon.types.functions import FunctionCall, FunctionResponse, FunctionResponsePart
from antiphon.types.media import (
    AudioMetadata,
    Blob,
    DocumentMetadata,
    FileData,
    MediaProcessing,
    PartMediaResolution,
    PartMediaResolutionLevel,
    SpeechMetadata,
    SpreadsheetMetadata,
    VideoMetadata,
    mime_type_of,
)
from antiphon.types.model import Model, OpenEnum
from antiphon.types.transcription import Transcription

__all__ = ["Content", "Part", "ToolCall", "ToolResponse", "ToolType"]


class ToolType(OpenEnum):
    """A tool that runs on the model's side."""

    TOOL_TYPE_UNSPECIFIED = "TOOL_TYPE_UNSPECIFIED"
    GOOGLE_SEARCH_WEB = "GOOGLE_SEARCH_WEB"
    GOOGLE_SEARCH_IMAGE = "GOOGLE_SEARCH_IMAGE"
    URL_CONTEXT = "URL_CONTEXT"
    GOOGLE_MAPS = "GOOGLE_MAPS"
    FILE_SEARCH = "FILE_SEARCH"
    MEDIA_PROCESSING = "MEDIA_PROCESSING"


class ToolCall(Model):
    """The model used a tool of its own. `id` joins it to the `ToolResponse`."""

    id: str | None = None
    tool_type: ToolType | None = None
    args: dict[str, Any] | None = None


class ToolResponse(Model):
    """What the model's own tool answered."""

    id: str | None = None
    tool_type: ToolType | None = None
    response: dict[str, Any] | None = None


Resolution = PartMediaResolution | PartMediaResolutionLevel | str
"""What the makers of a `Part` take for a resolution; a string is the name of a level."""


def _resolution(value: Resolution | None) -> PartMediaResolution | None:
    if isinstance(value, str):
        return PartMediaResolution(level=PartMediaResolutionLevel(value))
    return value


class Part(Model):
    """One piece of a message. Exactly one of its contents should be set; the rest describes it.

    `thought` marks reasoning, which is not for the listener; `thought_signature` goes back to the model as
    it came. `Part("text")` is `Part(text="text")`.
    """

    media_resolution: PartMediaResolution | None = None
    code_execution_result: CodeExecutionResult | None = None
    executable_code: ExecutableCode | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    text: str | None = None
    thought: bool | None = None
    thought_signature: bytes | None = None
    video_metadata: VideoMetadata | None = None
    tool_call: ToolCall | None = None
    tool_response: ToolResponse | None = None
    part_metadata: dict[str, Any] | None = None
    audio_transcription: Transcription | None = None
    media_processing: MediaProcessing | None = None
    speech_metadata: SpeechMetadata | None = None
    document_metadata: DocumentMetadata | None = None
    spreadsheet_metadata: SpreadsheetMetadata | None = None
    audio_metadata: AudioMetadata | None = None

    if not TYPE_CHECKING:  # pragma: no branch - type checkers see the keywords, which are all they should see

        def __init__(self, value=None, /, **fields):
            if value is not None and fields:
                raise ValueError("Part takes one positional value or keywords, not both")
            if isinstance(value, str):
                fields = {"text": value}
            elif value is not None:
                part = type(self).model_validate(value)
                fields = {name: getattr(part, name) for name in part.model_fields_set}
            super().__init__(**fields)

        # Validation need not call it: a mapping, unlike a positional value, goes straight into the fields.
        __init__.__pydantic_base_init__ = True

    @classmethod
    def from_text(cls, *, text: str) -> Self:
        """A part of text."""
        return cls(text=text)

    @classmethod
    def from_bytes(cls, *, data: bytes, mime_type: str, media_resolution: Resolution | None = None) -> Self:
        """A part of bytes in line."""
        return cls(
            inline_data=Blob(data=data, mime_type=mime_type), media_resolution=_resolution(media_resolution)
        )

    @classmethod
    def from_uri(
        cls, *, file_uri: str, mime_type: str | None = None, media_resolution: Resolution | None = None
    ) -> Self:
        """A part the model fetches. Without `mime_type` the suffix of the address decides.

        Raises:
            ValueError: the suffix is not known.
        """
        mime_type = mime_type or mime_type_of(file_uri)
        file_data = FileData(file_uri=file_uri, mime_type=mime_type)
        return cls(file_data=file_data, media_resolution=_resolution(media_resolution))

    @classmethod
    def from_function_call(cls, *, name: str, args: dict[str, Any]) -> Self:
        """A part that asks for a function."""
        return cls(function_call=FunctionCall(name=name, args=args))

    @classmethod
    def from_function_response(
        cls, *, name: str, response: dict[str, Any], parts: list[FunctionResponsePart] | None = None
    ) -> Self:
        """A part that answers a function call."""
        return cls(function_response=FunctionResponse(name=name, response=response, parts=parts))

    @classmethod
    def from_executable_code(cls, *, code: str, language: Language) -> Self:
        """A part of code."""
        return cls(executable_code=ExecutableCode(code=code, language=language))

    @classmethod
    def from_code_execution_result(cls, *, outcome: Outcome, output: str) -> Self:
        """A part of what code printed."""
        return cls(code_execution_result=CodeExecutionResult(outcome=outcome, output=output))


class Content(Model):
    """A message. `role` is `"user"` or `"model"`."""

    parts: list[Part] | None = None
    role: str | None = None
