"""Gemini Live: where it is, who may speak to it, what it can do."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from antiphon import models
from antiphon.errors import ConfigurationError, MissingCredentials, UnsupportedByModel
from antiphon.models.base import Listener, LiveModel, ModelConnection
from antiphon.models.gemini_profiles import Profile, profile_of
from antiphon.models.gemini_vertex import bearer_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig

__all__ = ["Access", "Gemini"]

_GOOGLE: Final = "https://generativelanguage.googleapis.com"
_SCHEMES: Final = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}
_EPHEMERAL: Final = "auth_tokens/"
_METHODS: Final = ("BidiGenerateContent", "BidiGenerateContentConstrained")
_SECRET: Final = re.compile(r"auth|cookie|key|pass|secret|token", re.IGNORECASE)
"""Headers of such names are not written down anywhere."""
_MULTI_REGIONS: Final = ("us", "eu")


class Access(NamedTuple):
    """Where a service is, and who asks, as arguments and environment say; empty where they say nothing."""

    vertex: bool
    api_key: str
    project: str
    location: str
    base_url: str
    api_version: str | None
    headers: Mapping[str, str]


class Gemini(LiveModel):
    """A Gemini Live model, on the Gemini API or on Vertex AI.

    What is not given is taken from the environment; what is given goes before it, so that a key given here
    is not set aside for a project named there, nor the other way round.

    Args:
        model: Its name, such as `gemini-3.8-live`.
        api_key: A key, or an ephemeral token (`auth_tokens/…`). Else `GOOGLE_API_KEY` or `GEMINI_API_KEY`.
        base_url: Another address, with or without a path; `http`/`ws` opens a plain socket, `https`/`wss`
            TLS (trusting `SSL_CERT_FILE`). Else `GOOGLE_GEMINI_BASE_URL`. With Vertex AI but neither key nor
            project it is taken as it is, for gateways that have the credentials.
        api_version: Else `GOOGLE_GENAI_API_VERSION`, else what the run needs.
        vertexai: Use Vertex AI. Else `GOOGLE_GENAI_USE_VERTEXAI`.
        project, location: Of Vertex AI. Else `GOOGLE_CLOUD_PROJECT` and `GOOGLE_CLOUD_LOCATION`, else
            `global`. Credentials are the environment's own (`pip install 'antiphon[vertex]'`); without a
            project, a key of express mode.
        headers: Sent with every connection; they go before the credentials of the same name.

    Raises:
        ConfigurationError: `base_url` is no address.
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
        env = os.environ.get
        self.name = model
        self._vertex = _flag(env("GOOGLE_GENAI_USE_VERTEXAI")) if vertexai is None else vertexai
        self.provider = "gcp.vertex_ai" if self._vertex else "gcp.gemini"
        key = api_key or (
            None if self._vertex and project else env("GOOGLE_API_KEY") or env("GEMINI_API_KEY")
        )
        self._api_key = (key or "").strip()
        self._project = project or (None if api_key else env("GOOGLE_CLOUD_PROJECT")) or ""
        self._location = location or env("GOOGLE_CLOUD_LOCATION") or "global"
        self._base_url = _checked(base_url or env("GOOGLE_GEMINI_BASE_URL") or "")
        self._api_version = api_version or _version(env("GOOGLE_GENAI_API_VERSION"))
        self._headers = dict(headers or {})
        _ = models.connect, models.GeminiCodec  # imported now: the first connection would hold up the loop

    def __repr__(self) -> str:
        return f"Gemini({self.name!r})"

    @cached_property
    def profile(self) -> Profile:
        """What is known of this family of models."""
        return profile_of(self.name)

    @property
    def capabilities(self) -> Capabilities:
        return self.profile.capabilities

    @property
    def secrets(self) -> list[str]:
        parts = urlsplit(self._base_url)
        query = [value for _, value in parse_qsl(parts.query)]
        told = [value for name, value in self._headers.items() if _SECRET.search(name)]
        words = [word for value in told for word in (value, value.split(" ", 1)[-1])]
        token = self._api_key.removeprefix(_EPHEMERAL)
        return [each for each in (self._api_key, token, parts.password or "", *query, *words) if each]

    @property
    def access(self) -> Access:
        """Where the service is, and who asks."""
        return Access(
            self._vertex,
            self._api_key,
            self._project,
            self._location,
            self._base_url,
            self._api_version,
            self._headers,
        )

    def check(self, config: RunConfig) -> None:
        super().check(config)
        resumption = config.session_resumption
        if resumption is not None and resumption.transparent and not self._vertex:
            raise UnsupportedByModel(
                "session_resumption.transparent is known to Vertex AI only. Leave it out: Antiphon resumes "
                "without it."
            )
        self.check_credentials()

    def check_credentials(self) -> None:
        """Raises `MissingCredentials` when nothing was found to identify the application by."""
        if self._vertex and not (self._project or self._api_key or self._base_url):
            raise MissingCredentials(
                "Vertex AI needs a project: set GOOGLE_CLOUD_PROJECT (and GOOGLE_CLOUD_LOCATION), or pass "
                "Gemini(project=…, location=…)."
            )
        if not self._vertex and not self._api_key and not self._base_url:
            raise MissingCredentials(
                f"No key for {self.name}: set GOOGLE_API_KEY (or GEMINI_API_KEY), or pass "
                "Gemini(api_key=…). To try Antiphon without one, run `antiphon demo`."
            )

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        own = {name.lower() for name in self._headers}
        credentials = {} if "authorization" in own else await self._credentials()
        headers = {name: value for name, value in credentials.items() if name.lower() not in own}
        codec = models.GeminiCodec(self._resource(), self.profile)
        return await models.connect(self.address(config), self._headers | headers, codec, listener)

    def address(self, config: RunConfig) -> str:
        """The WebSocket address for a run with this configuration."""
        if self._is_gateway:
            return _address(self._base_url, "")
        if self._vertex:
            version = self._api_version or "v1beta1"
            path = f"/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent"
            return _address(self._base_url or _vertex_host(self._location), path)
        constrained = self._api_key.startswith(_EPHEMERAL)
        preview = constrained or config.proactivity is not None or config.enable_affective_dialog
        version = self._api_version or ("v1alpha" if preview else "v1")
        method = "BidiGenerateContentConstrained" if constrained else "BidiGenerateContent"
        path = f"/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"
        return _address(self._base_url or _GOOGLE, path)

    @property
    def _is_gateway(self) -> bool:
        return bool(self._vertex and self._base_url and not self._project and not self._api_key)

    def _resource(self) -> str:
        if self._is_gateway:
            return self.name
        if not self._vertex:
            return self.name if "/" in self.name else f"models/{self.name}"
        name = self.name.removeprefix("models/")
        path = name if "/" in name else f"publishers/google/models/{name}"
        if self._project and path.startswith("publishers/"):
            return f"projects/{self._project}/locations/{self._location}/{path}"
        return path

    async def _credentials(self) -> dict[str, str]:
        if self._vertex and self._project:
            return await bearer_headers()
        if not self._api_key:
            return {}
        key = {"x-goog-api-key": self._api_key}
        ephemeral = not self._vertex and self._api_key.startswith(_EPHEMERAL)
        return key | {"Authorization": f"Token {self._api_key}"} if ephemeral else key


def _address(base: str, path: str) -> str:
    """`path` below `base`, unless that is a whole address already."""
    parts = urlsplit(base)
    before = parts.path.rstrip("/")
    whole = before if before.endswith(_METHODS) else before + path
    return parts._replace(scheme=_SCHEMES[parts.scheme], path=whole).geturl()


def _checked(base_url: str) -> str:
    if not base_url:
        return ""
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:  # what it says is not repeated: there may be a key in it
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise ConfigurationError(
            f"base_url (or GOOGLE_GEMINI_BASE_URL) is no address: write a host, and a port if need be, after "
            f"one of {known}."
        )
    return base_url


def _vertex_host(location: str) -> str:
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _flag(value: str | None) -> bool:
    return (value or "").strip().lower() in ("1", "true", "yes", "on")


def _version(value: str | None) -> str | None:
    return "v1beta" if value == "beta" else value
