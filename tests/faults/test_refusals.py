"""What is retried and what is not, how often, and what the application sees of it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from antiphon import errors
from antiphon.config import Retry
from antiphon.testing.live_server import Abort, Close, Faults, LiveServer
from tests.faults.oracle import judge
from tests.faults.talk import INSTANT, Talk, World, kinds

pytestmark = pytest.mark.virtual_clock

STEADY = Retry(jitter=0.0)
GONE = Abort()


def refused(**switches: Any) -> Faults:
    """The first two connections are."""
    return Faults().on(1, **switches).on(2, **switches)


PASSING = {
    "429": refused(http_status=429),
    "500": refused(http_status=500),
    "503": refused(http_status=503),
    "reset before the handshake": refused(refuse_tcp=True),
    "1001": refused(at={"setup": Close(1001, "")}),
    "1006": refused(at={"setup": GONE}),
    "1011": refused(at={"setup": Close(1011, "Internal error encountered.")}),
    "1012": refused(at={"setup": Close(1012, "")}),
    "1013": refused(at={"setup": Close(1013, "")}),
    "1014": refused(at={"setup": Close(1014, "")}),
}


@pytest.mark.parametrize("how", PASSING)
async def test_what_may_pass_is_tried_again(how: str) -> None:  # contract 7.1
    async with Talk(World(retry=STEADY), PASSING[how]) as talk:
        talk.say(1)
        await talk.wait_for_answer(1)
        assert asyncio.get_running_loop().time() < 2.0
        await talk.finish()
    await judge(talk, [1])
    assert kinds(talk) == ["reconnecting", "reconnecting", "ready", "closed"]
    attempts = [e.lifecycle.attempt for e in talk.seen if e.lifecycle and e.lifecycle.kind == "reconnecting"]
    assert attempts == [1, 2]
    assert all(e.lifecycle.reason for e in talk.seen if e.lifecycle and e.lifecycle.kind == "reconnecting")


NOT_PASSING = {
    "401": (Faults(http_status=401), errors.AuthenticationRefused),
    "403": (Faults(http_status=403), errors.AuthenticationRefused),
    "1007": (Faults(at={"setup": Close(1007, "Request contains an invalid argument.")}), errors.InvalidSetup),
    "1007 key": (Faults(at={"setup": Close(1007, "API key not valid.")}), errors.AuthenticationRefused),
    "1008": (Faults(at={"setup": Close(1008, "Operation is not implemented.")}), errors.RequestRefused),
    "quota": (Faults(at={"setup": Close(1011, "You exceeded your current quota.")}), errors.QuotaExceeded),
}


@pytest.mark.parametrize("how", NOT_PASSING)
async def test_what_cannot_pass_is_raised_at_once(how: str) -> None:  # contract 7.4
    faults, error = NOT_PASSING[how]
    with pytest.raises(error):
        async with Talk(World(retry=STEADY), faults) as talk:
            await talk.until(lambda: False, "the end")
    assert len(talk.server.connections) == 1
    assert kinds(talk) == ["closed"]


async def test_a_host_that_cannot_be_resolved_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    # contract 7.1
    loop = asyncio.get_running_loop()
    resolve, failures = loop.getaddrinfo, [socket.EAI_AGAIN, socket.EAI_NONAME]

    async def getaddrinfo(*args: Any, **options: Any) -> Any:
        if failures and options.get("type") == socket.SOCK_STREAM:
            raise socket.gaierror(failures.pop(), "Name or service not known")
        return await resolve(*args, **options)

    async with Talk(World(retry=STEADY)) as talk:  # the server has its address; the client dials from here on
        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        talk.say(1)
        await talk.wait_for_answer(1)
        await talk.finish()
    await judge(talk, [1])
    assert kinds(talk) == ["reconnecting", "reconnecting", "ready", "closed"]


async def test_nobody_listens_for_a_while() -> None:  # contract 7.1: refused by the operating system
    async with Talk(World(retry=STEADY)) as talk:
        talk.say(1)
        await talk.wait_for_answer(1)
        await asyncio.sleep(1.0)
        async with talk.server.unreachable():
            await talk.server.calls[1].abort()
            await asyncio.sleep(0.1)
            talk.say(2)
            await asyncio.sleep(3.0)
        await talk.wait_for_answer(2)
        await talk.finish()
    await judge(talk, [1, 2])
    assert kinds(talk).count("reconnecting") >= 2
    assert kinds(talk).count("reconnected") == 1


async def test_tls_that_breaks_off_is_tried_again_and_a_certificate_that_nobody_trusts_is_not() -> None:
    # contract 7.1, 7.4
    async with LiveServer() as plain:
        talk = Talk(
            World(retry=Retry(attempts=2, jitter=0.0)), address=plain.base_url.replace("http:", "https:")
        )
        with pytest.raises(errors.ConnectionLost):
            async with talk:
                await talk.until(lambda: False, "the end")
        assert kinds(talk) == ["reconnecting", "reconnecting", "closed"]
    async with LiveServer(tls=True) as untrusted:
        talk = Talk(World(retry=STEADY), address=untrusted.base_url)
        with pytest.raises(errors.AuthenticationRefused, match="not trusted"):
            async with talk:
                await talk.until(lambda: False, "the end")
        assert kinds(talk) == ["closed"]


# A server that accepts and drops.


def times_of(server: LiveServer, kind: str = "setup") -> list[float]:
    return [round(connection.received[0].time, 3) for connection in server.connections if connection.setup]


@pytest.mark.parametrize("step", ["setup", "setup_complete"])
async def test_a_server_that_accepts_and_drops_is_not_hammered(step: str) -> None:  # contract 3.10, 7.1
    with pytest.raises(errors.ConnectionLost):
        async with Talk(
            World(resumption=False, retry=STEADY, timing=INSTANT), Faults(at={step: GONE})
        ) as talk:
            await talk.until(lambda: False, "the end")
    assert times_of(talk.server) == [0.0, 0.25, 0.75, 1.75, 3.75, 7.75, 15.75], (
        "six retries, each after twice the wait"
    )
    assert asyncio.get_running_loop().time() < 16.0, "and then no more"


async def test_losses_that_are_far_apart_do_not_count_together() -> None:  # contract 7.1
    retry = Retry(jitter=0.0, attempts=2, window=60.0)
    async with Talk(World(resumption=False, retry=retry, timing=INSTANT)) as talk:
        for _ in range(60):
            await asyncio.sleep(31.0)
            await [call for call in talk.server.calls.values() if call.line.open][-1].abort()
        await talk.finish()
    assert kinds(talk).count("reconnected") == 60
    waits = {1: 0.25, 2: 0.5}
    first, *later = times_of(talk.server)
    assert first == 0.0
    assert later[:3] == [31.0 + waits[1], 62.0 + waits[2], 93.0 + waits[2]]


async def test_the_budget_is_of_any_window_of_time() -> None:  # contract 7.1
    retry = Retry(jitter=0.0, attempts=2, window=60.0)
    with pytest.raises(errors.ConnectionLost):
        async with Talk(World(resumption=False, retry=retry, timing=INSTANT)) as talk:
            for _ in range(3):
                await asyncio.sleep(29.0)
                await [call for call in talk.server.calls.values() if call.line.open][-1].abort()
            await talk.until(lambda: False, "the end")
    assert len(talk.server.connections) == 3


async def test_many_conversations_do_not_come_back_at_the_same_moment() -> None:  # contract 3.10: jitter
    moments = set()
    for _ in range(5):
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with Talk(World(retry=Retry(jitter=0.5)), Faults().on(1, at={"setup": GONE})) as talk:
            await talk.until(lambda: "ready" in kinds(talk), "ready")
        moments.add(round(times_of(talk.server)[1] - began, 3))
    assert len(moments) > 1 and all(0.125 <= moment <= 0.25 for moment in moments)
