"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SAMPLE = """
import asyncio, pytest

@pytest.mark.virtual_clock
async def test_an_hour_takes_a_moment():
    begun = asyncio.get_running_loop().time()
    await asyncio.sleep(3600)
    assert asyncio.get_running_loop().time() - begun == 3600

async def test_others_run_on_the_real_clock():
    assert type(asyncio.get_running_loop()).__name__ != "VirtualClockLoop"
"""


def test_marked_tests_run_on_the_virtual_clock(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["antiphon.testing.plugin"]')
    pytester.makepyfile(SAMPLE)
    result = pytester.runpytest_subprocess("-q", "-o", "asyncio_mode=auto", "--strict-markers")
    result.assert_outcomes(passed=2)
