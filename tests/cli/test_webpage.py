"""The demo's page: which model, which port, and what is told (contract 8.2)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.cli import brains, webpage
from antiphon.cli.exits import Exit
from antiphon.cli.webpage import Visit, chosen_model, has_browser, listen_somewhere, serve_page
from antiphon.errors import ConfigurationError
from antiphon.models.gemini import Gemini
from antiphon.models.local.brain import choose_brain
from antiphon.models.local.voice import LocalVoice
from antiphon.server import serving
from tests.cli.conftest import Paper

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GOOGLE_API_KEY", "GEMINI_API_KEY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    def nobody_answers(*args: Any, **options: Any) -> Any:
        return choose_brain(*args, local=(), **options)

    monkeypatch.setattr(brains, "choose_brain", nobody_answers)


def test_the_address_is_told_and_opened_and_the_page_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    opened: list[str] = []
    found: dict[str, str] = {}

    def served(app: Any, listening: socket.socket, **options: Any) -> None:
        found["app"] = app.title
        assert options["limits"] is webpage.LIMITS and not options["access_log"]

    monkeypatch.setattr(serving, "serve", served)
    paper = Paper()
    assert serve_page(Visit(port=0), paper, browse=opened.append) is Exit.OK
    assert found == {"app": "demo"}
    assert (
        len(opened) == 1
        and opened[0].startswith("http://127.0.0.1:")
        and f"Talk here: {opened[0]}" in paper.text
    )
    assert "KeywordBrain answers" in paper.text and "Ears and voice are loaded" in paper.text
    serve_page(Visit(port=0, opens=False), paper, browse=opened.append)
    assert len(opened) == 1


def test_a_port_that_is_taken_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "serve", lambda *_, **__: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with listen_somewhere("127.0.0.1", port) as other:
            assert other.getsockname()[1] != port
        paper = Paper()
        serve_page(Visit(port=port, opens=False), paper)
        assert f"Port {port} is taken" in paper.text
    with pytest.raises(ConfigurationError, match="does not have the address"):
        listen_somewhere("203.0.113.1", 0)


@pytest.mark.parametrize(
    ("visit", "environ", "kind", "told"),
    [
        (Visit(), {}, LocalVoice, "KeywordBrain"),
        (Visit(model="local"), {"GOOGLE_API_KEY": "k"}, LocalVoice, "KeywordBrain"),
        (Visit(), {"GOOGLE_API_KEY": "k"}, Gemini, brains.GEMINI),
        (Visit(model="gemini-3.8-live"), {}, Gemini, "gemini-3.8-live"),
        (Visit(llm="http://127.0.0.1:9/v1", model="m"), {"GOOGLE_API_KEY": "k"}, LocalVoice, "m"),
    ],
)
def test_which_model_talks(visit: Visit, environ: Mapping[str, str], kind: type, told: str) -> None:
    model, intro = chosen_model(visit, environ)
    assert isinstance(model, kind) and told in intro


@pytest.mark.parametrize(
    ("environ", "platform", "there"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "1"}, "darwin", False),
    ],
)
def test_where_a_browser_can_be_opened(environ: Mapping[str, str], platform: str, there: bool) -> None:
    assert has_browser(environ, platform) is there
