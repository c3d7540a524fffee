"""The way to a hosted model: opens a WebSocket, and says what went wrong when there is none.

What is said and heard on it is in `socket_connection`.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final

from picows import WSError, WSHandshakeError, ws_connect
from python_socks import ProxyError

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    MalformedFrame,
    ModelConnectionError,
)
from antiphon.models.dial import dial, host_of, proxy_for, trust_for
from antiphon.models.ear import Ear
from antiphon.models.socket_connection import MAX_FRAME, SocketConnection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.models.base import Codec, Listener

__all__ = ["connect"]

_engine_log = logging.getLogger(f"{__name__}.engine")
_engine_log.setLevel(logging.WARNING)  # the engine tells of every connection it makes

TLS_BUFFER: Final = 2 * (16 * 1024 + 64)
"""Bytes encrypted, each way: two records. The engine's own are eight times that, and all in use in time."""
_TLS_BUFFERS: Final = ("ssl_incoming_bio_size", "ssl_outgoing_bio_size")


async def connect(
    url: str, headers: Mapping[str, str], codec: Codec, listener: Listener, *, max_frame: int = MAX_FRAME
) -> SocketConnection:
    """Opens a WebSocket (`ws` plain, `wss` TLS); a message of more than `max_frame` bytes ends it.

    Raises `ModelConnectionError` with cause and cure, or `ConfigurationError`. Nothing is left open then, nor
    when it is cancelled.
    """
    opened: list[socket.socket] = []
    try:
        return await _open(url, headers, codec, SocketConnection(codec, listener, max_frame), opened)
    except BaseException:
        for each in opened:  # what was in the middle of a handshake ends by it
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        raise


async def _open(
    url: str,
    headers: Mapping[str, str],
    codec: Codec,
    connection: SocketConnection,
    opened: list[socket.socket],
) -> SocketConnection:
    async def dialled(where: Any) -> socket.socket:
        opened.append(await dial(where.host, where.port))
        return opened[-1]

    trust = trust_for(url)
    buffers: dict[str, Any] = {} if trust is None else dict.fromkeys(_TLS_BUFFERS, TLS_BUFFER)
    try:
        _, ear = await ws_connect(
            lambda: Ear(connection),
            url,
            ssl_context=trust,
            websocket_handshake_timeout=None,  # RunConfig.connect_timeout governs
            extra_headers=dict(headers),
            max_frame_size=connection.max_frame,
            max_redirects=0,  # a key is for the host it was given to
            enable_auto_ping=False,
            enable_auto_pong=False,  # pings are a sign of life too
            proxy=proxy_for(url),
            logger_name=_engine_log,
            socket_factory=dialled,  # it would leave its own open when cancelled
            **buffers,
        )
    except WSHandshakeError as refused:
        raise _handshake_error(url, refused, codec) from refused
    except ssl.SSLCertVerificationError as untrusted:
        raise AuthenticationRefused(
            f"The TLS certificate of {host_of(url)} is not trusted ({untrusted.verify_message}). "
            "Check the address; if it is your own, set SSL_CERT_FILE to its authority's certificate."
        ) from untrusted
    except (OSError, WSError, EOFError, ProxyError) as failed:
        cause = str(failed) or type(failed).__name__
        raise ConnectionLost(
            f"No connection to {host_of(url)}: {cause}. Check the address, the network and the proxy."
        ) from failed
    if ear is None:
        raise ConnectionLost(f"{host_of(url)} hung up in the middle of the handshake. Check the address.")
    return connection


def _handshake_error(url: str, refused: WSHandshakeError, codec: Codec) -> ModelConnectionError:
    status = re.match(rb"HTTP/1\.[01] (\d{3})", refused.raw_header or b"")
    if status and status[1] != b"101":
        return codec.handshake_error(int(status[1]), (refused.raw_body or b"").decode(errors="replace"))
    return MalformedFrame(f"{host_of(url)} does not speak WebSocket ({refused}). Check the address.")
