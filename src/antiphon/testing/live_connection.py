"""What came and went over a connection to a `LiveServer`, and waiting for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from antiphon.testing.live_wire import Json, Message, Route, credential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LOGGED", "PATIENCE", "Changes", "Connection"]

T = TypeVar("T")

LOGGED: Final = 100_000
"""Messages that are kept of a connection, each way."""
PATIENCE: Final = 5.0
"""Seconds of the loop's clock after which an awaited condition is given up."""


class Changes:
    """Lets tests wait for a condition instead of polling."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Something changed."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, error: BaseException) -> None:
        """A script failed: whoever waits would wait in vain."""
        self.error = self.error or error
        self.tell()

    async def until(self, found: Callable[[], T | None], what: Callable[[], str], within: float) -> T:
        """What `found` returns once it is true. Raises `TimeoutError` that says what was waited for, after
        `within` seconds of the loop's clock, or the error of a script that failed."""
        try:
            async with asyncio.timeout(within):
                while not (value := found()):
                    if self.error is not None:
                        raise self.error
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._waiting.discard(waiter)
                return value
        except TimeoutError:
            raise TimeoutError(f"waited {within:g} s for {what()}") from None


class Connection:
    """What came and went over one connection; tests read it."""

    def __init__(
        self,
        number: int,
        path: str,
        headers: Mapping[str, str],
        changes: Changes,
        *,
        route: Route | None = None,
        limit: int = LOGGED,
    ) -> None:
        self.number = number
        """From 1, in the order in which clients tried to connect."""
        self.path = path
        """Path and query of the request."""
        self.headers = dict(headers)
        """Of the request, names in lower case."""
        self.route = route or Route("verbatim")
        self.status: int | None = None
        """101 after the upgrade, else the HTTP status with which it was refused."""
        self.setup: Json | None = None
        """The normalised object of the `setup` message."""
        self.received: list[Message] = []
        """Normalised client messages, `setup` first. Frames that are not JSON objects are only in `.raw`."""
        self.sent: list[Message] = []
        """Server frames, as dictionaries. Bytes that are no JSON object are only in `.raw`."""
        self.close_code: int | None = None
        """1006 after a loss without close frame; None while it is open."""
        self.close_reason: str | None = None
        self._changes = changes
        self._limit = limit

    def note(self, message: Message, log: list[Message]) -> None:
        """Adds to `received` or `sent`; when that is full, its older half is forgotten."""
        if len(log) >= self._limit:
            del log[: len(log) // 2]
        log.append(message)
        if log is self.received and message.kind == "setup" and self.setup is None:
            setup = message["setup"]
            self.setup = setup if isinstance(setup, dict) else {}
        self._changes.tell()

    def __repr__(self) -> str:
        end = "open" if self.close_code is None else f"closed {self.close_code} {self.close_reason}".rstrip()
        kinds = " ".join(message.kind or "?" for message in self.received[-8:])
        return (
            f"<Connection {self.number} {end}; received {len(self.received)}: {kinds}; sent {len(self.sent)}>"
        )

    @property
    def api_key(self) -> str | None:
        """The key or token, in whichever form it was given (wire 1.1)."""
        return credential(self.path, self.headers)

    @property
    def resumed_from(self) -> str | None:
        """The handle in its setup."""
        return ((self.setup or {}).get("sessionResumption") or {}).get("handle") or None

    @property
    def texts(self) -> list[str]:
        """What was typed, message by message."""
        return [text for message in self.received if (text := message.text) is not None]

    @property
    def audio(self) -> bytes:
        """All audio that came, joined: 16-bit little-endian mono PCM."""
        return b"".join(chunk for message in self.received if (chunk := message.audio))

    @property
    def function_responses(self) -> list[Json]:
        return [response for message in self.received for response in message.function_responses]

    async def until(
        self,
        condition: Callable[[Connection], T | None],
        *,
        within: float = PATIENCE,
        what: str = "a condition",
    ) -> T:
        """Waits until `condition(connection)` is true; returns its value.

        It is looked at whenever something was received, sent or closed. Raises `TimeoutError`.
        """
        return await self._changes.until(lambda: condition(self), lambda: f"{what} of {self!r}", within)

    async def message(self, kind: str, nth: int = 1, *, within: float = PATIENCE) -> Message:
        """The `nth` message of this kind, such as "toolResponse", once it came."""

        def found(connection: Connection) -> Message | None:
            matching = [message for message in connection.received if message.kind == kind]
            return matching[nth - 1] if len(matching) >= nth else None

        return await self.until(found, within=within, what=f"{kind} number {nth}")

    async def closed(self, *, within: float = PATIENCE) -> int:
        """The close code, once the connection is closed."""
        await self.until(lambda c: c.close_code is not None, within=within, what="the end")
        return self.close_code or 1006
