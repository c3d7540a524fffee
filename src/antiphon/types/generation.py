"""How the model answers."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, field_validator

from antiphon.types.content import Content, Part
from antiphon.types.model import ClosedEnum, Model
from antiphon.types.safety import SafetySetting
from antiphon.types.schema import Schema
from antiphon.types.speech import SpeechConfig
from antiphon.types.tools import Tool, ToolConfig
from antiphon.types.transcription import AudioTranscriptionConfig
from antiphon.types.transport import HttpOptions
from antiphon.types.usage import ServiceTier

__all__ = [
    "AutomaticFunctionCallingConfig",
    "FeatureSelectionPreference",
    "GenerateContentConfig",
    "GenerationConfigRoutingConfig",
    "GenerationConfigRoutingConfigAutoRoutingMode",
    "GenerationConfigRoutingConfigManualRoutingMode",
    "GenerationOutputConfig",
    "ImageConfig",
    "ImageConfigImageOutputOptions",
    "MediaResolution",
    "ModelArmorConfig",
    "ModelSelectionConfig",
    "ProminentPeople",
    "ThinkingConfig",
    "ThinkingLevel",
]


class MediaResolution(ClosedEnum):
    """How finely images and video are looked at."""

    MEDIA_RESOLUTION_UNSPECIFIED = "MEDIA_RESOLUTION_UNSPECIFIED"
    MEDIA_RESOLUTION_LOW = "MEDIA_RESOLUTION_LOW"
    MEDIA_RESOLUTION_MEDIUM = "MEDIA_RESOLUTION_MEDIUM"
    MEDIA_RESOLUTION_HIGH = "MEDIA_RESOLUTION_HIGH"


class ThinkingLevel(ClosedEnum):
    """How much the model thinks before it answers."""

    THINKING_LEVEL_UNSPECIFIED = "THINKING_LEVEL_UNSPECIFIED"
    MINIMAL = "MINIMAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    XHIGH = "XHIGH"


class ThinkingConfig(Model):
    """Thinking. `thinking_budget` is tokens: 0 is none, -1 as the model sees fit."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: ThinkingLevel | None = None


class AutomaticFunctionCallingConfig(Model):
    """Whether a client calls functions by itself, and how often at most."""

    disable: bool | None = None
    maximum_remote_calls: int | None = 10
    ignore_call_history: bool | None = None


class GenerationConfigRoutingConfigAutoRoutingMode(Model):
    """The router picks a model by preference."""

    model_routing_preference: (
        Literal["UNKNOWN", "PRIORITIZE_QUALITY", "BALANCED", "PRIORITIZE_COST"] | None
    ) = None


class GenerationConfigRoutingConfigManualRoutingMode(Model):
    """The named model is used."""

    model_name: str | None = None


class GenerationConfigRoutingConfig(Model):
    """Which model answers."""

    auto_mode: GenerationConfigRoutingConfigAutoRoutingMode | None = None
    manual_mode: GenerationConfigRoutingConfigManualRoutingMode | None = None


class FeatureSelectionPreference(ClosedEnum):
    """What matters more in picking a model."""

    FEATURE_SELECTION_PREFERENCE_UNSPECIFIED = "FEATURE_SELECTION_PREFERENCE_UNSPECIFIED"
    PRIORITIZE_QUALITY = "PRIORITIZE_QUALITY"
    BALANCED = "BALANCED"
    PRIORITIZE_COST = "PRIORITIZE_COST"


class ModelSelectionConfig(Model):
    """How a model is picked."""

    feature_selection_preference: FeatureSelectionPreference | None = None


class ProminentPeople(ClosedEnum):
    """Whether images may show well-known people."""

    PROMINENT_PEOPLE_UNSPECIFIED = "PROMINENT_PEOPLE_UNSPECIFIED"
    ALLOW_PROMINENT_PEOPLE = "ALLOW_PROMINENT_PEOPLE"
    BLOCK_PROMINENT_PEOPLE = "BLOCK_PROMINENT_PEOPLE"


class ImageConfigImageOutputOptions(Model):
    """The format of images, and the quality from 0 to 100."""

    compression_quality: int | None = None
    mime_type: str | None = None


class ImageConfig(Model):
    """How images are made. `aspect_ratio` is as in `"16:9"`, `image_size` as in `"2K"`."""

    aspect_ratio: str | None = None
    image_size: str | None = None
    person_generation: str | None = None
    prominent_people: ProminentPeople | None = None
    output_mime_type: str | None = None
    output_compression_quality: int | None = None
    image_output_options: ImageConfigImageOutputOptions | None = None


class ModelArmorConfig(Model):
    """Screening by Model Armor: template resource names."""

    prompt_template_name: str | None = None
    response_template_name: str | None = None


class GenerationOutputConfig(Model):
    """Where output is stored."""

    output_uri_prefix: str | None = None


class GenerateContentConfig(Model):
    """How the model answers: sampling, limits, format, tools, safety.

    `response_schema` is a `Schema`, a mapping or a Python type; it is handed on as it is.
    `response_modalities` are the values of `Modality`.
    """

    http_options: HttpOptions | None = None
    should_return_http_response: bool | None = None
    system_instruction: Content | Part | str | list[Part | str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    candidate_count: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_mime_type: str | None = None
    response_schema: Any = None
    response_json_schema: Any = None
    routing_config: GenerationConfigRoutingConfig | None = None
    model_selection_config: ModelSelectionConfig | None = None
    safety_settings: list[SafetySetting] | None = None
    tools: list[Tool | Callable[..., Any]] | None = None
    tool_config: ToolConfig | None = None
    labels: dict[str, str] | None = None
    cached_content: str | None = None
    response_modalities: list[str] | None = None
    media_resolution: MediaResolution | None = None
    speech_config: str | SpeechConfig | None = None
    audio_timestamp: bool | None = None
    automatic_function_calling: AutomaticFunctionCallingConfig | None = None
    thinking_config: ThinkingConfig | None = None
    image_config: ImageConfig | None = None
    enable_enhanced_civic_answers: bool | None = None
    model_armor_config: ModelArmorConfig | None = None
    service_tier: ServiceTier | None = None
    audio_transcription_config: AudioTranscriptionConfig | None = None
    continuation_token: bytes | None = None
    automatic_continuation: bool | None = None
    generation_output_config: GenerationOutputConfig | None = None
    store: bool | None = None

    @field_validator("response_schema", mode="before")
    @classmethod
    def _read_schema(cls, value: Any) -> Any:
        return Schema.model_validate(value) if isinstance(value, BaseModel) else value
