"""Gemini Live: where it is, who may speak to it, what it can do."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from antiphon.capabilities import Capabilities
from antiphon.errors import ConfigurationError, MissingCredentials
from antiphon.models.base import Listener, LiveModel, ModelConnection
from antiphon.models.gemini_codec import GeminiCodec
from antiphon.models.gemini_profiles import Profile, profile_of
from antiphon.models.gemini_vertex import bearer_headers
from antiphon.models.socket import connect

if TYPE_CHECKING:
    from antiphon.config import RunConfig

__all__ = ["Gemini"]

_GOOGLE: Final = "https://generativelanguage.googleapis.com"
_SCHEMES: Final = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}
_EPHEMERAL: Final = "auth_tokens/"


class Gemini(LiveModel):
    """A Gemini Live model, on the Gemini API or on Vertex AI.

    Args:
        model: Its name, such as `gemini-3.8-live`.
        api_key: A key, or an ephemeral token (`auth_tokens/…`). Else `GOOGLE_API_KEY`, else `GEMINI_API_KEY`.
        base_url: Another address; `http`/`ws` opens a plain socket, `https`/`wss` TLS (trusting `SSL_CERT_FILE`).
            Else `GOOGLE_GEMINI_BASE_URL`.
        api_version: Else `GOOGLE_GENAI_API_VERSION`, else what the run needs.
        vertexai: Use Vertex AI. Else `GOOGLE_GENAI_USE_VERTEXAI`.
        project, location: Of Vertex AI. Else `GOOGLE_CLOUD_PROJECT`, `GOOGLE_CLOUD_LOCATION`. Credentials are the
            environment's own (`pip install 'antiphon[vertex]'`), or an express-mode key.
        headers: Sent with every connection, besides the credentials.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        api_version: str | None = None,
        vertexai: bool | None = None,
        project: str | None = None,
        location: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.name = model
        self._api_key = api_key or os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY")
        self._base_url = (base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL") or "").rstrip("/")
        self._api_version = api_version or _version(os.environ.get("GOOGLE_GENAI_API_VERSION"))
        self._vertex = _flag(os.environ.get("GOOGLE_GENAI_USE_VERTEXAI")) if vertexai is None else vertexai
        self._project = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
        self._location = location or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global"
        self._headers = dict(headers or {})
        if self._base_url and urlsplit(self._base_url).scheme not in _SCHEMES:
            raise ConfigurationError(
                f"base_url={self._base_url!r} must begin with one of {', '.join(f'{s}://' for s in _SCHEMES)}."
            )

    def __repr__(self) -> str:
        return f"Gemini({self.name!r})"

    @cached_property
    def profile(self) -> Profile:
        """What is known of this family of models."""
        return profile_of(self.name)

    @property
    def capabilities(self) -> Capabilities:
        return self.profile.capabilities

    def check(self, config: RunConfig) -> None:
        super().check(config)
        if self._vertex and not (self._project or self._api_key or self._base_url):
            raise MissingCredentials(
                "Vertex AI needs a project: set GOOGLE_CLOUD_PROJECT (and GOOGLE_CLOUD_LOCATION), or pass "
                "Gemini(project=…, location=…)."
            )
        if not self._vertex and not self._api_key and not self._base_url:
            raise MissingCredentials(
                f"No key for {self.name}: set GOOGLE_API_KEY (or GEMINI_API_KEY), or pass Gemini(api_key=…). "
                "To try Antiphon without one, run `antiphon demo`."
            )

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        headers = await self._credentials()
        codec = GeminiCodec(self._resource(), self.profile)
        return await connect(self.address(config), self._headers | headers, codec, listener)

    def address(self, config: RunConfig) -> str:
        """The WebSocket address for a run with this configuration."""
        if self._vertex:
            host = "aiplatform.googleapis.com" if self._location == "global" else f"{self._location}-aiplatform.googleapis.com"
            path = f"/ws/google.cloud.aiplatform.{self._api_version or 'v1beta1'}.LlmBidiService/BidiGenerateContent"
            return _join(self._base_url or f"https://{host}", path)
        constrained = (self._api_key or "").startswith(_EPHEMERAL)
        preview = constrained or config.proactivity is not None or config.enable_affective_dialog
        version = self._api_version or ("v1alpha" if preview else "v1")
        method = "BidiGenerateContentConstrained" if constrained else "BidiGenerateContent"
        path = f"/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"
        return _join(self._base_url or _GOOGLE, path)

    def _resource(self) -> str:
        if "/" in self.name:
            return self.name
        if self._vertex and self._project:
            return f"projects/{self._project}/locations/{self._location}/publishers/google/models/{self.name}"
        return f"publishers/google/models/{self.name}" if self._vertex else f"models/{self.name}"

    async def _credentials(self) -> dict[str, str]:
        if self._vertex and self._project and not self._base_url:
            return await bearer_headers(self._project)
        if not self._api_key:
            return {}
        key = {"x-goog-api-key": self._api_key}
        return key | {"Authorization": f"Token {self._api_key}"} if self._api_key.startswith(_EPHEMERAL) else key


def _join(base: str, path: str) -> str:
    scheme, _, rest = base.partition("://")
    return f"{_SCHEMES[scheme]}://{rest}" + ("" if "/ws/" in rest else path)


def _flag(value: str | None) -> bool:
    return (value or "").strip().lower() in ("1", "true", "yes", "on")


def _version(value: str | None) -> str | None:
    return "v1beta" if value == "beta" else value


