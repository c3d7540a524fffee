"""The commands as a shell runs them, but in this process."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import contextmanager
from functools import partial
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.cli import audio_device, brains, commands, doctor, selftest
from antiphon.cli.commands import run
from antiphon.compilation import is_compiled
from antiphon.errors import ConfigurationError
from antiphon.models.local.brain import choose_brain
from antiphon.testing.chat_server import ChatServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from antiphon.cli.selftest import Trial


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No keys, no debugging, no language model on this machine, and a folder of its own."""
    names = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "ANTIPHON_DEBUG")
    for name in (*names, "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "")
    monkeypatch.setattr(commands, "quiet", lambda: None)
    monkeypatch.setattr(brains, "choose_brain", partial(choose_brain, local=()))
    monkeypatch.chdir(tmp_path)


@contextmanager
def chat_server() -> Iterator[str]:
    """The address of a language model on this machine, which repeats what it is told."""
    ready: Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def serve() -> None:
        over = asyncio.Event()
        async with ChatServer() as server:
            ready.put((server.openai_url, asyncio.get_running_loop(), over))
            await over.wait()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    url, loop, over = ready.get(timeout=10)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


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
    kind = "compiled" if is_compiled() else "pure Python"
    assert capsys.readouterr().out == f"antiphon {version('antiphon')} ({kind})\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["tlk"], "antiphon: No such command 'tlk'. Did you mean 'talk'? See antiphon --help."),
        (["talk", "--modle", "x"], "antiphon talk: No such option: --modle"),
        (["talk", "--model", "gemini-3.8-live"], "antiphon: No key for gemini-3.8-live: set GOOGLE_API_KEY"),
        (["demo", "--listen", "--text"], "antiphon: Choose one of --listen"),
        (["talk", "--voice", "--wav", "in.wav"], "antiphon: Choose one of --voice and --wav."),
        (["talk", "--out", "out.wav"], "antiphon: --out keeps a conversation by voice"),
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
    piped("weather in Paris\ncount to 3\n")
    assert run(["demo", "--terminal"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("KeywordBrain answers, on this machine")
    assert 'you> weather in Paris\n⚙ get_weather(city="Paris")' in shown
    assert "antiphon> Paris: sky sunny, 22 degrees Celsius.\n" in shown
    assert "you> count to 3\nantiphon> One." in shown


def test_talk_needs_no_key(piped: Callable[[str], None], capsys: pytest.CaptureFixture[str]) -> None:
    piped("roll dice\n")
    assert run(["talk"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("KeywordBrain answers") and "⚙ roll_dice(" in shown


def test_a_server_that_was_named_answers(
    piped: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    piped("hello\n")
    with chat_server() as url:
        assert run(["talk", "--llm", url, "--model", "qwen"]) == 0
        shown = capsys.readouterr().out
    assert f"The brain is qwen at {url}: it was asked for." in shown and "antiphon> " in shown


def test_by_voice_without_a_microphone_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def names(device: object) -> None:
        raise ConfigurationError("There is no microphone here.")

    monkeypatch.setattr(audio_device.SoundDevice, "names", names)
    assert run(["talk", "--voice"]) == 2
    assert capsys.readouterr().err == "antiphon: There is no microphone here.\n"
    assert run(["demo", "--voice"]) == 2


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
    shown = capsys.readouterr().out
    assert "Self-test, plain" in shown
    for part in ("recogniser", "synthesiser", "speech detector", "microphone"):
        assert f"Voice: {part}" in shown


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
