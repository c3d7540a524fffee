"""The page of performance: tables and plots from the results of each part, the prose left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import antiphon
from benchmarks.capacity.servers.sampling import ENTRY
from benchmarks.performance_report import FIGURES, write
from benchmarks.stages import LOOP, READERS, READING, STAGES, WAYS, WRITERS, WRITING, stage_of, stages

MACHINE = {
    "made": "2026-11-21T05:01:18+00:00",
    "commit": "abc1e1e",
    "cpu": "A processor",
    "cpus": 2,
    "system": "Linux 6.18",
    "python": "3.11.7",
    "build": "compiled",
    "load_before": 0.1,
}
DELAY = {"p50": 0.3, "p99": 1.25, "p99.9": 2.0}
TRIAL = {"conversations": 50, "down": DELAY, "up": DELAY, "load_cpu": {"model": 0.1, "clients": 0.1}}
CURVE = {"x": [0, 1_000], "y": [30.1, 0.25], "unit": "ms of something"}
RESULTS: dict[str, dict[str, Any]] = {
    "frames": {
        "subjects": {"antiphon": {}},
        "rows": [
            {
                "measure": "import",
                "unit": "ms",
                "median": {"antiphon": 287.6},
                "google_adk_over_antiphon": None,
                "antiphon_over_websockets": 4.1,
            }
        ],
    },
    "capacity": {
        "settings": {"p99_at_most_ms": 20.0},
        "servers": {"antiphon": {"capacity": 75, "at_least": False, "levels": [TRIAL]}},
        "load_alone": [TRIAL],
    },
    "stages": {
        "conversations": 100,
        "seconds": 40.0,
        "samples": 2_000,
        "cpu": 0.35,
        "stages": {way: dict.fromkeys(STAGES, 1.5) for way in WAYS},
    },
    "curves": {
        "curves": dict.fromkeys(
            ("tools", "history", "history_start", "conversations", "store_cpu", "store_p50", "store_p99"),
            CURVE,
        ),
        "start": {"wall_s": 1.27, "cpu_s": 0.925},
    },
    "memory-idle": {
        "median": {
            "antiphon": {"rss": 142.0, "pss": 141.0, "objects": 428.0},
            "sockets": {"rss": 95.0, "pss": 94.0, "objects": 125.0},
        }
    },
    "memory-hour": {
        "minutes": 60,
        "growth": {"forgotten": {"rss": 2.0, "objects": 0.5}, "kept": {"rss": 200.0, "objects": 500.5}},
        "forgotten": [{"minute": 0, "rss": 40_000}, {"minute": 1, "rss": 41_000}],
        "kept": [{"minute": 0, "rss": 40_000}, {"minute": 1, "rss": 48_000}],
    },
}


@pytest.fixture(autouse=True, scope="module")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> None:
    """matplotlib keeps the files of fonts open from when it has first drawn."""
    folder = tmp_path_factory.mktemp("fonts")
    store(folder, *RESULTS)
    write(folder, "2026-11-", page_of(folder))


def page_of(folder: Path) -> Path:
    marked = "".join(
        f"Of {part}:\n\n<!-- measured: {part} -->\nold\n<!-- end: {part} -->\n" for part in FIGURES
    )
    page = folder / "performance.md"
    page.write_text(marked, encoding="utf-8")
    return page


def store(folder: Path, *parts: str) -> None:
    for part in parts:
        text = json.dumps({"machine": MACHINE, **RESULTS[part]})
        (folder / f"2026-11-{part}.json").write_text(text, encoding="utf-8")


def test_every_part_is_written_between_its_markers(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    store(tmp_path, *RESULTS)

    assert write(tmp_path, "2026-11-", page) == [*FIGURES]

    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert "| import | 288 ms | – | 4.1 |" in text
    assert "| conversations held | 75 |" in text
    assert "| 1,000 | 0.2 | 0.2 |" in text
    assert (
        text.count("*A processor, 2 CPUs (virtual), Linux 6.18, Python 3.11.7, compiled, 2026-11-21; load")
        == 6
    )
    for plot in ("capacity", "conversations", "history", "store", "memory", "stages"):
        assert f"](performance/{plot}.svg)" in text
        assert (tmp_path / "performance" / f"{plot}.svg").stat().st_size < 60_000


def test_the_same_results_make_the_same_bytes(tmp_path: Path) -> None:
    store(tmp_path, *RESULTS)
    found = []
    for _ in range(2):
        write(tmp_path, "2026-11-", page_of(tmp_path))
        found.append([path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()])

    assert found[0] == found[1]


def test_parts_without_results_stay(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    store(tmp_path, "memory-idle")

    assert write(tmp_path, "2026-11-", page) == ["memory-idle"]
    assert page.read_text(encoding="utf-8").count("old") == len(FIGURES) - 1


LOOPING = ["lib/asyncio/base_events.py:_run_once", "lib/antiphon/server/serving.py:serve"]
FROM_MODEL = ["lib/antiphon/models/socket_connection.py:on_ws_frame", "lib/asyncio/events.py:_run", *LOOPING]
FROM_CLIENT = ["lib/antiphon/server/direct_socket.py:on_ws_frame", "lib/asyncio/events.py:_run", *LOOPING]


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        ([ENTRY, *FROM_MODEL], ("down", READING)),
        (["lib/antiphon/core/turns.py:heard", *FROM_MODEL], ("down", STAGES[2])),
        (["lib/antiphon/server/direct_socket.py:send", *FROM_MODEL], ("down", WRITING)),
        (
            ["lib/json/decoder.py:decode", "lib/antiphon/models/gemini_codec.py:decode", *FROM_CLIENT],
            ("up", STAGES[1]),
        ),
        (["lib/selectors.py:select", *LOOPING], ("shared", LOOP)),
    ],
)
def test_a_sample_belongs_to_the_innermost_stage(stack: list[str], found: tuple[str, str]) -> None:
    assert stage_of(stack) == found


@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_stages_are_told_apart_by_functions_that_there_are(name: str) -> None:
    """The table says nothing else where one is moved."""
    file, _, function = name.partition(":")
    source = (Path(antiphon.__file__).parent / file).read_text(encoding="utf-8")
    assert f"    def {function}(self, " in source


def test_stages_add_up_to_the_time_that_was_spent() -> None:
    samples = [(3, [ENTRY, *FROM_MODEL]), (1, LOOPING)]

    found = stages(samples, 4.0, frames=1_000, chunks=600)

    assert found["down"][READING] == 3_000.0
    assert found["shared"][LOOP] == 625.0
