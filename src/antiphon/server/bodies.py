"""What a request may send: so many bytes, in so much time, nested so deep (contract 8.3)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.responses import Response
    from starlette.types import Scope

__all__ = ["BodyLimits", "bounded_route", "is_deeper"]


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds of the body of one HTTP request."""

    bytes: int = 8 * 1024 * 1024
    """More is answered by 413; images in messages count by their base64."""
    seconds: float = 30.0
    """A body that is not there by then is answered by 408."""
    depth: int = 16
    """JSON nested deeper is answered by 400, as on the socket (protocol 7.4)."""


def bounded_route(limits: BodyLimits) -> type[APIRoute]:
    """A route class for `APIRouter(route_class=…)`: bodies of its routes keep to the limits.

    What does not fit the route's parameters is answered by 422 and a `detail` in words.
    """

    class BoundedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def bounded(request: Request) -> Response:
                try:
                    return await handle(_BoundedRequest(request.scope, request, limits))
                except RequestValidationError as error:
                    raise HTTPException(422, _told(error)) from None

            return bounded

    return BoundedRoute


class _BoundedRequest(Request):
    def __init__(self, scope: Scope, request: Request, limits: BodyLimits) -> None:
        super().__init__(scope, request.receive, request._send)
        self._limits = limits

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            announced = self.headers.get("content-length", "")
            if announced.isdecimal():
                self._check(int(announced))
            try:
                async with asyncio.timeout(self._limits.seconds):
                    self._body = await self._read()
            except TimeoutError:
                raise HTTPException(
                    408,
                    f"The body was not there within {self._limits.seconds:g} s: send it again, faster.",
                    {"Connection": "close"},
                ) from None
        return self._body

    async def json(self) -> Any:
        text = await self.body()
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            raise
        except (RecursionError, ValueError):  # nested without end; not UTF-8; a number of thousands of digits
            raise HTTPException(400, "The body is no JSON that can be read.") from None
        if is_deeper(document, self._limits.depth):
            raise HTTPException(400, f"JSON may be nested {self._limits.depth} levels deep, and no deeper.")
        return document

    async def _read(self) -> bytes:
        read = bytearray()
        async for chunk in self.stream():
            self._check(len(read) + len(chunk))
            read += chunk
        return bytes(read)

    def _check(self, size: int) -> None:
        if size > self._limits.bytes:
            raise HTTPException(
                413, f"A body has {self._limits.bytes} bytes at most: send less.", {"Connection": "close"}
            )


def _told(error: RequestValidationError) -> str:
    """What is wrong, without what was sent: FastAPI would send it back, whatever its size."""
    found = [f"{'.'.join(map(str, each['loc']))[:100]}: {each['msg'][:200]}" for each in error.errors()[:5]]
    return "; ".join(found) + "."


def is_deeper(document: Any, levels: int) -> bool:
    """Whether lists and dicts of the document are nested deeper than that."""
    level = _containers_in([document])
    for _ in range(levels):
        level = [inner for outer in level for inner in _containers_in(outer)]
    return bool(level)


def _containers_in(outer: Any) -> list[Any]:
    inner = outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
    return [value for value in inner if isinstance(value, dict | list)]
