"""`antiphon serve`, as a shell runs it (contract 8.12)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.cli import serve as command
from antiphon.cli.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENT = """
from antiphon import Agent
from antiphon.models.local.keyword_brain import KeywordBrain

root_agent = Agent(name="waiter", model=KeywordBrain(), instruction="Serve.")
"""
GUARDED = (
    AGENT
    + """
from antiphon import InMemoryRunner
from antiphon.server.access import Access, BearerTokens
from antiphon.server.limits import ServerLimits

runner = InMemoryRunner(root_agent, app_name="café")
access = Access(hosts=["agent.example.com"], authenticator=BearerTokens({"of-ann": "ann"}))
limits = ServerLimits(places=3)
"""
)


@pytest.fixture
def agent(tmp_path: Path) -> str:
    return written(tmp_path, AGENT)


def written(folder: Path, text: str, name: str = "agent.py") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it tells."""
    with subprocess.Popen(
        [sys.executable, "-c", "from antiphon.cli import main; main()", "serve", *arguments, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "http://" in line, process.stderr and process.stderr.read()
            yield process, line.split()[1]
        finally:
            process.kill()


def asked(address: str, **headers: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_agent_is_served_until_it_is_told_to_end(agent: str) -> None:
    with serving(agent) as (process, address):
        assert asked(f"{address}/readyz") == (200, {"status": "ready"})
        assert asked(f"{address}/list-apps") == (200, ["waiter"])
        assert asked(f"{address}/list-apps", Host="evil.example")[0] == 421
        assert asked(f"{address}/apps/waiter/users/ann/sessions?token=s3cr3t") == (200, [])
        process.send_signal(signal.SIGTERM)
        shown, errors = process.communicate(timeout=20)
        assert process.returncode in (0, -signal.SIGTERM)
    assert "GET /apps/waiter/users/ann/sessions HTTP" in shown, "each request is logged"
    assert "s3cr3t" not in shown + errors, "and no token"
    assert "Traceback" not in shown + errors


def test_the_module_says_who_may_come(tmp_path: Path) -> None:
    with serving(written(tmp_path, GUARDED), "--origin", "https://app.example.com") as (_, address):
        sessions = f"{address}/apps/caf%C3%A9/users/ann/sessions"
        assert asked(sessions)[0] == 401
        given = {"Authorization": "Bearer of-ann", "Host": "agent.example.com"}
        assert asked(sessions, **given, Origin="https://app.example.com") == (200, [])
        assert asked(sessions, **given, Origin="https://evil.example")[0] == 403


def test_errors_say_what_to_do(agent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", agent, "--port", str(port)]) == 2
        assert f"Port {port} of 127.0.0.1 is taken" in capsys.readouterr().err
    for arguments, told in (
        ([], "Missing argument 'APP'"),
        (["nowhere.py"], "There is no file 'nowhere.py'"),
        ([written(tmp_path, "x = 1", "empty.py")], "has no runner or root_agent or app"),
        ([written(tmp_path, AGENT + "access = 'anybody'", "open.py")], "access is no Access but 'anybody'"),
        ([agent, "--workers", "2"], "Each worker would have sessions of its own"),
        ([agent, "--origin", "example.com"], "is no origin"),
    ):
        assert run(["serve", *arguments]) == 2
        assert told in capsys.readouterr().err


def test_who_is_open_to_everybody_is_warned(
    agent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from antiphon.server import serving as module

    given: list[Any] = []
    monkeypatch.setattr(module, "serve", lambda *what, **settings: given.append((what, settings)))
    assert run(["serve", agent, "--host", "0.0.0.0", "--port", "0", "--no-access-log"]) == 0
    shown = capsys.readouterr()
    assert "Nobody is asked who they are, and 0.0.0.0 can be reached" in shown.err
    assert "waiter: http://127.0.0.1:" in shown.out
    ((_, settings),) = given
    assert settings["access_log"] is False and settings["workers"] == 1


def test_a_worker_serves_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"app": written(tmp_path, GUARDED), "origins": [], "hosts": []}
    monkeypatch.setenv(command.HANDED_ON, json.dumps(told))
    app = command.application()
    assert app.title == "café" and app.state.rooms.limits.places == 3
