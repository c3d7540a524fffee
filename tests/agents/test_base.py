import pytest
from pydantic import ValidationError

from antiphon.agents import BaseAgent


def named(name: str, *below: BaseAgent) -> BaseAgent:
    return BaseAgent(name=name, sub_agents=list(below))


@pytest.mark.parametrize("name", ["", "two words", "with-dash", "1st", "a.b"])
def test_a_name_is_an_identifier(name: str) -> None:
    with pytest.raises(ValidationError, match="letters, digits and underscores"):
        named(name)


def test_the_users_name_is_taken() -> None:  # contract 3.3
    with pytest.raises(ValidationError, match="give the agent another name"):
        named("user")


def test_two_of_one_name_are_refused_at_any_depth() -> None:
    with pytest.raises(ValidationError, match="Two agents are called 'twin'"):
        named("root", named("twin"), named("group", named("twin")))
    with pytest.raises(ValidationError, match="Two agents are called 'root'"):
        named("root", named("group", named("root")))


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="colour"):
        BaseAgent.model_validate({"name": "a", "colour": "red"})


def test_agents_cannot_be_changed() -> None:  # contract 1.2
    agent = named("root", named("below"))
    with pytest.raises(ValidationError, match="frozen"):
        agent.name = "other"  # type: ignore[misc]
    assert isinstance(agent.sub_agents, tuple)


def test_agents_are_shared_not_copied() -> None:
    below = named("below")
    assert named("root", below).sub_agents[0] is below
    assert named("other", below).sub_agents[0] is below


def test_finding_an_agent_below() -> None:
    root = named("root", named("a", named("b")), named("c"))
    assert [agent.name for agent in root.walk()] == ["root", "a", "b", "c"]
    found = root.find_agent("b")
    assert found is not None and found.name == "b"
    assert root.find_agent("root") is root
    assert root.find_agent("nobody") is None
