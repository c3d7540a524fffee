"""Every exception, grouped by whose fault it is; each message says what to do about it.

`ConfigurationError`: the application was built wrongly, and would fail the same way every time.
`UsageError`: one call cannot be done as asked; the conversation goes on.
`ModelConnectionError`: the model's end refused, failed or vanished; `retryable` tells whether trying
again can help. `StoreUnavailable`: the session database failed or cannot be reached.
`RuntimeLimitError`: a documented bound of this package was reached.
"""

from __future__ import annotations

__all__ = [
    "AntiphonError",
    "AuthenticationRefused",
    "CallbackFailed",
    "ConfigurationError",
    "ConnectionLost",
    "ConsumerTooSlow",
    "FrameTooLarge",
    "InvalidContent",
    "InvalidSetup",
    "MalformedFrame",
    "MissingCredentials",
    "MissingExtra",
    "ModelConnectionError",
    "ModelNotFound",
    "ModelUnavailable",
    "ProcessEnded",
    "QueueClosed",
    "QueueInUse",
    "QuotaExceeded",
    "ReplayDiverged",
    "RequestRefused",
    "ResumptionRefused",
    "RuntimeLimitError",
    "SchemaMismatch",
    "SessionExists",
    "SessionNotFound",
    "SetupTimeout",
    "StaleSession",
    "StoreFailed",
    "StoreUnavailable",
    "TapeUnusable",
    "ToolDeclarationError",
    "UnknownMimeType",
    "UnknownModel",
    "UnsupportedByModel",
    "UsageError",
]


class AntiphonError(Exception):
    """The root of every error this package raises."""


# The application was built wrongly.


class ConfigurationError(AntiphonError, ValueError):
    """The application's set-up cannot work; the message names the setting to change."""


class UnknownModel(ConfigurationError):
    """No registered model answers to this name; the message lists the known ones."""


class MissingCredentials(ConfigurationError):
    """No key, token or project was found for the model; the message names the variables to set."""


class UnsupportedByModel(ConfigurationError):
    """The run asks for something the chosen model has declared it cannot do (contract 6.2)."""


class MissingExtra(ConfigurationError, ImportError):
    """An optional dependency is not installed; the message gives the `pip install` line."""


class ToolDeclarationError(ConfigurationError):
    """A function cannot be offered as a tool, e.g. a parameter without a usable type (contract 5.1)."""


class SchemaMismatch(ConfigurationError):
    """The session database has another version's schema; the message says what to run or install."""


class TapeUnusable(ConfigurationError):
    """A recorded conversation cannot be read or written; the message says where and why (contract 9)."""


# One call cannot be done as asked.


class UsageError(AntiphonError, ValueError):
    """This call is refused; nothing was changed by it."""


class CallbackFailed(UsageError):
    """A callback or a guardrail raised, took too long, or returned what it must not (contract 5.10)."""


class InvalidContent(UsageError):
    """Content the user may not send, e.g. one with a `function_call` part (contract 2.5)."""


class UnknownMimeType(UsageError):
    """A blob whose MIME type no model takes; the message lists the known ones (contract 2.7)."""


class QueueClosed(UsageError):
    """`send_*` after `close()` (contract 2.4)."""


class QueueInUse(UsageError):
    """The queue already serves another invocation (contract 1.4)."""


class SessionNotFound(UsageError, LookupError):
    """No such session for this application and user (contract 1.4)."""


class SessionExists(UsageError):
    """A session with this id is already there."""


class StaleSession(UsageError):
    """Another writer changed the session meanwhile (contract 4.6); read it again and retry."""


# The model's end refused, failed or vanished.


class ModelConnectionError(AntiphonError):
    """The connection to the model could not be opened or kept.

    `code` is the WebSocket close code, or the HTTP status of a refused handshake, or `None` when
    no peer was reached. `reason` is the peer's own wording. `retryable` says whether the runtime
    may try again (contract 7.1, 7.4).
    """

    retryable = False
    retry_after: float | None = None
    """Seconds that the peer asks to wait, where it says so."""

    def __init__(self, message: str, *, code: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class AuthenticationRefused(ModelConnectionError):
    """The key, token or project was not accepted."""


class QuotaExceeded(ModelConnectionError):
    """The account's quota is used up."""


class InvalidSetup(ModelConnectionError):
    """The model refused the set-up or a message as invalid (close 1007)."""


class ModelNotFound(ModelConnectionError):
    """The service knows no such model, or not for live conversations (close 1008)."""


class RequestRefused(ModelConnectionError):
    """The service refused to carry on for reasons of policy (close 1008, 1003)."""


class FrameTooLarge(ModelConnectionError):
    """A frame was over the limit of either side (close 1009)."""


class MalformedFrame(ModelConnectionError):
    """The peer does not speak the protocol: what it sent could not be read."""


class ModelUnavailable(ModelConnectionError):
    """The service failed or is overloaded for now (close 1011 to 1014, HTTP 429 and 5xx)."""

    retryable = True


class ResumptionRefused(ModelConnectionError):
    """The resumption handle is unknown or expired; a fresh session is needed."""

    retryable = True


class ConnectionLost(ModelConnectionError):
    """The connection ended without a close frame, could not be made, or went silent."""

    retryable = True


class SetupTimeout(ConnectionLost):
    """The model did not get ready within `RunConfig.connect_timeout`."""


class ReplayDiverged(ModelConnectionError):
    """A replayed model was told something else than on its tape (contract 9.4): what, and where."""


# The store failed.


class StoreUnavailable(AntiphonError):
    """The session database cannot be reached, or failed; it may work later. `__cause__` has its error."""


# A process of this package ended.


class ProcessEnded(AntiphonError):
    """The process that a tool was called in ended before it had a result; the call failed, and no other."""


# A bound of this package was reached.


class RuntimeLimitError(AntiphonError):
    """A documented limit ended the conversation."""


class ConsumerTooSlow(RuntimeLimitError):
    """The application read its events so slowly that the bounded channel overflowed."""


class StoreFailed(RuntimeLimitError):
    """The session service did not take an event, after retries; `__cause__` has its error."""
