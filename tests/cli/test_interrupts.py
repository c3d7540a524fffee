from __future__ import annotations

import asyncio
import os
import signal

from antiphon.cli.interrupts import interrupts


async def test_ctrl_c_is_a_call() -> None:
    pressed = asyncio.Event()
    with interrupts(pressed.set):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(pressed.wait(), 5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


async def test_off_the_main_thread_there_is_none() -> None:
    async def block() -> bool:
        with interrupts(lambda: None):
            return True

    assert await asyncio.to_thread(asyncio.run, block())
