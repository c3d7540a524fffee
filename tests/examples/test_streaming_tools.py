"""`examples/streaming_tools.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing
from tests.examples.conftest import in_order

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/streaming_tools.py"


async def test_two_monitors_run_and_one_is_stopped(run_script: RunScript) -> None:
    """contract 5.7: values as they come, a copy of the camera's pictures, `stop_streaming`"""
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, base_url=server.base_url)

        assert (ran.err, ran.code) == ("", 0)
        assert in_order(
            ran.out,
            "you: monitor stock price of ACME",
            "  calls monitor_stock_price with {'symbol': 'ACME'}",
            "  monitor_stock_price says {'result': 'ACME costs 100'}",
            "monitor: monitor stock price: ACME costs 100.",
            "monitor: monitor stock price: ACME costs 105.",
            "you: watch camera",
            "  calls watch_camera with {}",
            "monitor: watch camera: the picture has changed.",
            "you: stop streaming of monitor_stock_price",
            "  calls stop_streaming with {'function_name': 'monitor_stock_price'}",
            "  monitor_stock_price says {'status': 'stopped'}",
        )
        after = ran.out.partition("{'status': 'stopped'}")[2]
        assert "ACME costs" not in after
        [connection] = server.connections
        assert connection.setup is not None
        declared = connection.setup["tools"][0]["functionDeclarations"]
        behavior = {function["name"]: function.get("behavior") for function in declared}
        assert behavior == {
            "monitor_stock_price": "NON_BLOCKING",
            "watch_camera": "NON_BLOCKING",
            "stop_streaming": None,
        }
        assert "input_stream" not in str(declared)
        assert connection.close_code == 1000  # contract 1.5


async def test_the_same_monitor_does_not_run_twice(run_script: RunScript) -> None:
    """contract 5.4"""
    wish = "monitor stock price of ACME"
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, wish, wish, base_url=server.base_url)

    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.count("ACME costs 100'}") == 1
    assert "'code': 'ALREADY_RUNNING'" in ran.out
