"""What strangers try (contract 8.3, 8.7), against a real server on loopback.

`python -m tests.server.test_security 10000` opens that many idle sockets, and tells what they cost.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from antiphon.server.access import Access
from antiphon.server.app import create_app
from antiphon.server.connections import BoundedHttp
from antiphon.server.jwt import JwtAuthentication
from antiphon.server.limits import ServerLimits
from antiphon.server.serving import allow_files
from antiphon.types import Part
from tests.server.birds import parrots, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon import InMemoryRunner

KEY = "the key of the tests, which nobody else has"
IDLE = 200


def token(user: str = "ann", key: str = KEY, **claims: Any) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 86_400} | claims, key, "HS256")


FORGED = {
    "missing": None,
    "another key": token(key=KEY[::-1]),
    "expired": token(exp=time.time() - 60),
    "unsigned": jwt.encode({"sub": "ann", "exp": time.time() + 86_400}, "", "none"),
    "cut": token()[:-3],
    "another user's": token("ben"),
}


class Server:
    """A guarded one, with a session of Ann and an artifact in it."""

    def __init__(self, port: int, runner: InMemoryRunner) -> None:
        self.port = port
        self.runner = runner

    async def refused(self, path: str, **options: Any) -> int | None:
        """The closing code, or the status, that a socket ends with at once."""
        try:
            async with self.socket(path, **options) as socket:
                await socket.send(json.dumps({"type": "hello"}))
                while True:
                    await socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None
        except InvalidStatus as refused:
            return refused.response.status_code

    def socket(self, path: str = "/ws/ann/s1", **options: Any) -> websockets.connect:
        options = {"subprotocols": ["antiphon.v1"], "compression": None, "proxy": None} | options
        return websockets.connect(f"ws://127.0.0.1:{self.port}{path}", **options)


@asynccontextmanager
async def guarded(
    access: Access | None = None, **limits: Any
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    runner = parrots()
    await runner.session_service.create_session(app_name="birds", user_id="ann", session_id="s1")
    assert runner.artifact_service is not None
    await runner.artifact_service.save_artifact(
        app_name="birds", user_id="ann", session_id="s1", filename="a.txt", artifact=Part(text="ann's")
    )
    access = access or Access(authenticator=JwtAuthentication(algorithms=["HS256"], key=KEY))
    app = create_app(runner, access=access, limits=ServerLimits(**limits))
    async with (
        serving(app, http=BoundedHttp, ws_per_message_deflate=False) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield Server(port, runner), client


def offered(how: str, forged: str | None) -> tuple[dict[str, str], str, list[str]]:
    """Headers, query and subprotocols that bring the token along."""
    if forged is None:
        return {}, "", []
    written = "antiphon.token." + urlsafe_b64encode(forged.encode()).decode().rstrip("=")
    return {
        "header": ({"Authorization": f"Bearer {forged}"}, "", []),
        "query": ({}, f"?token={forged}", []),
        "subprotocol": ({}, "", [written]),
    }[how]


@pytest.mark.parametrize("how", ["header", "query", "subprotocol"])
async def test_tokens_that_are_not_good_open_no_socket(how: str) -> None:
    async with guarded() as (server, _):
        for kind, forged in FORGED.items():
            headers, query, protocols = offered(how, forged)
            options = {"additional_headers": headers, "subprotocols": ["antiphon.v1", *protocols]}
            assert await server.refused(f"/ws/ann/s1{query}", **options) == 1008, kind
        assert server.runner.metrics.snapshot()["conversations"] == 0


@pytest.mark.parametrize("how", ["header", "query"])
async def test_nor_are_they_answered(how: str) -> None:
    message = {"parts": [{"text": "a"}]}
    body = {"appName": "birds", "userId": "ann", "sessionId": "s1", "newMessage": message}
    async with guarded() as (server, client):
        for kind, forged in FORGED.items():
            headers, query, _ = offered(how, forged)
            for method, path in (
                ("GET", "/apps/birds/users/ann/sessions/s1"),
                ("GET", "/apps/birds/users/ann/sessions/s1/artifacts/a.txt/content"),
                ("DELETE", "/apps/birds/users/ann/sessions/s1"),
                ("POST", "/run"),
                ("POST", "/run_sse"),
            ):
                answer = await client.request(method, path + query, headers=headers, json=body)
                assert answer.status_code == (403 if kind == "another user's" else 401), (kind, path)
                assert "ann's" not in answer.text
        assert server.runner.metrics.snapshot()["conversations"] == 0


async def test_a_good_token_opens_what_is_its_users() -> None:
    async with guarded() as (server, client):
        protocols = [
            "antiphon.v1",
            "antiphon.token." + urlsafe_b64encode(token().encode()).decode().rstrip("="),
        ]
        async with server.socket(subprotocols=protocols) as socket:
            assert socket.subprotocol == "antiphon.v1"
        read = await client.get(
            "/apps/birds/users/ann/sessions/s1/artifacts/a.txt/content", params={"token": token()}
        )
        assert read.text == "ann's"


@pytest.mark.parametrize("path", ["/ws/ann/s1", "/run_live?app_name=birds&user_id=ann&session_id=s1"])
async def test_pages_of_others_are_refused_on_every_door(path: str) -> None:
    async with guarded(Access()) as (server, client):
        for headers, status in (
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Host": "rebound.evil.example"}, 421),
            ({"Host": "rebound.evil.example", "Origin": "http://rebound.evil.example"}, 421),
        ):
            if "Host" not in headers:  # the client library writes its own
                assert await server.refused(path, additional_headers=headers) == 1008
            for door in (
                "/list-apps",
                "/metrics",
                "/healthz",
                "/openapi.json",
                "/apps/birds/users/ann/sessions",
            ):
                assert (await client.get(door, headers=headers)).status_code == status


async def test_no_token_is_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    good = token()
    async with guarded() as (server, client):
        await client.get("/apps/birds/users/ann/sessions", params={"token": good, "limit": 7})
        await client.get("/apps/birds/users/ben/sessions", params={"token": good})
        async with server.socket(f"/ws/ann/s1?token={good}"):
            pass
    servers = ("uvicorn", "antiphon")
    logged = "".join(record.getMessage() for record in caplog.records if record.name.startswith(servers))
    assert "limit=7" in logged and "/ws/ann/s1" in logged, "addresses are"
    assert good not in logged and "token=" not in logged


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"newMessage":' * 20 + b"1" + b"}" * 20,
        b"[" + b"[]," * 100_000 + b"1]",
    ],
    ids=["deep list", "deep object", "twenty levels", "wide"],
)
async def test_json_bombs_are_refused_quickly(bomb: bytes) -> None:
    async with guarded(Access()) as (_, client):
        for path in ("/run", "/apps/birds/users/ann/sessions"):
            began = time.process_time()
            answer = await client.post(path, content=bomb, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422)
            assert len(answer.content) < 2_000, "and what was sent does not come back"
            assert time.process_time() - began < 2
        assert (await client.get("/healthz")).status_code == 200


async def test_bodies_without_end_are_refused() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * 1024 * 1024:
            sent += 65536
            yield b" " * 65536

    async with guarded(Access()) as (_, client):
        try:
            answer = await client.post(
                "/run", content=endless(), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 413
        except httpx.TransportError:  # the server has hung up before all was sent
            pass
        assert sent < 32 * 1024 * 1024
        assert (await client.get("/healthz")).status_code == 200


async def test_idle_sockets_leave_room_for_others() -> None:
    """Hundreds that never say hello cost a socket each, and no conversation."""
    async with guarded(Access(), sockets=IDLE) as (server, client), AsyncExitStack() as stack:
        for _ in range(IDLE // 50):
            await asyncio.gather(*(stack.enter_async_context(server.socket()) for _ in range(50)))
        assert await server.refused("/ws/ann/s1") == 503, "one more is refused"
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        shown = (await client.get("/metrics")).text
        assert f'antiphon_server_sockets{{app="birds"}} {float(IDLE)}' in shown
        assert 'antiphon_server_open{app="birds"} 0.0' in shown


async def crowd(many: int) -> None:
    """Serves `many` idle sockets of another process, and tells what they cost."""
    allow_files(many + 1_000)
    limits = ServerLimits(sockets=many, hello_seconds=600)
    app = create_app(parrots(), access=Access(), limits=limits)
    async with serving(app, http=BoundedHttp, ws_per_message_deflate=False) as port:
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        clients = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.server.test_security", str(many), str(port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert clients.stdout is not None
        await clients.stdout.readline()
        took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            asked = time.monotonic()
            status = (await client.get("/readyz")).status_code
            asked = time.monotonic() - asked
        each = (after.ru_maxrss - before.ru_maxrss) / many
        one_more = await Server(port, parrots()).refused("/ws/ann/s1")
        sys.stdout.write(
            f"{many} idle sockets in {took:.1f} s, {each:.1f} KB each; "
            f"/readyz {status} in {asked * 1000:.0f} ms; one more: {one_more}\n"
        )
        await clients.communicate()


async def clients(many: int, port: int) -> None:
    allow_files(many + 1_000)
    async with AsyncExitStack() as stack:
        server = Server(port, parrots())
        for _ in range(many // 100):
            await asyncio.gather(*(stack.enter_async_context(server.socket()) for _ in range(100)))
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        os._exit(0)  # not one by one


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(clients(*numbers) if len(numbers) > 1 else crowd(*numbers))
