from __future__ import annotations

import asyncio
import os

import pytest

from antiphon.cli import selftest
from antiphon.testing import live_server


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_one_turn_with_the_bundled_server(tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    trial = await selftest.hold(tls=tls)
    assert (trial.ok, trial.error) == (True, None)
    assert trial.connected is not None and trial.connected > 0
    assert trial.answered is not None and trial.answered > 0
    assert "SSL_CERT_FILE" not in os.environ


async def test_the_authority_set_before_is_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "mine.pem")
    assert (await selftest.hold(tls=True)).ok
    assert os.environ["SSL_CERT_FILE"] == "mine.pem"


async def test_what_goes_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, **_: object) -> None:
            raise OSError("no\nloopback")

    monkeypatch.setattr(live_server, "LiveServer", Broken)
    trial = await selftest.hold(tls=False)
    assert (trial.ok, trial.error) == (False, "OSError: no loopback")


@pytest.mark.virtual_clock
async def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(name: str, tls: bool) -> selftest.Trial:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("not reached")

    monkeypatch.setattr(selftest, "_conversation", never)
    assert (await selftest.hold(tls=False)).error == "no answer within 20 s"
