"""The commands as a shell runs them, but in this process."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.cli import commands, doctor, selftest
from antiphon.cli.commands import run
from antiphon.testing import live_server
from antiphon.testing.live_server import LiveServer, Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.cli.selftest import Trial


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys, no debugging, and a server that takes no time."""
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "ANTIPHON_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "")
    monkeypatch.setattr(commands, "_quiet", lambda: None)

    class Fast(LiveServer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**(options | {"timing": Timing.instant()}))

    monkeypatch.setattr(live_server, "LiveServer", Fast)


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Standard input is a pipe with this text in it."""

    def pipe(text: str) -> None:
        read, write = os.pipe()
        os.write(write, text.encode())
        os.close(write)
        monkeypatch.setattr(sys, "stdin", os.fdopen(read))

    return pipe


@pytest.fixture(autouse=True)
def closed_input(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield
    if sys.stdin is not sys.__stdin__ and not sys.stdin.closed:
        sys.stdin.close()


@pytest.mark.parametrize(
    "command", [[], ["--help"], ["talk", "-h"], ["demo", "--help"], ["doctor", "--help"]]
)
def test_help_has_the_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "130" in shown
    if len(command) == 2:
        assert "Examples" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"antiphon {version('antiphon')}\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["tlk"], "antiphon: No such command 'tlk'. Did you mean 'talk'? See antiphon --help."),
        (["talk", "--modle", "x"], "antiphon talk: No such option: --modle"),
        (["talk"], "antiphon: No key for gemini-3.8-live: set GOOGLE_API_KEY"),
        (["talk", "--model", "gpt"], "antiphon: No model answers to the name 'gpt'."),
        (["talk", "nowhere.py"], "antiphon: There is no file 'nowhere.py'."),
        (["talk", "--base-url", "x://y"], "antiphon: base_url"),
        (
            ["talk", "--text", "--base-url", "http://127.0.0.1:1"],
            "antiphon: The model 'gemini-3.8-live' cannot do",
        ),
    ],
)
def test_usage_and_configuration_end_with_2(
    command: list[str], said: str, piped: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """contract 6.2"""
    piped("")
    assert run(command) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(said) and err.count("\n") == 1


def test_the_demo_answers_what_is_piped_in(
    piped: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    piped("weather in Paris\nhello\n")
    assert run(["demo", "--usage"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("An imitated model, offline;")
    assert "antiphon> It is sunny in Paris, 22 degrees.\n" in shown
    assert "you> hello\nantiphon> Hello!" in shown and "tokens:" in shown


def test_the_demo_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "antiphon.testing.live_server", None)
    assert run(["demo"]) == 2
    assert "pip install 'antiphon[testing]'" in capsys.readouterr().err


def test_a_conversation_that_fails_ends_with_1(
    piped: Callable[[str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from antiphon.cli.chat import Chat
    from antiphon.errors import AuthenticationRefused

    async def refused(*_: Any) -> None:
        raise AuthenticationRefused("Gemini refused the key.")

    piped("hello\n")
    monkeypatch.setattr(Chat, "run", refused)
    assert run(["talk", "--base-url", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err == "antiphon: Gemini refused the key.\n"


@pytest.mark.parametrize(
    ("app", "options"), [("waiter", {}), ("waiter", {"--session": "s1", "--user": "ann"})]
)
def test_talk_goes_on_with_the_session_named(
    app: str,
    options: dict[str, str],
    piped: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """contract 1.1"""
    from antiphon import Agent, Gemini, InMemoryRunner
    from antiphon.cli import loading
    from antiphon.cli.chat import Chat, Ending

    runner = InMemoryRunner(Agent(name=app, model=Gemini("gemini-3.8-live", api_key="x")))
    talked: list[tuple[str, str]] = []

    async def talk(chat: Chat, user: str, session: str) -> Ending:
        talked.append((user, session))
        return Ending.INTERRUPTED if len(talked) > 1 else Ending.LEFT

    monkeypatch.setattr(Chat, "run", talk)
    monkeypatch.setattr(loading, "load_app", lambda app: runner)
    arguments = ["talk", "x.py", *(word for option in options.items() for word in option)]
    piped("")
    assert run(arguments) == 0
    sys.stdin.close()
    piped("")
    assert run(arguments) == 130
    first, second = talked
    assert (first == second == ("ann", "s1")) if options else (first[1] != second[1])


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "Self-test, plain" in capsys.readouterr().out


def test_doctor_for_programs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def failed(*, tls: bool) -> Trial:
        return selftest.Trial("plain", False, error="no")

    monkeypatch.setattr(selftest, "hold", failed)
    assert run(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["selftest"][0]["error"] == "no"
    assert {check["mark"] for check in told["checks"]} <= set(doctor.Mark)


def test_what_goes_wrong_unforeseen_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Any:
        raise KeyError("x")

    monkeypatch.setattr(doctor, "programs", broken)
    assert run(["doctor"]) == 1
    assert capsys.readouterr().err == "antiphon: KeyError: 'x'. ANTIPHON_DEBUG=1 shows the traceback.\n"


def test_ctrl_c_anywhere_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pressed() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "programs", pressed)
    assert run(["doctor"]) == 130
    assert capsys.readouterr().err == ""
