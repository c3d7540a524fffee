"""The checks of `conftest.py`, each against a test that breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

TESTS = """
    import asyncio, socket, threading

    import fake_clock
    import pytest

    kept, release = [], threading.Event()


    @pytest.fixture
    async def ticking():
        task = asyncio.create_task(asyncio.Event().wait())
        yield
        task.cancel()


    async def test_task_is_left():
        kept.append(asyncio.create_task(asyncio.Event().wait()))

    def test_thread_is_left():
        threading.Thread(target=release.wait, daemon=True).start()

    def test_socket_is_left_open():
        kept.append(socket.socket())

    def test_socket_is_left_to_the_collector():
        ring = [socket.socket()]
        ring.append(ring)

    def test_file_is_left_open():
        kept.append(open(__file__))


    async def test_task_is_awaited():
        await asyncio.create_task(asyncio.sleep(0))

    async def test_task_of_a_fixture_ends_with_it(ticking):
        await asyncio.sleep(0)

    async def test_default_executor_ends_with_the_loop():
        await asyncio.to_thread(len, "")

    def test_socket_is_closed():
        socket.socket().close()


    @pytest.mark.virtual_clock
    async def test_marked_runs_on_the_virtual_clock():
        assert type(asyncio.get_running_loop()).__name__ == "VirtualClockLoop"

    async def test_unmarked_runs_on_the_usual_loop():
        assert type(asyncio.get_running_loop()).__name__ != "VirtualClockLoop"
"""

# Stands for `antiphon.testing.clock`, so that this is a test of `conftest.py` only.
CLOCK = """
    import asyncio, sys, types

    class VirtualClockLoop(asyncio.SelectorEventLoop):
        pass

    for name in ("antiphon", "antiphon.testing", "antiphon.testing.clock"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["antiphon.testing.clock"].VirtualClockLoop = VirtualClockLoop
"""

INI = """
    [pytest]
    asyncio_mode = auto
    asyncio_default_fixture_loop_scope = function
    filterwarnings = error
    markers = virtual_clock: as in the project
"""


def outcomes(result: pytest.RunResult) -> Iterator[tuple[str, str]]:
    """`("ERROR", "test_task_is_left")` for each failing phase of each test."""
    for line in result.outlines:
        verdict, _, rest = line.partition(" ")
        if verdict in ("ERROR", "FAILED") and "::" in rest:
            yield verdict, rest.partition("::")[2].split(" ")[0]


def test_every_leak_fails_its_test_and_only_that(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    pytester.makepyfile(fake_clock=CLOCK, test_inner=TESTS)
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rfE")

    failed = set(outcomes(result))

    assert failed == {
        ("ERROR", "test_task_is_left"),
        ("ERROR", "test_thread_is_left"),
        ("ERROR", "test_socket_is_left_open"),
        ("ERROR", "test_socket_is_left_to_the_collector"),
        ("ERROR", "test_file_is_left_open"),
    }
    result.assert_outcomes(passed=11, errors=5)
