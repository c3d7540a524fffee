"""What the contracts of services have in common."""

from __future__ import annotations

import pytest

from antiphon.errors import SessionExists, SessionNotFound, UsageError
from antiphon.testing.service_contract import ServiceContract, refused


class Door:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


class DoorContract(ServiceContract[Door]):
    async def make_service(self) -> Door:
        return Door()


def test_refused_wants_that_error_and_no_other() -> None:
    with refused(UsageError):
        raise SessionExists
    with pytest.raises(AssertionError, match="UsageError was not raised"), refused(UsageError):
        pass
    with pytest.raises(SessionNotFound), refused(SessionExists):
        raise SessionNotFound


async def test_service_is_closed_whatever_happens() -> None:
    async with DoorContract().service() as door:
        assert door.closed == 0
    assert door.closed == 1
    with pytest.raises(ZeroDivisionError):
        async with DoorContract().service() as door:
            _ = 1 / 0
    assert door.closed == 1


async def test_closing_twice_is_asked_of_every_service() -> None:
    class Slams(Door):
        async def close(self) -> None:
            await super().close()
            assert self.closed < 2

    class SlamsContract(ServiceContract[Door]):
        async def make_service(self) -> Door:
            return Slams()

    await DoorContract().test_closing_twice_is_fine()
    with pytest.raises(AssertionError):
        await SlamsContract().test_closing_twice_is_fine()


async def test_a_contract_without_a_service_says_so() -> None:
    with pytest.raises(NotImplementedError):
        await ServiceContract[Door]().test_closing_twice_is_fine()
