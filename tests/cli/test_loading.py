from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, InMemoryRunner, SequentialAgent
from antiphon.agents import BaseAgent
from antiphon.cli.loading import adapted, load_app, runner_for
from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "gemini-3.8-live"
AGENT = f"from antiphon import Agent\nroot_agent = Agent(name='waiter', model='{MODEL}')\n"


@pytest.fixture(autouse=True)
def imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a test loads is forgotten after it; modules are looked for in its own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def name_of(app: str) -> str:
    found = load_app(app)
    assert isinstance(found, BaseAgent)
    return found.name


def refusal(app: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_app(app)
    return str(refused.value)


def test_a_file_a_folder_and_a_module(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "agent.py").write_text(AGENT, encoding="utf-8")
    assert name_of("place/agent.py") == name_of("place") == name_of("place.agent") == "waiter"


def test_a_name_in_it(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text(f"{AGENT}mine = Agent(name='mine')\napp = 3\n", encoding="utf-8")
    assert name_of("some.py:mine") == name_of("some:mine") == "mine"
    assert name_of(str(tmp_path / "some.py")) == "waiter"


def test_an_app_may_be_a_runner_or_hold_the_agent(tmp_path: Path) -> None:
    (tmp_path / "held.py").write_text(
        AGENT.replace("root_agent", "inner") + "class app: root_agent = inner\n"
    )
    assert name_of("held.py") == "waiter"
    ready = "from antiphon import InMemoryRunner\napp = InMemoryRunner(root)\n"
    (tmp_path / "ready.py").write_text(AGENT.replace("root_agent", "root") + ready)
    assert isinstance(load_app("ready.py"), InMemoryRunner)


def test_a_file_may_import_what_lies_beside_it_and_its_package(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "names.py").write_text("NAME = 'waiter'\n")
    within = "from antiphon import Agent\nfrom .names import NAME\nroot_agent = Agent(name=NAME)\n"
    (tmp_path / "pack" / "agent.py").write_text(within)
    (tmp_path / "beside.py").write_text("NAME = 'cook'\n")
    (tmp_path / "alone.py").write_text(within.replace(".names", "beside"))
    assert name_of("pack/agent.py") == "waiter"
    assert name_of("alone.py") == "cook"


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("broken = 3\n")
    assert refusal("no.py").startswith("There is no file 'no.py'. Give a file")
    assert refusal("no.module").startswith("There is no module 'no'")
    assert refusal("two words").startswith("'two words' is neither")
    assert refusal("empty.py").startswith("empty.py has no root_agent or app.")
    assert refusal("empty.py:other").startswith("empty.py has no 'other'.")
    assert refusal("empty.py:broken").startswith("empty.py:broken is no agent but 3;")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = = 1\n", "bad.py, line 1: invalid syntax. Correct it"),
        ("\nx = 1 / 0\n", "bad.py, line 2: ZeroDivisionError: division by zero. ANTIPHON_DEBUG=1"),
        (
            "import not_there_at_all\n",
            "bad.py, line 1: ModuleNotFoundError: No module named 'not_there_at_all'.",
        ),
        ("from antiphon import Agent\nAgent(name='a b')\n", "bad.py, line 2: Agent.name: 'a b' is no name"),
    ],
)
def test_what_is_wrong_in_it_is_told_with_its_line(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    assert refusal("bad.py").startswith(said)
    assert refusal("bad").startswith(said)


def test_another_model_is_that_of_all_agents() -> None:
    root = Agent(name="a", model="gemini-x", sub_agents=[Agent(name="b", model="gemini-y", instruction="B")])
    changed = adapted(root, MODEL, "Be brief.")
    assert [agent.model for agent in changed.walk() if isinstance(agent, Agent)] == [MODEL, MODEL]
    assert [agent.instruction for agent in changed.walk() if isinstance(agent, Agent)] == ["Be brief.", "B"]
    assert root.model == "gemini-x"


def test_another_instruction_is_that_of_who_speaks_first() -> None:
    steps = SequentialAgent(
        name="steps", sub_agents=[Agent(name="a", model=MODEL), Agent(name="b", model=MODEL)]
    )
    told = [
        agent.instruction for agent in adapted(steps, None, "Be brief.").walk() if isinstance(agent, Agent)
    ]
    assert told == ["Be brief.", ""]


def test_a_runner_keeps_its_services() -> None:
    """contract 1.2"""
    own = InMemoryRunner(Agent(name="a", model=MODEL), app_name="shop")
    assert runner_for(own, model=None, instruction=None) is own
    changed = runner_for(own, model="gemini-x", instruction=None)
    assert (changed.app_name, changed.session_service) == ("shop", own.session_service)
    assert isinstance(changed.agent, Agent) and changed.agent.model == "gemini-x"


def test_an_agent_gets_a_runner() -> None:
    runner = runner_for(Agent(name="a"), model=MODEL, instruction=None)
    assert runner.app_name == "a"
