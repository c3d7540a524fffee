"""The public names: all there, and bound only when used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import antiphon


@pytest.mark.parametrize("name", antiphon.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(antiphon, name) is not None


def test_all_is_complete_and_in_order() -> None:
    assert list(antiphon.__all__) == sorted(antiphon.__all__)
    assert dir(antiphon) == antiphon.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = antiphon.Nothing


def loaded(program: str) -> set[str]:
    """The modules that a fresh interpreter has after it."""
    program = f"import sys; {program}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_loads_nothing_that_costs() -> None:
    found = {name for name in loaded("import antiphon") if name.startswith(("pydantic", "antiphon."))}
    assert found == {"antiphon.binding"}


APPLICATION = "from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue, RunConfig"


def test_an_application_loads_what_its_names_are_and_no_more() -> None:
    """What conversations need is loaded when a model or a runner is built."""
    found = loaded(APPLICATION)
    assert not found & {"importlib.metadata", "json", "multiprocessing", "picows", "urllib.request"}
    assert {name for name in found if name.startswith("antiphon.")} == {
        *("antiphon.agents", "antiphon.agents.base", "antiphon.agents.callbacks", "antiphon.agents.context"),
        *("antiphon.agents.instructions", "antiphon.agents.llm", "antiphon.artifacts", "antiphon.binding"),
        *("antiphon.capabilities", "antiphon.config", "antiphon.errors", "antiphon.models"),
        *("antiphon.models.base", "antiphon.models.chat", "antiphon.models.gemini"),
        *("antiphon.models.gemini_profiles", "antiphon.models.gemini_vertex", "antiphon.models.refusals"),
        *("antiphon.lanes", "antiphon.queue", "antiphon.requests", "antiphon.runtime"),
        *(
            "antiphon.runtime.blocking",
            "antiphon.runtime.runner",
            "antiphon.sessions",
            "antiphon.state",
            "antiphon.tools",
        ),
        *("antiphon.types", "antiphon.types.forms", "antiphon.types.model"),
    }


def test_services_and_contexts_make_no_data_of_conversations() -> None:
    names = "InMemoryArtifactService, InMemorySessionService, ToolContext, types"
    found = {name for name in loaded(f"from antiphon import {names}") if name.startswith("antiphon.")}
    assert {name for name in found if name.startswith(("antiphon.core", "antiphon.types."))} == {
        "antiphon.types.forms",
        "antiphon.types.model",
    }


def test_a_model_loads_what_its_connections_need_when_it_is_built() -> None:
    built = loaded(f"{APPLICATION}; Gemini('gemini-3.8-live')")
    assert built >= {"antiphon.models.gemini_codec", "antiphon.models.socket", "picows"}
