"""What `create_app` has beside its sockets (contract 8.8 to 8.11)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from prometheus_client.parser import text_string_to_metric_families

from antiphon.server.access import Access
from antiphon.server.app import create_app
from antiphon.server.limits import ServerLimits
from tests.server.birds import parrots
from tests.server.conversing import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

PAGE = "https://app.example.com"


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_openapi_describes_every_route() -> None:
    async with client_of(create_app(parrots())) as client:
        document = (await client.get("/openapi.json")).json()
        assert (await client.get("/asyncapi.json")).json()["info"]["title"] == "birds"
    tags = {tag["name"] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation.get("summary") and len(operation["tags"]) == 1, (method, path)
            assert operation["tags"][0] in tags
            refused = operation["responses"].get("422")
            if refused is not None:
                schema = refused["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (method, path)


async def test_listed_pages_may_read_the_answers_and_no_others() -> None:
    async with client_of(create_app(parrots(), access=Access(origins=[PAGE]))) as client:
        asked = {"Origin": PAGE, "Access-Control-Request-Method": "DELETE"}
        allowed = await client.options("/apps/birds/users/ann/sessions/s1", headers=asked)
        assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == PAGE
        read = await client.get("/apps/birds/users/ann/sessions", headers={"Origin": PAGE})
        assert read.headers["access-control-allow-origin"] == PAGE
        assert "Next-Page-Token" in read.headers["access-control-expose-headers"]
        refused = await client.options("/list-apps", headers=asked | {"Origin": "https://evil.example"})
        assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers


async def test_a_server_without_places_is_not_ready_nor_is_one_that_ends() -> None:
    app = create_app(parrots(), limits=ServerLimits(places=1))
    async with client_of(app) as client:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        ticket = app.state.rooms.admission.enter()
        assert (await client.get("/readyz")).json() == {"status": "full"}
        ticket.leave()
        await app.state.rooms.aclose()
        assert (await client.get("/readyz")).json() == {"status": "draining"}


async def test_sockets_are_counted() -> None:
    async with served() as server:
        async with server.v1() as client:
            hello = await client.greet()
            await client.break_off()
        async with server.v1() as client:
            await client.greet(resume=hello["resume"])
        async with server.v1() as client:
            await client.say(type="hello", resume="r-unknown")
            await client.closed()
        numbers = server.rooms.metrics.snapshot()
        assert (numbers["reconnects"], numbers["refusals"]) == (1, 1)
        assert server.rooms.metrics.refusals() == {"unknown_conversation": 1}


async def test_what_the_gate_refuses_is_counted() -> None:
    async with client_of(create_app(parrots())) as client:
        await client.get("/list-apps", headers={"Host": "evil.example"})
        shown = (await client.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(shown) for sample in family.samples]
    assert [(s.labels["code"], s.value) for s in samples if "code" in s.labels] == [("421", 1.0)]
