from typing import Any

import pytest

from antiphon import types
from antiphon.agents import Agent, BaseAgent, SequentialAgent, Troupe, assemble
from antiphon.errors import ConfigurationError, UnknownModel, UnsupportedByModel
from antiphon.models.gemini import Gemini
from antiphon.tools import (
    BaseTool,
    BaseToolset,
    FunctionTool,
    LongRunningFunctionTool,
    ToolContext,
    google_search,
)

MODEL = "gemini-3.8-live"


def weather(city: str) -> str:
    """The weather in a city."""
    return city


def report() -> str:
    """A report that takes its time."""
    return "…"


def agent(name: str, *below: BaseAgent, **fields: Any) -> Agent:
    return Agent(name=name, description=f"does {name}", sub_agents=list(below), **fields)


def sequence(name: str, *steps: BaseAgent) -> SequentialAgent:
    return SequentialAgent(name=name, description=f"does {name}", sub_agents=list(steps))


def targets(troupe: Troupe, name: str) -> list[str]:
    """Whom the agent of this name may hand over to, as its model is told."""
    tool = troupe.speakers[name].tools.get("transfer_to_agent")
    if tool is None:
        return []
    declaration = tool.declaration()
    assert declaration and declaration.parameters and declaration.parameters.properties
    return declaration.parameters.properties["agent_name"].enum or []


def successors(troupe: Troupe) -> dict[str, str | None]:
    assert {name: role.successor for name, role in troupe.cast.roles.items()} == {
        name: speaker.successor for name, speaker in troupe.speakers.items()
    }
    return {name: speaker.successor for name, speaker in troupe.speakers.items()}


def completers(troupe: Troupe) -> set[str]:
    return {name for name, speaker in troupe.speakers.items() if "task_completed" in speaker.tools}


def test_one_agent_is_the_whole_cast() -> None:
    tools = [weather, LongRunningFunctionTool(report), google_search]
    troupe = assemble(agent("solo", model=MODEL, tools=tools))
    assert troupe.cast.first == "solo"
    role = troupe.cast.roles["solo"]
    assert role.capabilities is troupe.speakers["solo"].model.capabilities
    assert role.tools["report"].long_running and not role.tools["weather"].long_running
    assert targets(troupe, "solo") == [] and completers(troupe) == set()


def test_functions_are_declared_in_one_tool_and_model_side_tools_each_for_itself() -> None:  # contract 5.1
    speaker = assemble(agent("a", model=MODEL, tools=[google_search, weather, report])).speakers["a"]
    functions, search = speaker.declarations()
    declared = functions.function_declarations
    assert declared is not None and [each.name for each in declared] == ["weather", "report"]
    assert search.google_search is not None
    assert assemble(agent("a", model=MODEL)).speakers["a"].declarations() == []
    assert len(assemble(agent("a", model=MODEL, tools=[google_search])).speakers["a"].declarations()) == 1


def test_children_parent_and_peers_may_be_handed_over_to() -> None:  # contract 5.8
    troupe = assemble(agent("root", agent("a", agent("a1")), agent("b"), model=MODEL))
    assert targets(troupe, "root") == ["a", "b"]
    assert targets(troupe, "a") == ["a1", "root", "b"]
    assert targets(troupe, "a1") == ["a"]
    assert targets(troupe, "b") == ["root", "a"]
    told = troupe.speakers["b"].tools["transfer_to_agent"].description
    assert "root: does root" in told and "a: does a" in told


def test_handing_over_can_be_disallowed() -> None:  # contract 5.8
    upwards, sideways = {"disallow_transfer_to_parent": True}, {"disallow_transfer_to_peers": True}
    troupe = assemble(
        agent(
            "root",
            agent("a", **upwards),
            agent("b", **sideways),
            agent("c", **upwards, **sideways),
            model=MODEL,
        )
    )
    assert targets(troupe, "a") == ["b", "c"]
    assert targets(troupe, "b") == ["root"]
    assert targets(troupe, "c") == []


def test_a_sequence_is_a_chain() -> None:  # contract 5.9
    troupe = assemble(sequence("trip", agent("ask", model=MODEL), agent("book", model=MODEL)))
    assert troupe.cast.first == "ask" and set(troupe.speakers) == {"ask", "book"}
    assert successors(troupe) == {"ask": "book", "book": None}
    assert completers(troupe) == {"ask", "book"}
    assert targets(troupe, "ask") == targets(troupe, "book") == []


def test_sequences_in_sequences_are_one_chain() -> None:  # contract 5.9
    steps = [agent(name, model=MODEL) for name in "abcd"]
    troupe = assemble(sequence("outer", sequence("in1", steps[0], steps[1]), sequence("in2", *steps[2:])))
    assert troupe.cast.first == "a"
    assert successors(troupe) == {"a": "b", "b": "c", "c": "d", "d": None}


def test_a_sequence_below_an_agent_is_entered_at_its_first_step() -> None:
    troupe = assemble(
        agent("root", sequence("trip", agent("ask"), agent("book")), agent("talk"), model=MODEL)
    )
    assert targets(troupe, "root") == ["ask", "talk"]
    assert "ask: does trip" in troupe.speakers["root"].tools["transfer_to_agent"].description
    assert targets(troupe, "talk") == ["root", "ask"]
    assert successors(troupe) == {"root": None, "ask": "book", "book": None, "talk": None}
    assert completers(troupe) == {"ask", "book"}
    assert targets(troupe, "ask") == []


def test_an_agent_in_a_sequence_may_have_agents_below() -> None:
    troupe = assemble(
        sequence("trip", agent("ask", agent("expert"), model=MODEL), agent("book", model=MODEL))
    )
    assert targets(troupe, "ask") == ["expert"] and targets(troupe, "expert") == ["ask"]
    assert completers(troupe) == {"ask", "book"}
    assert successors(troupe) == {"ask": "book", "expert": None, "book": None}


def test_models_are_handed_down() -> None:
    own = Gemini("gemini-live-2.5-flash", api_key="k")
    troupe = assemble(
        agent("root", agent("a", sequence("s", agent("b")), model=own), agent("c"), model=MODEL)
    )
    assert {name: speaker.model.name for name, speaker in troupe.speakers.items()} == {
        "root": MODEL,
        "a": own.name,
        "b": own.name,
        "c": MODEL,
    }
    assert troupe.speakers["a"].model is troupe.speakers["b"].model is own


def test_an_agent_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Agent 'a' has no model: pass Agent\(model=…\)"):
        assemble(sequence("trip", agent("a")))


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match=r"'gpt-9'.*gemini-\.\+"):
        assemble(agent("a", model="gpt-9"))


def test_only_agents_can_speak() -> None:
    with pytest.raises(ConfigurationError, match=r"BaseAgent 'mine' cannot take part.*use an Agent"):
        assemble(agent("root", BaseAgent(name="mine"), model=MODEL))


def test_the_names_of_the_tools_for_handing_over_are_taken() -> None:
    transfer = FunctionTool(weather, name="transfer_to_agent")
    assert assemble(agent("alone", model=MODEL, tools=[transfer])).speakers["alone"].tools
    with pytest.raises(ConfigurationError, match="'root' has a tool called 'transfer_to_agent'"):
        assemble(agent("root", agent("a"), model=MODEL, tools=[transfer]))
    completed = FunctionTool(weather, name="task_completed")
    with pytest.raises(ConfigurationError, match="another name"):
        assemble(sequence("trip", agent("a", model=MODEL, tools=[completed])))


@pytest.mark.parametrize(
    ("model", "thinking", "refused"),
    [
        ("gemini-3.8-live", {"thinking_level": "LOW"}, "thinking_level"),
        ("gemini-3.8-live", {"thinking_budget": 0}, "thinking_budget"),
        ("gemini-3.1-flash-live-preview", {"thinking_budget": 100}, "thinking_budget"),
        ("gemini-3.1-flash-live-preview", {"thinking_level": "LOW"}, None),
        ("gemini-2.5-flash-native-audio-preview", {"thinking_budget": 0}, None),
        ("gemini-3.8-live", {"include_thoughts": True}, None),
        ("gemini-99-live", {"thinking_level": "LOW"}, None),
    ],
)
def test_thinking_that_the_model_does_not_know_is_refused(  # contract 6.2
    model: str, thinking: dict[str, Any], refused: str | None
) -> None:
    config = types.GenerateContentConfig.model_validate({"thinking_config": thinking})
    root = agent("a", model=model, generate_content_config=config)
    if refused is None:
        assert assemble(root).cast.first == "a"
    else:
        with pytest.raises(UnsupportedByModel, match=f"{model}.*'a' does not take a {refused}"):
            assemble(root)


@pytest.mark.parametrize("model", ["gemini-3.8-live-extended-thinking", "gemini-3.8-live"])
def test_a_model_that_waits_for_no_tool_is_not_asked_to(model: str) -> None:  # contract 6.2
    root = agent("a", model=model, tools=[FunctionTool(report, behavior="BLOCKING")])
    if model == "gemini-3.8-live":
        assert assemble(root).cast.first == "a"
    else:
        with pytest.raises(UnsupportedByModel, match="leave behavior=BLOCKING out of report"):
            assemble(root)


def test_nor_by_the_tools_of_a_toolset() -> None:  # contract 6.2
    class Set(BaseToolset):
        async def get_tools(self) -> list[BaseTool]:
            raise NotImplementedError

    troupe = assemble(agent("a", model="gemini-3.8-live-extended-thinking", tools=[toolset := Set()]))
    with pytest.raises(UnsupportedByModel, match="leave behavior=BLOCKING out of report"):
        troupe.with_tools({toolset: [FunctionTool(report, behavior="BLOCKING")]})


def test_a_role_knows_who_it_may_hand_over_to_and_what_streams() -> None:  # contract 5.7, 5.8
    class Feed(BaseTool):
        kind = "stream"

        def bind(self, args: dict[str, Any], context: ToolContext) -> Any:
            raise NotImplementedError

    below = agent("b", disallow_transfer_to_peers=True), agent("c", disallow_transfer_to_parent=True)
    cast = assemble(agent("a", *below, model=MODEL, tools=[Feed("feed"), weather])).cast
    assert {name: role.targets for name, role in cast.roles.items()} == {
        "a": ("b", "c"),
        "b": ("a",),
        "c": ("b",),
    }
    assert [name for name, facts in cast.roles["a"].tools.items() if facts.streaming] == ["feed"]


def test_shared_agents_are_not_changed_by_where_they_take_part() -> None:  # contract 1.2, 5.9
    shared = agent("shared", model=MODEL, tools=[weather])
    before = repr(shared)
    alone, below = assemble(shared), assemble(agent("root", shared, agent("peer"), model=MODEL))
    chained = assemble(sequence("trip", shared, agent("next", model=MODEL)))
    assert repr(shared) == before and [tool.name for tool in shared.tools] == ["weather"]
    assert list(alone.speakers["shared"].tools) == ["weather"]
    assert list(below.speakers["shared"].tools) == ["weather", "transfer_to_agent"]
    assert list(chained.speakers["shared"].tools) == ["weather", "task_completed"]
    assert chained.speakers["shared"].agent is shared


class Shelf(BaseToolset):
    """A toolset; it is asked by others."""

    async def get_tools(self) -> list[BaseTool]:
        raise AssertionError("the cast is given what was found")


def test_what_toolsets_give_stands_behind_the_agents_own_tools() -> None:  # contract 5.11
    shelf, empty = Shelf(), Shelf()
    below = agent("below", tools=[empty, shelf])
    troupe = assemble(agent("root", below, model=MODEL, tools=[shelf, weather]))
    assert troupe.toolsets() == [shelf, empty]
    slow = LongRunningFunctionTool(report)
    equipped = troupe.with_tools({shelf: [slow]})
    assert list(equipped.speakers["root"].tools) == ["weather", "transfer_to_agent", "report"]
    assert list(equipped.speakers["below"].tools) == ["transfer_to_agent", "report"]
    assert equipped.cast.first == "root" and equipped.cast.roles["below"].tools["report"].long_running
    assert "report" not in troupe.speakers["root"].tools, "another conversation may be given others"


def test_a_toolset_does_not_take_the_place_of_a_tool() -> None:  # contract 5.11
    shelf, other = Shelf(), Shelf()
    troupe = assemble(agent("root", agent("below"), model=MODEL, tools=[shelf, other]))
    transfer = FunctionTool(weather, name="transfer_to_agent")
    with pytest.raises(
        ConfigurationError, match=r"'root' has two tools called 'transfer_to_agent': its own, and"
    ):
        troupe.with_tools({shelf: [transfer]})
    with pytest.raises(ConfigurationError, match=r"called 'weather': one of .*Shelf.*, and one of .*Shelf"):
        troupe.with_tools({shelf: [FunctionTool(weather)], other: [FunctionTool(weather)]})


# For turn-based runs.


def chat(name: str, *below: BaseAgent, **fields: Any) -> Agent:
    return agent(name, *below, model="openai/any", **fields)


def test_models_are_asked_in_turn_based_runs() -> None:  # contract 6.3
    troupe = assemble(chat("a"), turn_based=True)
    assert troupe.cast.roles["a"].capabilities.turn_based
    with pytest.raises(UnsupportedByModel, match="run_live"):
        assemble(agent("a", model=MODEL), turn_based=True)


def test_a_sequence_moves_on_by_itself_in_turn_based_runs() -> None:  # contract 6.3
    steps = sequence("trip", chat("ask", chat("expert")), chat("book"))
    troupe = assemble(steps, turn_based=True)
    assert completers(troupe) == set()
    assert successors(troupe) == {"ask": "book", "expert": "book", "book": None}
    assert {name for name, role in troupe.cast.roles.items() if role.moves_on} == {"ask", "expert"}
    assert not any(
        role.moves_on for role in assemble(sequence("s", agent("a", model=MODEL))).cast.roles.values()
    )


def test_who_goes_on_in_the_next_turn_based_run() -> None:  # contract 6.3
    tree = chat("a", chat("b", chat("c")), chat("d", chat("e"), disallow_transfer_to_parent=True))
    assert assemble(tree, turn_based=True).keepers == {"a", "b", "c"}
    root = chat("a", chat("b"), disallow_transfer_to_parent=True)
    assert assemble(root, turn_based=True).keepers == {"a", "b"}
    assert assemble(sequence("s", chat("a", chat("b"))), turn_based=True).keepers == set()
