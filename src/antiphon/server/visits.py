"""A client's visit: from its handshake to the end of its socket (protocol 1, 5, 7; contract 8.1 to 8.5)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from antiphon.errors import AntiphonError
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.access import Refused
from antiphon.server.admission import AdmissionClosed, LineFull
from antiphon.server.asgi_line import AsgiLine
from antiphon.server.direct import DIRECT
from antiphon.server.lines import DirectLine
from antiphon.server.messages import SUBPROTOCOL
from antiphon.server.rooms import TurnedAway
from antiphon.server.socket import ClientSocket, Ending
from antiphon.server.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket

    from antiphon.server.access import Access
    from antiphon.server.lines import Line
    from antiphon.server.room import Place
    from antiphon.server.rooms import Rooms

__all__ = ["receive", "speaks_v1"]

ENDING: Final = 2.0
"""Seconds that a client is given to take the last frame."""
LONGEST_SESSION: Final = 256
"""Characters of a session's id."""

Client = TypeVar("Client", bound=ClientSocket)


def speaks_v1(websocket: WebSocket) -> bool:
    """Whether the client offers the subprotocol."""
    return SUBPROTOCOL in websocket.scope.get("subprotocols", ())


async def receive(
    kind: type[Client],
    enter: Callable[[Client], Awaitable[None]],
    websocket: WebSocket,
    rooms: Rooms,
    access: Access,
    place: Place,
) -> None:
    """Accepts a client that may come in, and holds its part of the conversation.

    `enter` takes its seat, by `sit`, or raises `TurnedAway`, `Malformed` or `AntiphonError`. One that may
    not come in is accepted and closed, since a refused handshake cannot tell a page why. Beyond
    `ServerLimits.sockets` clients are refused by 503.
    """
    if rooms.sockets >= rooms.limits.sockets:
        rooms.metrics.refused("503")
        await websocket.send_denial_response(Response("All sockets are taken: try later.", 503))
        return
    rooms.sockets += 1
    try:
        refused = None
        try:
            await access.identify(websocket.scope, place.user_id)
        except Refused as refusal:
            refused = refusal
            rooms.metrics.refused(str(refusal.status_code))
        session_id = place.session_id
        if refused is None and not (session_id.isprintable() and 0 < len(session_id) <= LONGEST_SESSION):
            refused = Refused(400, f"A session's id has 1 to {LONGEST_SESSION} printable characters.")
        try:
            line = await _accept(websocket, kind.subprotocol)
        except (OSError, WebSocketDisconnect):
            return  # the client has left
        client = kind(line, websocket.query_params, rooms, place)
        if refused is not None:
            client.say(client.error("not_allowed", refused.detail))
            await _close(client, Ending(refused.close_code, refused.detail))
        else:
            await _stay(client, enter)
    finally:
        rooms.sockets -= 1


async def _accept(websocket: WebSocket, subprotocol: str | None) -> Line:
    """Completes the handshake. Raises `OSError` or `WebSocketDisconnect` when the client has left."""
    short_way = websocket.scope.get("extensions", {}).get(DIRECT)
    if short_way is not None:
        return DirectLine(short_way(subprotocol))
    await websocket.accept(subprotocol)
    return AsgiLine(websocket)


async def _stay(client: Client, enter: Callable[[Client], Awaitable[None]]) -> None:
    """Returns when the socket is over, and nothing is left of it."""
    tasks = TaskOwner(client.failed)
    client.begin(tasks)
    tasks.spawn(_take_seat(client, enter), "a client takes its seat")
    ending = Ending(1001, "the server ends")
    try:
        ending = await client.over
    finally:
        client.stop()
        await tasks.cancel_all(ENDING)
        client.leave(ending)
        if not ending.gone:
            await _close(client, ending)


async def _take_seat(client: Client, enter: Callable[[Client], Awaitable[None]]) -> None:
    try:
        await enter(client)
    except TurnedAway as refusal:
        client.turn_away(refusal.code, refusal.message, refusal.close)
    except Malformed as wrong:
        client.turn_away(wrong.code, wrong.message, wrong.close or 1008)
    except LineFull as full:
        client.turn_away("queue_full", str(full), 1013)
    except AdmissionClosed as closed:
        client.turn_away("unavailable", str(closed), 1001)
    except AntiphonError as error:
        client.turn_away("unsupported", str(error), client.unsupported)


async def _close(client: ClientSocket, ending: Ending) -> None:
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        async with asyncio.timeout(ENDING):
            await client.line.close(client.left(), ending.code, _short(ending.reason))


def _short(reason: str) -> str:
    """What fits into a close frame."""
    return reason.encode()[:120].decode(errors="ignore")
