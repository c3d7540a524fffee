"""The way to a conversation: its address, who comes, and what it means when the server does not open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from antiphon.client.errors import ConversationRefused
from antiphon.server.messages import SUBPROTOCOL

if TYPE_CHECKING:
    from ssl import SSLContext

    from websockets.asyncio.client import ClientConnection

__all__ = ["Broken", "Door", "Token"]

Token: TypeAlias = str | Callable[[], Awaitable[str]] | None
"""A bearer token, or what gets a new one for each socket."""

MOST_BYTES: Final = 16 * 1024 * 1024
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HERE: Final = {"localhost", "127.0.0.1", "::1"}
_PASSING: Final = {408, 425, 429, 500, 502, 503, 504}


class Broken(Exception):
    """There is no socket, or no more; another attempt may succeed."""


class Door:
    """Opens sockets to one session of one user.

    Raises `ValueError` for an address that is none. `url` is the server's, with the path it is mounted at.
    """

    def __init__(self, url: str, user_id: str, session_id: str, token: Token, ssl: SSLContext | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not parts.netloc:
            raise ValueError(
                f"{url!r} is no server: give one such as ws://localhost:8000 or https://example.org."
            )
        if not user_id or not session_id:
            raise ValueError("Give a user_id and a session_id that are not empty.")
        path = f"{parts.path.rstrip('/')}/ws/{quote(user_id, safe='')}/{quote(session_id, safe='')}"
        self.address = urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))
        self._token = token
        self._options: dict[str, Any] = {} if ssl is None else {"ssl": ssl}
        if parts.hostname in _HERE:
            self._options["proxy"] = None  # the system's proxy is not for this machine

    async def open(self) -> ClientConnection:
        """A socket that speaks `antiphon.v1`. Raises `Broken` and `ConversationRefused`."""
        token = await self._token() if callable(self._token) else self._token
        try:
            socket = await connect(
                self.address,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers={} if token is None else {"Authorization": f"Bearer {token}"},
                compression=None,  # speech does not get smaller
                max_size=MOST_BYTES,
                **self._options,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status in _PASSING:
                raise Broken(f"the server answered with HTTP {status}") from error
            raise ConversationRefused(status, f"{self.address}: {_WORDS.get(status, 'refused')}") from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Broken(f"{self.address} cannot be reached: {str(error) or type(error).__name__}") from error
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close(1002)
            raise ConversationRefused(1002, f"{self.address} does not speak {SUBPROTOCOL}: update the server")
        return socket


_WORDS: Final = {
    401: "the server does not know you: give a `token`",
    403: "you are not allowed here: look at `user_id` and `token`",
    404: "there is no conversation at this path: look at `url`",
}
