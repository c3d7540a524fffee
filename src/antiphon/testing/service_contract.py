"""What the contracts of services have in common."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from antiphon.errors import AntiphonError

__all__ = ["HERE", "WHO", "ServiceContract", "refused"]

WHO: Any = {"app_name": "app", "user_id": "user"}
HERE: Any = {**WHO, "session_id": "session"}


class Closable(Protocol):
    async def close(self) -> None: ...


Service = TypeVar("Service", bound=Closable)


@contextmanager
def refused(error: type[AntiphonError]) -> Iterator[None]:
    """Fails unless the block raises `error`."""
    try:
        yield
    except error:
        return
    raise AssertionError(f"{error.__name__} was not raised")


class ServiceContract(Generic[Service]):
    """Inherit the contract of a kind of service, and say how to make one."""

    async def make_service(self) -> Service:
        """A new service with nothing in it."""
        raise NotImplementedError

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Service]:
        """A new service, closed at the end."""
        service = await self.make_service()
        try:
            yield service
        finally:
            await service.close()

    async def test_closing_twice_is_fine(self) -> None:  # contract 1.6
        async with self.service() as service:
            await service.close()
