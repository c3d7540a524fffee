"""The SDK clients of one chat model: one for each event loop, while anybody uses it.

A client holds connections, which belong to a loop, and have to be closed on it. Whoever asks a model several
times keeps it in use in between (`ChatModel.kept_open`), so that connections are reused.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from antiphon.errors import ConnectionLost, ModelConnectionError, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["Clients", "transport_error"]

_TRANSPORT: Final = ("aiohttp", "httpx", "httpx2")
"""The packages in which the connections of SDKs fail."""

_C = TypeVar("_C")


@dataclass(slots=True)
class _Held(Generic[_C]):
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    client: _C | None = None
    users: int = 0


class Clients(Generic[_C]):
    """Clients made by `make`, in a thread, since that reads certificates; ended by `close`, on their loop."""

    def __init__(self, make: Callable[[], _C], close: Callable[[_C], Awaitable[object]]) -> None:
        self._make = make
        self._close = close
        self._held: dict[asyncio.AbstractEventLoop, _Held[_C]] = {}

    def __len__(self) -> int:
        return len(self._held)

    @asynccontextmanager
    async def use(self) -> AsyncIterator[_C]:
        """The running loop's client. The last to leave closes it."""
        loop = asyncio.get_running_loop()
        held = self._held.setdefault(loop, _Held())
        held.users += 1
        try:
            async with held.lock:
                if held.client is None:
                    held.client = await asyncio.to_thread(self._make)
            yield held.client
        finally:
            held.users -= 1
            if not held.users:
                del self._held[loop]
                if held.client is not None:
                    await self._close(held.client)


def transport_error(model: str, error: BaseException) -> ModelConnectionError | None:
    """What an error of the connection stands for; `None` for any other."""
    kind = type(error)
    if kind.__module__.split(".")[0] not in _TRANSPORT:
        return None
    if "Timeout" in kind.__name__:
        return ModelUnavailable(f"{model} did not answer in time.", code=408)
    told = f"{kind.__name__} {error}".strip()
    return ConnectionLost(
        f"No connection to {model}, or it broke off: {told}. Check base_url and the network."
    )
