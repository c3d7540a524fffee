"""What applications give a runner, read: dicts and strings for what they stand for."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError
from antiphon.requests import check_content, read
from antiphon.types import Content, Part

__all__ = ["read_config", "read_message"]


def read_config(given: RunConfig | dict[str, Any] | None) -> RunConfig:
    """Raises `ConfigurationError` for what is none."""
    if given is None or isinstance(given, RunConfig):
        return given or RunConfig()
    if not isinstance(given, dict):
        raise ConfigurationError(
            "run_config is an antiphon.RunConfig, or a dict of its fields, "
            f"not {type(given).__module__}.{type(given).__name__}."
        )
    try:
        return RunConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(f"run_config cannot be read: {error}") from error


def read_message(given: Content | dict[str, Any] | str) -> Content:
    """Raises `InvalidContent`, `UsageError` or Pydantic's `ValidationError` for what no user may send."""
    if isinstance(given, str):
        given = Content(role="user", parts=[Part.from_text(text=given)])
    message = read(Content, given, "new_message is a str, a Content or a dict of its fields.")
    check_content(message)
    return message
