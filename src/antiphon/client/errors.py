"""How a conversation at a client ends otherwise than well."""

from __future__ import annotations

from antiphon.errors import AntiphonError

__all__ = ["BacklogFull", "ClientError", "ConversationLost", "ConversationRefused"]


class ClientError(AntiphonError):
    """The root of what the client raises."""


class ConversationRefused(ClientError):
    """The server does not want this client, or not so; the same attempt would fail again.

    `code` is the closing code (protocol 7.2), or the HTTP status where it did not come to a WebSocket.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class ConversationLost(ClientError):
    """The server cannot be reached, or does not speak the protocol; `__cause__` has what was seen last."""


class BacklogFull(ClientError):
    """More messages wait for the server than are kept: wait for `Connected` before saying more."""
