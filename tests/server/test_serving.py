"""A server as a process (contract 8.3, 8.8); `antiphon serve` itself is in tests/cli/test_serve.py."""

from __future__ import annotations

import errno
import gc
import socket
import sys

import pytest
import uvicorn
from fastapi import FastAPI

from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.server import serving
from antiphon.server.serving import address_of, allow_files, listen, serve


def test_a_free_port_is_found_and_told() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert port > 0
        assert address_of(listening, "127.0.0.1") == f"http://127.0.0.1:{port}"
        assert address_of(listening, "0.0.0.0") == f"http://127.0.0.1:{port}"
        assert address_of(listening, "::1") == f"http://[::1]:{port}"


def test_a_port_that_is_taken_is_told() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"{port} of 127.0.0.1 is taken.*--port {port + 1}"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.EACCES, "above 1023"), (errno.EADDRNOTAVAIL, "0.0.0.0 for all"), (errno.EPERM, "cannot be")],
)
def test_what_else_can_be_wrong_is_told(number: int, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> socket.socket:
        raise OSError(number, "no")

    monkeypatch.setattr(socket, "create_server", refused)
    with pytest.raises(ConfigurationError, match=told):
        listen("127.0.0.1", 80)


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match="--host"):
        listen("not a name", 8000)


def test_an_application_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        sys.exit(3)

    monkeypatch.setattr(serving, "resource", None)
    monkeypatch.setattr(uvicorn.Server, "run", fails)
    listening = listen("127.0.0.1", 0)
    with pytest.raises(AntiphonError, match="did not start"):
        serve(FastAPI(), listening)
    assert listening.fileno() == -1, "closed at the end"


class Bounds:
    RLIM_INFINITY = -1
    RLIMIT_NOFILE = 7

    def __init__(self, soft: int, hard: int) -> None:
        self.now = (soft, hard)

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.now

    def setrlimit(self, _: int, now: tuple[int, int]) -> None:
        self.now = now


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        ((1024, 1_000_000), (13_000, 1_000_000), False),
        ((1024, -1), (13_000, -1), False),
        ((20_000, 20_000), (20_000, 20_000), False),
        ((-1, -1), (-1, -1), False),
        ((1024, 4096), (4096, 4096), True),
    ],
)
def test_as_many_files_as_connections_may_be_open(
    before: tuple[int, int],
    after: tuple[int, int],
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bounds = Bounds(*before)
    monkeypatch.setattr(serving, "resource", bounds)
    assert allow_files(13_000) == (4096 if warned else 13_000)
    assert bounds.now == after
    assert ("ulimit -n" in caplog.text) is warned


def test_where_files_are_not_bounded_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "resource", None)
    assert allow_files(13_000) == 13_000


def test_old_garbage_is_looked_for_rarely_and_young_garbage_a_little_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """docs/performance.md, "Sizing a server": each look through all that there is holds up conversations."""
    monkeypatch.setattr(serving, "COLLECT_EVERY", 0.0)
    before, looks = gc.get_threshold(), 0

    def looked(phase: str, info: dict[str, int]) -> None:
        nonlocal looks
        looks += phase == "stop" and info["generation"] == 2

    gc.callbacks.append(looked)
    loop = serving.event_loop()
    try:
        young, middle, old = gc.get_threshold()
        assert young * (middle + 1) <= 1_500 and old >= 1_000_000
        for _ in range(2):
            loop.call_soon(loop.stop)
            loop.run_forever()
        assert looks >= 1
    finally:
        loop.close()
        gc.callbacks.remove(looked)
        gc.set_threshold(*before)
