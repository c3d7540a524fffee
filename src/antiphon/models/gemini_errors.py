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

__all__ = ["close_error", "handshake_error"]

_Kind = type[ModelConnectionError]

_KEY_CURE = "Set GOOGLE_API_KEY to a valid key (or pass Gemini(api_key=…))."

_BY_REASON: Final[tuple[tuple[int, str, _Kind, str], ...]] = (
    (1007, "api key", AuthenticationRefused, _KEY_CURE),
    (1007, "modalities", InvalidSetup, 'This model answers in the other modality: change RunConfig.response_modalities.'),
    (1007, "unknown name", InvalidSetup, "This API version does not know the field; leave it out or set api_version=\"v1alpha\"."),
    (1007, "thinking level", InvalidSetup, "Change the agent's generate_content_config.thinking_config for this model."),
    (1007, "function calls are not supported", InvalidSetup, "Declare the tools with the behaviour this model supports."),
    (1007, "scheduling is not supported", InvalidSetup, "Leave out the tools' scheduling for this model."),
    (1007, "", InvalidSetup, "The set-up or a message does not fit this model; compare the RunConfig with its documentation."),
    (1008, "is not found for api version", ModelNotFound, "Check the model's name, and that it serves the Live API in this API version."),
    (1008, "session not found", ResumptionRefused, "The resumption handle is unknown or expired; a fresh session is opened."),
    (1008, "requested entity was not found", RequestRefused, "A tool result or a handle refers to something the service has forgotten."),
    (1008, "", RequestRefused, "The service refused to carry on; see its reason."),
    (1003, "", RequestRefused, "The service does not take what was sent; see its reason."),
    (1009, "", FrameTooLarge, "Send smaller messages: images and files below the service's limit."),
    (1011, "quota", QuotaExceeded, "The account's quota is used up; raise it or wait."),
    (1011, "", ModelUnavailable, "The service failed; it is worth trying again."),
    (1012, "", ModelUnavailable, "The service restarts; it is worth trying again."),
    (1013, "", ModelUnavailable, "The service is overloaded; it is worth trying again later."),
    (1014, "", ModelUnavailable, "A gateway before the service failed; it is worth trying again."),
    (1001, "", ConnectionLost, "The service moves this connection; it is opened again."),
)
"""Close code, words in the reason (lower case), what it is, what to do. The first that fits counts."""

_BY_STATUS: Final[dict[int, tuple[_Kind, str]]] = {
    400: (InvalidSetup, "The address or a header is wrong; check base_url and api_version."),
    401: (AuthenticationRefused, _KEY_CURE),
    403: (AuthenticationRefused, "The key or project may not use this model; check its permissions. " + _KEY_CURE),
    404: (ModelNotFound, "Nothing answers at this address; check base_url and api_version."),
    429: (ModelUnavailable, "Too many connections or requests for now; it is worth trying again later."),
}


def close_error(code: int, reason: str) -> ModelConnectionError | None:
    """The error a close frame stands for; `None` for 1000, the end in good order."""
    if code == 1000:
        return None
    said = reason.lower()
    for known, words, kind, cure in _BY_REASON:
        if code == known and words in said:
            return kind(f"Gemini closed the connection ({_quoted(code, reason)}). {cure}", code=code, reason=reason)
    return ConnectionLost(f"The connection to Gemini ended ({_quoted(code, reason)}).", code=code, reason=reason)


def handshake_error(status: int, body: str) -> ModelConnectionError:
    """The error that an HTTP status instead of an upgrade stands for."""
    kind, cure = _BY_STATUS.get(status, (InvalidSetup, "The address is not that of a Live API; check base_url."))
    if status >= 500:
        kind, cure = ModelUnavailable, "The service failed; it is worth trying again."
    if status == 429 and "quota" in body.lower():
        kind, cure = QuotaExceeded, "The account's quota is used up; raise it or wait."
    said = " ".join(body.split())[:200]
    return kind(f"Gemini refused the connection (HTTP {status}{': ' + said if said else ''}). {cure}", code=status, reason=said)


def _quoted(code: int, reason: str) -> str:
    return f'close {code} "{reason}"' if reason else f"close {code}"
