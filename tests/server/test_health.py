"""Contract 8.8: what a supervisor and a load balancer are told."""

from __future__ import annotations

import pytest

from antiphon.server.health import health_router
from tests.server.birds import calling


class Server:
    def __init__(self, draining: bool, full: bool) -> None:
        self.draining = draining
        self.full = full


@pytest.mark.parametrize(
    ("server", "status", "word"),
    [
        (Server(draining=False, full=False), 200, "ready"),
        (Server(draining=False, full=True), 503, "full"),
        (Server(draining=True, full=True), 503, "draining"),
    ],
)
async def test_a_server_is_ready_while_it_has_places(server: Server, status: int, word: str) -> None:
    async with calling(health_router(server)) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (status, {"status": word})
        alive = await client.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
