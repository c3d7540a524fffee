"""Contract 8.10: the numbers, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from antiphon.runtime.metrics import METRICS
from antiphon.server.access import Access
from antiphon.server.metrics import GAUGES, SERVER_METRICS, ServerMetrics, metrics_router
from tests.server.birds import calling, parrots

Read = dict[tuple[str, str], float]


async def read(server: ServerMetrics) -> Read:
    runner = parrots()
    runner.metrics.count([("turns", 3), ("ended.user", 2), ("ended.error", 1)])
    async with calling(metrics_router(runner, server, Access())) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found: Read = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            assert sample.labels["app"] == "birds"
            label = sample.labels.get("by") or sample.labels.get("code") or ""
            found[sample.name, label] = sample.value
    return found


async def test_all_numbers_of_the_runner_are_told() -> None:
    found = await read(ServerMetrics())
    assert found["antiphon_turns_total", ""] == 3
    assert found["antiphon_ended_total", "user"] == 2 and found["antiphon_ended_total", "error"] == 1
    assert found["antiphon_live", ""] == 0
    told = {name for name, _ in found}
    for name in METRICS:
        assert f"antiphon_{name.partition('.')[0]}{'' if name == 'live' else '_total'}" in told


async def test_what_the_server_counts_is_told() -> None:
    server = ServerMetrics({"sockets": lambda: 4, "open": lambda: 2, "waiting": lambda: 1})
    server.count("reconnects")
    server.count("shed", 50)
    server.refused("queue_full")
    server.refused("queue_full")
    server.refused("403")
    found = await read(server)
    assert [found[f"antiphon_server_{name}", ""] for name in GAUGES] == [4, 2, 1]
    assert found["antiphon_server_reconnects_total", ""] == 1
    assert found["antiphon_server_shed_total", ""] == 50
    assert found["antiphon_server_refusals_total", "queue_full"] == 2
    assert found["antiphon_server_refusals_total", "403"] == 1
    assert server.snapshot() == {
        "sockets": 4,
        "open": 2,
        "waiting": 1,
        "reconnects": 1,
        "shed": 50,
        "refusals": 3,
    }
    assert server.snapshot().keys() == {*GAUGES, *SERVER_METRICS}


async def test_a_gauge_that_nobody_tells_is_left_out() -> None:
    assert ("antiphon_server_sockets", "") not in await read(ServerMetrics())
