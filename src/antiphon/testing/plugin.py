"""The pytest plugin: tests marked `virtual_clock` run on a loop whose clock jumps over idle time.

# conftest.py, beside pytest-asyncio 1.4 or newer
pytest_plugins = ["antiphon.testing.plugin"]

# test_patience.py
@pytest.mark.virtual_clock
async def test_an_hour_takes_a_moment(): ...
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.testing.clock import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

__all__ = ["pytest_asyncio_loop_factories", "pytest_configure"]

_MARKER = "virtual_clock: run on a loop whose clock jumps to the next timer, so that waiting takes no time"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop a test runs on, by its mark."""
    if item.get_closest_marker("virtual_clock"):
        return {"virtual_clock": VirtualClockLoop}
    return {"asyncio": asyncio.new_event_loop}
