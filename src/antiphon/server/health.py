"""`/healthz` and `/readyz`: what a supervisor and a load balancer ask (contract 8.8)."""

from __future__ import annotations

from typing import Protocol

from fastapi import APIRouter, Response

__all__ = ["Occupancy", "health_router"]


class Occupancy(Protocol):
    """What a server says of itself."""

    @property
    def draining(self) -> bool:
        """It takes no new conversations and is about to end."""
        ...

    @property
    def full(self) -> bool:
        """All places are taken; whoever comes now waits in line."""
        ...


def health_router(occupancy: Occupancy) -> APIRouter:
    """The two routes; neither needs a token, and neither tells more than a word."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the server is alive")
    async def healthz() -> dict[str, str]:
        """200 as long as it answers at all."""
        return {"status": "ok"}

    @router.get(
        "/readyz",
        summary="Whether new conversations should be sent here",
        responses={503: {"description": "`draining` or `full`: send them to another."}},
    )
    async def readyz(response: Response) -> dict[str, str]:
        """503 while the server drains or has no place. Conversations that go on are not concerned."""
        status = "draining" if occupancy.draining else "full" if occupancy.full else "ready"
        if status != "ready":
            response.status_code = 503
        response.headers["Cache-Control"] = "no-store"
        return {"status": status}

    return router
