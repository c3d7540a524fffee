"""What the closes and refusals of Gemini Live mean, and what to do about each (wire reference 1.9)."""

from __future__ import annotations

from typing import Final

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    FrameTooLarge,
    InvalidSetup,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    QuotaExceeded,
    RequestRefused,
    ResumptionRefused,
)

__all__ = ["close_error", "handshake_error", "request_error"]

_Kind = type[ModelConnectionError]
_Row = tuple[int, str, _Kind, str]

_KEY = "Set GOOGLE_API_KEY to a valid key (or pass Gemini(api_key=…))."
_QUOTA = "The account's quota is used up; raise it or wait."
_HANDLE = "The resumption handle is unknown or expired; a fresh session is needed."
_AGAIN = "The service failed; it is worth trying again."

_BY_REASON: Final[tuple[_Row, ...]] = (
    (1007, "api key", AuthenticationRefused, _KEY),
    (
        1007,
        "modalities",
        InvalidSetup,
        "This model answers in the other modality: change RunConfig.response_modalities.",
    ),
    (
        1007,
        "unknown name",
        InvalidSetup,
        'This API version does not know the field: leave it out, or pass Gemini(api_version="v1alpha").',
    ),
    (
        1007,
        "thinking level",
        InvalidSetup,
        "Change the agent's generate_content_config.thinking_config for this model.",
    ),
    (
        1007,
        "function calls are not supported",
        InvalidSetup,
        "Declare the tools with the behavior this model supports: FunctionTool(behavior=…).",
    ),
    (
        1007,
        "scheduling is not supported",
        InvalidSetup,
        "Leave out the tools' scheduling for this model.",
    ),
    (1007, "tool is not supported", InvalidSetup, "Leave this tool out, or choose another model."),
    (
        1007,
        "",
        InvalidSetup,
        "The set-up or a message does not fit this model: compare the RunConfig with its documentation.",
    ),
    (1008, "api key", AuthenticationRefused, _KEY),
    (1008, "quota", QuotaExceeded, _QUOTA),
    (
        1008,
        "is not found for api version",
        ModelNotFound,
        "Check the model's name, and that it serves the Live API in this API version.",
    ),
    (1008, "session not found", ResumptionRefused, _HANDLE),
    (
        1008,
        "requested entity was not found",
        RequestRefused,
        "A tool's answer, or a file, refers to something that the service does not have, or has no more.",
    ),
    (
        1008,
        "",
        RequestRefused,
        "The service refused to carry on: change what was sent, or the set-up, as its reason says.",
    ),
    (1003, "", RequestRefused, "The service does not take what was sent; see its reason."),
    (1009, "", FrameTooLarge, "Send smaller messages: images and files below the service's limit."),
    (1011, "quota", QuotaExceeded, _QUOTA),
    (1011, "", ModelUnavailable, _AGAIN),
    (1012, "", ModelUnavailable, "The service restarts; it is worth trying again."),
    (1013, "quota", QuotaExceeded, _QUOTA),
    (1013, "", ModelUnavailable, "The service is overloaded; it is worth trying again later."),
    (1014, "", ModelUnavailable, "A gateway before the service failed; it is worth trying again."),
    (1001, "", ConnectionLost, "The service moves this connection: open it again."),
)
"""Close code, words in the reason (lower case), what it is, what to do. The first that fits counts."""

_BY_STATUS: Final[dict[int, tuple[_Kind, str]]] = {
    400: (InvalidSetup, "The address or a header is wrong: check base_url and api_version."),
    401: (AuthenticationRefused, _KEY),
    403: (AuthenticationRefused, f"The key or project may not use this model: check its permissions. {_KEY}"),
    404: (ModelNotFound, "Nothing answers at this address: check base_url and api_version."),
    407: (AuthenticationRefused, "The proxy wants credentials: put them into HTTPS_PROXY."),
    408: (ModelUnavailable, _AGAIN),
    429: (ModelUnavailable, "Too many connections or requests for now; it is worth trying again later."),
}


def close_error(code: int, reason: str, *, resuming: bool = False) -> ModelConnectionError | None:
    """The error a close frame stands for; `None` for 1000, the end in good order.

    `resuming`: the session was to be resumed, and had not yet been accepted.
    """
    if code == 1000:
        return None
    said = reason.lower()
    words = f"Gemini closed the connection ({_quoted(code, reason)})."
    if resuming and code == 1008 and "entity was not found" in said:
        return ResumptionRefused(f"{words} {_HANDLE}", code=code, reason=reason)
    for known, part, kind, cure in _BY_REASON:
        if code == known and part in said:
            return kind(f"{words} {cure}", code=code, reason=reason)
    return ConnectionLost(f"{words} It is worth trying again.", code=code, reason=reason)


def handshake_error(status: int, body: str) -> ModelConnectionError:
    """The error that an HTTP status instead of an upgrade stands for."""
    said = " ".join(body.split())
    kind, cure = _BY_STATUS.get(
        status, (InvalidSetup, "There is no Live API at this address: check base_url.")
    )
    if status >= 500:
        kind, cure = ModelUnavailable, _AGAIN
    elif status == 400 and "api key" in said.lower():
        kind, cure = AuthenticationRefused, _KEY
    elif status == 429 and "quota" in said.lower():
        kind, cure = QuotaExceeded, _QUOTA
    reason = said[:200]
    answer = f"HTTP {status}: {reason}" if reason else f"HTTP {status}"
    return kind(f"Gemini refused the connection ({answer}). {cure}", code=status, reason=reason)


def request_error(status: int, reason: str, retry_after: str | None = None) -> ModelConnectionError:
    """The error that a refused request stands for; `retry_after` is the header of that name."""
    said = " ".join(reason.split())[:200]
    kind, cure = _BY_STATUS.get(status, (InvalidSetup, "See its reason."))
    if status >= 500:
        kind, cure = ModelUnavailable, _AGAIN
    elif status == 400:
        cure = "The request does not fit this model: change what its reason names."
        if "api key" in said.lower():
            kind, cure = AuthenticationRefused, _KEY
    elif status == 404:
        cure = "Check the model's name, base_url and api_version."
    elif status == 429 and "quota" in said.lower() and "per minute" not in said.lower():
        kind, cure = QuotaExceeded, _QUOTA
    error = kind(f"Gemini refused the request (HTTP {status}: {said}). {cure}", code=status, reason=said)
    if retry_after and retry_after.isdecimal():
        error.retry_after = float(retry_after)
    return error


def _quoted(code: int, reason: str) -> str:
    return f'close {code} "{reason}"' if reason else f"close {code}"
