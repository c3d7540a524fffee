"""When OpenTelemetry is told, and that it costs nothing when it is not (contract 1.7)."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from antiphon import (
    Agent,
    ConfigurationError,
    InMemoryRunner,
    InvocationContext,
    RunConfig,
    Session,
    Telemetry,
)
from antiphon.agents.cast import assemble
from antiphon.errors import MissingExtra
from antiphon.runtime.metrics import Metrics
from antiphon.runtime.telemetry import CONTENT, Watching
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from antiphon.runtime.observer import Observer

TRACES = (
    "import opentelemetry.sdk.trace as sdk, opentelemetry.trace as api; "
    "api.set_tracer_provider(sdk.TracerProvider())"
)
METERS = TRACES.replace("tracer_", "meter_").replace("trace", "metrics").replace("Tracer", "Meter")
TURN = """
import asyncio, sys
{before}
from antiphon import Agent, InMemoryRunner
from antiphon.models.local.keyword_brain import KeywordBrain

async def main():
    runner = InMemoryRunner(Agent(name="helper", model=KeywordBrain()), telemetry={telemetry})
    await runner.session_service.create_session(app_name="InMemoryRunner", user_id="ann", session_id="s1")
    async for _ in runner.run_async(user_id="ann", session_id="s1", new_message="Hello"):
        pass
    print(any(name.split(".")[0] == "opentelemetry" or ".otel" in name for name in sys.modules))
    print("antiphon.runtime.otel.observer" in sys.modules)

asyncio.run(main())
"""


def watch(telemetry: Telemetry | bool | None) -> Observer | None:
    troupe = assemble(Agent(name="helper", model=NearModel()))
    session = Session(id="s1", app_name="app", user_id="ann")
    return Watching(telemetry).observer(
        InvocationContext("e-1", "app", session, RunConfig()), troupe, Metrics()
    )


@pytest.mark.parametrize(
    ("before", "telemetry", "loaded", "watched"),
    [
        ("", None, False, False),
        ("", False, False, False),
        ("import opentelemetry.trace, opentelemetry.metrics", None, True, False),
        ("import opentelemetry.sdk.trace, opentelemetry.sdk.metrics", None, True, False),
        (TRACES, None, True, True),
        (TRACES, False, True, False),
        (METERS, None, True, True),
        ("", True, True, True),
    ],
)
def test_on_where_the_application_has_a_provider(
    before: str, telemetry: bool | None, loaded: bool, watched: bool
) -> None:
    """contract 1.7: without it nothing of it is even imported."""
    program = TURN.format(before=before, telemetry=telemetry)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stderr, ran.stdout.split()) == ("", [str(loaded), str(watched)])


@pytest.mark.parametrize("telemetry", [True, Telemetry()])
def test_asking_for_what_is_not_installed(
    telemetry: Telemetry | bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[otel\]'"):
        InMemoryRunner(Agent(name="helper", model=NearModel()), telemetry=telemetry)
    assert issubclass(MissingExtra, ConfigurationError)


@pytest.mark.parametrize(
    ("said", "content", "held"),
    [
        ("", None, False),
        ("true", None, True),
        ("SPAN_ONLY", None, True),
        ("span_and_event", None, True),
        ("event_only", None, False),
        ("no_content", None, False),
        ("true", False, False),
        ("", True, True),
    ],
)
async def test_content_by_setting_or_environment(
    said: str, content: bool | None, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 1.7"""
    monkeypatch.setenv(CONTENT, said)
    observer: Any = watch(Telemetry(TracerProvider(), content=content))
    assert observer._observer._spans.content is held
    observer.close(None)


async def test_telemetry_that_cannot_begin_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(TracerProvider):
        def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
            return None

    assert watch(Telemetry(Broken())) is None
    assert caplog.messages == ["Telemetry failed; the conversation goes on without."]
