"""Credentials for Vertex AI, from the environment, by google-auth."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.errors import AuthenticationRefused, ConnectionLost, MissingCredentials, MissingExtra

__all__ = ["bearer_headers"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_found: dict[str, Any] = {}


async def bearer_headers() -> dict[str, str]:
    """The headers that identify the application, with a token that is still good.

    Raises `MissingExtra`; `MissingCredentials` when the environment has none; `AuthenticationRefused` when
    they cannot be refreshed, and `ConnectionLost` when that may pass.
    """
    return await asyncio.to_thread(_headers)


def _headers() -> dict[str, str]:
    try:
        import google.auth
        import google.auth.exceptions
        from google.auth.transport.requests import Request
    except ImportError as missing:
        raise MissingExtra("Vertex AI needs google-auth: pip install 'antiphon[vertex]'.") from missing
    try:
        if "adc" not in _found:
            _found["adc"], _ = google.auth.default(scopes=_SCOPES)
        credentials = _found["adc"]
        if not credentials.valid:
            credentials.refresh(Request())
    except google.auth.exceptions.DefaultCredentialsError as none:
        raise MissingCredentials(
            "No Google Cloud credentials: run `gcloud auth application-default login`, or set "
            "GOOGLE_APPLICATION_CREDENTIALS to a key file."
        ) from none
    except google.auth.exceptions.GoogleAuthError as failed:
        may_pass = failed.retryable or isinstance(failed, google.auth.exceptions.TransportError)
        kind = ConnectionLost if may_pass else AuthenticationRefused
        raise kind(
            f"The Google Cloud credentials could not be refreshed ({failed}). Check the network, or run "
            "`gcloud auth application-default login` again."
        ) from failed
    headers = {"Authorization": f"Bearer {credentials.token}"}
    if quota := getattr(credentials, "quota_project_id", None):
        headers["x-goog-user-project"] = quota
    return headers
