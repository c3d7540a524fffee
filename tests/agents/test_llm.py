from typing import Any

import pytest
from google.genai import types as official
from pydantic import ValidationError

from antiphon import types
from antiphon.agents import Agent
from antiphon.models.gemini import Gemini
from antiphon.tools import BaseTool, BaseToolset, FunctionTool, google_search


def weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


async def news() -> str:
    """The news."""
    return "none"


def test_the_names_that_live_agent_developers_know() -> None:
    agent = Agent(
        name="assistant",
        model="gemini-3.8-live",
        instruction="Be brief.",
        description="Answers.",
        tools=[weather],
        sub_agents=[Agent(name="helper")],
        generate_content_config=types.GenerateContentConfig(temperature=0.2),
        disallow_transfer_to_parent=True,
        disallow_transfer_to_peers=True,
    )
    assert agent.model == "gemini-3.8-live" and agent.instruction == "Be brief."
    assert agent.generate_content_config and agent.generate_content_config.temperature == 0.2


def test_functions_become_tools() -> None:  # contract 5.1
    tool = FunctionTool(news)
    agent = Agent(name="a", tools=[weather, tool, google_search])
    assert [type(each) for each in agent.tools] == [FunctionTool, FunctionTool, type(google_search)]
    assert agent.tools[1] is tool and agent.tools[2] is google_search
    assert all(isinstance(each, BaseTool) for each in agent.tools) and isinstance(agent.tools, tuple)


def test_model_side_tools_of_either_package() -> None:
    for search in (
        types.Tool(google_search=types.GoogleSearch()),
        official.Tool(google_search=official.GoogleSearch()),
    ):
        (tool,) = Agent(name="a", tools=[search]).tools
        offered = tool.model_tool()
        assert offered is not None and offered.google_search is not None


@pytest.mark.parametrize(
    ("tools", "error"),
    [
        ([weather, FunctionTool(news, name="weather")], "Two tools are called weather"),
        ([3], "is no tool"),
        ([lambda: 1], "lambda has no name"),
    ],
)
def test_tools_that_cannot_be_used_are_refused(tools: list[Any], error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        Agent(name="a", tools=tools)


def test_a_model_object_is_kept_and_anything_else_refused() -> None:
    model = Gemini("gemini-3.8-live", api_key="k")
    assert Agent(name="a", model=model).model is model
    with pytest.raises(ValidationError, match="model"):
        Agent(name="a", model=3)


def test_a_config_of_the_official_package_is_taken() -> None:
    config = official.GenerateContentConfig(temperature=0.5)
    agent = Agent(name="a", generate_content_config=config)
    assert agent.generate_content_config == types.GenerateContentConfig(temperature=0.5)


@pytest.mark.parametrize(
    ("config", "instead"),
    [({"system_instruction": "Be brief."}, "instruction="), ({"tools": [{"google_search": {}}]}, "tools=")],
)
def test_what_has_a_place_of_its_own_is_not_taken_elsewhere(config: dict[str, Any], instead: str) -> None:
    with pytest.raises(ValidationError, match=f"has no effect here: use Agent\\({instead}"):
        Agent(name="a", generate_content_config=types.GenerateContentConfig.model_validate(config))


def test_unknown_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="instructions"):
        Agent.model_validate({"name": "a", "instructions": "Be brief."})


def test_an_instruction_may_be_a_callable() -> None:
    agent = Agent(name="a", instruction=lambda context: context.agent_name)
    assert callable(agent.instruction)


def test_a_toolset_stands_among_the_tools_and_is_not_asked() -> None:  # contract 5.11
    class Shelf(BaseToolset):
        async def get_tools(self) -> list[BaseTool]:
            raise AssertionError("a conversation asks, not the agent")

    shelf = Shelf()
    made = Agent(name="a", tools=[shelf, weather, shelf]).tools
    assert made[0] is shelf and isinstance(made[1], FunctionTool)
