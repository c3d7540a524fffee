"""How a request reaches the model."""

from typing import Any

from antiphon.types.model import ClosedEnum, Model

__all__ = ["HttpOptions", "HttpRetryOptions", "ResourceScope"]


class ResourceScope(ClosedEnum):
    """What is appended to the base address."""

    COLLECTION = "COLLECTION"


class HttpRetryOptions(Model):
    """How a failed request is tried again. Delays are seconds; `attempts` counts the first one too."""

    attempts: int | None = None
    initial_delay: float | None = None
    max_delay: float | None = None
    exp_base: float | None = None
    jitter: float | None = None
    http_status_codes: list[int] | None = None


class HttpOptions(Model):
    """How a request is sent. `timeout` is milliseconds."""

    base_url: str | None = None
    base_url_resource_scope: ResourceScope | None = None
    api_version: str | None = None
    headers: dict[str, str] | None = None
    timeout: int | None = None
    client_args: dict[str, Any] | None = None
    async_client_args: dict[str, Any] | None = None
    extra_body: dict[str, Any] | None = None
    retry_options: HttpRetryOptions | None = None
