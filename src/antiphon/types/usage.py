"""What a response cost."""

import time
from typing import ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from antiphon.types.model import Model, OpenEnum

__all__ = [
    "CacheMetadata",
    "GenerateContentResponseUsageMetadata",
    "MediaModality",
    "ModalityTokenCount",
    "ServiceTier",
    "TrafficType",
    "UsageMetadata",
]


class MediaModality(OpenEnum):
    """What the tokens stand for."""

    MODALITY_UNSPECIFIED = "MODALITY_UNSPECIFIED"
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"


class ModalityTokenCount(Model):
    """Tokens of one modality."""

    modality: MediaModality | None = None
    token_count: int | None = None


class TrafficType(OpenEnum):
    """How the traffic was paid for."""

    TRAFFIC_TYPE_UNSPECIFIED = "TRAFFIC_TYPE_UNSPECIFIED"
    ON_DEMAND = "ON_DEMAND"
    ON_DEMAND_PRIORITY = "ON_DEMAND_PRIORITY"
    ON_DEMAND_FLEX = "ON_DEMAND_FLEX"
    ON_DEMAND_OFFPEAK = "ON_DEMAND_OFFPEAK"
    PROVISIONED_THROUGHPUT = "PROVISIONED_THROUGHPUT"


class ServiceTier(OpenEnum):
    """How promptly a request is served."""

    UNSPECIFIED = "unspecified"
    FLEX = "flex"
    STANDARD = "standard"
    PRIORITY = "priority"


class UsageMetadata(Model):
    """Counts of tokens.

    Holds both sets of names: live models count `response_token_count`, others `candidates_token_count`.
    """

    _foreign_names: ClassVar[tuple[str, ...]] = ("GenerateContentResponseUsageMetadata",)

    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    response_token_count: int | None = None
    candidates_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[ModalityTokenCount] | None = None
    cache_tokens_details: list[ModalityTokenCount] | None = None
    response_tokens_details: list[ModalityTokenCount] | None = None
    candidates_tokens_details: list[ModalityTokenCount] | None = None
    tool_use_prompt_tokens_details: list[ModalityTokenCount] | None = None
    traffic_type: TrafficType | None = None
    service_tier: ServiceTier | None = None


GenerateContentResponseUsageMetadata = UsageMetadata


class CacheMetadata(Model):
    """A context cache on the model's side: in use, or only a fingerprint to recognise the prefix by.

    `cache_name`, `expire_time` and `invocations_used` are all set (in use) or all unset. Times are Unix
    seconds. `contents_count` counts the contents in the cache, or in the prefix.
    """

    model_config = ConfigDict(frozen=True)

    cache_name: str | None = None
    expire_time: float | None = None
    fingerprint: str
    invocations_used: int | None = Field(default=None, ge=0)
    contents_count: int = Field(ge=0)
    created_at: float | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        in_use = (self.cache_name, self.expire_time, self.invocations_used)
        if len({value is None for value in in_use}) == 2:
            raise ValueError("cache_name, expire_time and invocations_used must all be set, or all be unset")
        return self

    @property
    def expire_soon(self) -> bool:
        """Whether the cache is gone in two minutes, or already. Without a cache, false."""
        return self.expire_time is not None and time.time() > self.expire_time - 120
