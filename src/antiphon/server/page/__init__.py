"""The page in the browser: `page_router` serves it at `/`, with the client's modules at `/client/`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from antiphon.server.client_files import client_directory
from antiphon.server.page.introduction import introduction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from antiphon.runtime import Runner

__all__ = ["SECURITY", "page_router"]

SECURITY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
        "img-src 'self' blob:; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of everything that belongs to the page: it runs its own scripts, and talks to its own server."""

_CHECK: Final = "no-cache"  # a browser asks each time, and is told 304 while nothing has changed
_KEEP: Final = "public, max-age=31536000, immutable"
_HERE: Final = Path(__file__).parent / "files"


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    headers: dict[str, str]

    def answer(self, request: Request) -> Response:
        known = {
            tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")
        }
        if self.headers["ETag"] in known:
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)


def page_router(runner: Runner, *, suggestions: Sequence[str] | None = None) -> APIRouter:
    """The page for a runner's agent, at the root of wherever it is included.

    It introduces the agent by its name, description and tools. `suggestions` are what to say to it first;
    unset, they are made of its tools.

    Raises `ConfigurationError` where the client's modules are not installed.
    """
    files = {path: _read(file) for path, file in _files()}
    told = JSONResponse(
        introduction(runner.agent, app=runner.app_name, suggestions=suggestions),
        headers={"Cache-Control": "no-store", **SECURITY},
    )
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        return files["index.html"].answer(request)

    @router.get("/page/agent.json")
    async def agent() -> Response:
        return told

    @router.get("/page/{path:path}")
    async def part(request: Request, path: str) -> Response:
        return _found(files, path, request)

    @router.get("/client/{path:path}")
    async def client(request: Request, path: str) -> Response:
        return _found(files, f"client/{path}", request)

    return router


def _found(files: Mapping[str, _File], path: str, request: Request) -> Response:
    # Looked up, never joined to a folder: no path leads anywhere else.
    if (file := files.get(path)) is None:
        return JSONResponse({"detail": "The page has no such part."}, 404, headers=dict(SECURITY))
    return file.answer(request)


def _files() -> Iterator[tuple[str, Path]]:
    for path in sorted(_HERE.rglob("*")):
        if path.is_file():
            yield path.relative_to(_HERE).as_posix(), path
    for path in sorted(client_directory().glob("*.js")):
        yield f"client/{path.name}", path


def _read(path: Path) -> _File:
    content = path.read_bytes()
    headers = {
        "Content-Type": _TYPES.get(path.suffix, "text/plain; charset=utf-8"),
        "Cache-Control": _KEEP if path.suffix == ".woff2" else _CHECK,
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:20]}"',
        **SECURITY,
    }
    return _File(content, headers)


# Not the machine's own table: on some, a registry says that scripts are plain text, and browsers refuse them.
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
