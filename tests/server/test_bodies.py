"""Contract 8.3: bodies keep to their limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import APIRouter, Body

from antiphon.server.bodies import BodyLimits, bounded_route, is_deeper
from tests.server.birds import calling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def echo(limits: BodyLimits) -> APIRouter:
    router = APIRouter(route_class=bounded_route(limits))

    @router.post("/")
    async def same(given: Annotated[Any, Body()]) -> Any:
        return given

    return router


async def answered(content: bytes, limits: BodyLimits | None = None, **headers: str) -> tuple[int, str]:
    async with calling(echo(limits or BodyLimits())) as client:
        asked = {"content-type": "application/json"} | headers
        answer = await client.post("/", content=content, headers=asked)
        return answer.status_code, answer.text


async def test_a_body_within_the_limits_is_read() -> None:
    assert await answered(b'{"a": [1]}', BodyLimits(bytes=10)) == (200, '{"a":[1]}')


async def test_a_body_that_is_too_long_is_refused_unread() -> None:
    status, told = await answered(b"[1, 2, 3, 4]", BodyLimits(bytes=10))
    assert status == 413 and "10 bytes at most" in told


async def test_a_body_that_does_not_tell_its_length_is_counted() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 10

    async with calling(echo(BodyLimits(bytes=100))) as client:
        answer = await client.post("/", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413 and read <= 12


@pytest.mark.virtual_clock
async def test_a_body_that_comes_too_slowly_is_refused() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(100):
            await asyncio.sleep(1)
            yield b" "

    async with calling(echo(BodyLimits(seconds=30))) as client:
        answer = await client.post("/", content=slow(), headers={"content-type": "application/json"})
    assert answer.status_code == 408 and "within 30 s" in answer.text


@pytest.mark.parametrize("bomb", [b"[" * 17 + b"]" * 17, b'{"a":' * 17 + b"1" + b"}" * 17])
async def test_json_may_be_nested_sixteen_levels_deep(bomb: bytes) -> None:
    status, told = await answered(bomb)
    assert status == 400 and "16 levels" in told


async def test_what_does_not_fit_is_told_without_what_was_sent() -> None:
    router = APIRouter(route_class=bounded_route(BodyLimits()))

    @router.post("/")
    async def number(given: Annotated[dict[str, int], Body()]) -> None: ...

    async with calling(router) as client:
        answer = await client.post("/", json={"a": "s3cr3t"})
    told = "body.a: Input should be a valid integer, unable to parse string as an integer."
    assert (answer.status_code, answer.json()) == (422, {"detail": told})


async def test_json_without_end_is_refused() -> None:
    for bomb in (b"[" * 1_000_000, b'{"a":' * 500_000, b"9" * 5_000, b'"\xff"'):
        status, told = await answered(bomb)
        assert status in (400, 422), told
        assert len(told) < 2_000, "what was sent does not come back"


@pytest.mark.parametrize(
    ("document", "depth"), [(1, 0), ([], 1), ([[1], {"a": []}], 3), ({"a": {"b": [{}]}}, 4)]
)
def test_depth(document: Any, depth: int) -> None:
    assert not is_deeper(document, depth)
    assert depth == 0 or is_deeper(document, depth - 1)
