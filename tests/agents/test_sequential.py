import pytest
from pydantic import ValidationError

from antiphon.agents import Agent, SequentialAgent


def test_a_sequence_has_steps() -> None:  # contract 5.9
    steps = [Agent(name="ask"), Agent(name="book")]
    sequence = SequentialAgent(name="trip", sub_agents=steps)
    assert list(sequence.sub_agents) == steps
    with pytest.raises(ValidationError, match="'trip' needs at least one agent"):
        SequentialAgent(name="trip")


def test_names_are_unique_in_a_sequence_too() -> None:
    with pytest.raises(ValidationError, match="Two agents are called 'ask'"):
        SequentialAgent(name="trip", sub_agents=[Agent(name="ask"), Agent(name="ask")])
