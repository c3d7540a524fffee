"""What is likely to be said to an agent, told from its instruction and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon.models.local.ngrams import slots_of
from antiphon.models.local.vocabulary import MOST_PHRASES, MOST_WORDS, vocabulary_of, without_examples
from antiphon.tools import as_tool
from antiphon.tools.builtin import transfer_tool
from antiphon.types import FunctionDeclaration, Schema, Tool

if TYPE_CHECKING:
    from antiphon.models.local.recognizer import Vocabulary


def get_weather(city: str) -> str:
    """The weather right now.

    Args:
        city: The city's English name, e.g. Paris or Ouagadougou.
    """
    return city


def set_timer(minutes: int, label: str = "") -> str:
    """Rings when time is over, e.g. for boiling eggs."""
    return f"{minutes}{label}"


def told(*functions: Any) -> Vocabulary:
    return vocabulary_of("", [Tool(function_declarations=[as_tool(one).declaration() for one in functions])])


def declared(**properties: Any) -> Vocabulary:
    schema = {"type": "object", "properties": properties}
    declaration = FunctionDeclaration(name="play_music", parameters_json_schema=schema)
    return vocabulary_of("", [Tool(function_declarations=[declaration])])


def test_everyday_phrases_are_always_there() -> None:
    nothing = vocabulary_of()
    assert {"hello", "what can you do", "{ask} count to {number}"} <= set(nothing.phrases)
    assert {"paris", "new york"} <= set(dict(nothing.slots)["place"])


def test_all_slots_of_all_phrases_can_be_filled() -> None:
    vocabulary = told(get_weather, set_timer)
    assert {slot for phrase in vocabulary.phrases for slot in slots_of(phrase)} <= dict(
        vocabulary.slots
    ).keys()


def test_a_function_gives_questions_and_requests() -> None:
    vocabulary = told(get_weather, set_timer)
    assert {
        "what's the weather in {place}",
        "weather in {place}",
        "{ask} set a timer for {number} {unit}",
    } <= set(vocabulary.phrases)


def test_examples_in_descriptions_are_words_people_say() -> None:
    vocabulary = told(get_weather)
    assert "ouagadougou" in dict(vocabulary.slots)["get_weather_city"]


def test_enumerated_values_are_slots() -> None:
    vocabulary = declared(style={"type": "string", "enum": ["bossa nova", "punk"]})
    assert dict(vocabulary.slots)["play_music_style"] == ("bossa nova", "punk")
    assert "{ask} play music {play_music_style}" in vocabulary.phrases


def test_both_kinds_of_schema_say_the_same() -> None:
    declaration = FunctionDeclaration(
        name="play_music",
        parameters=Schema.model_validate(
            {"type": "OBJECT", "properties": {"style": {"type": "STRING", "enum": ["bossa nova", "punk"]}}}
        ),
    )
    typed = vocabulary_of("", [Tool(function_declarations=[declaration])])
    assert typed == declared(style={"type": "string", "enum": ["bossa nova", "punk"]})


def test_other_agents_are_asked_for_by_name_and_subject() -> None:
    tool = transfer_tool({"billing": "Invoices and refunds.", "front_desk": ""})
    vocabulary = vocabulary_of("", [Tool(function_declarations=[tool.declaration()])])
    slots = dict(vocabulary.slots)
    assert "{ask} transfer me to {agent}" in vocabulary.phrases
    assert {"billing", "the billing agent", "front desk"} <= set(slots["agent"])
    assert {"invoices", "invoice", "refund"} <= set(slots["topic"])


def test_an_instruction_gives_its_words_and_what_it_quotes() -> None:
    vocabulary = vocabulary_of('You sell "Sachertorte with cream" and strudel.')
    assert "sachertorte with cream" in vocabulary.phrases
    assert "strudel" in vocabulary.words


@pytest.mark.parametrize(
    "schema", [None, 5, [], {"properties": []}, {"properties": {"x": True, "y": {"items": 3}}}]
)
def test_strange_schemas_are_taken(schema: Any) -> None:
    declaration = FunctionDeclaration(name="f", parameters_json_schema=schema)
    assert vocabulary_of("", [Tool(function_declarations=[declaration])]).phrases


def test_it_is_bounded_and_always_the_same() -> None:
    declarations = [
        FunctionDeclaration(
            name=f"get_thing_{'abc'[n % 3] * (n + 1)}", description=f"{'xyz'[n % 3] * n} word"
        )
        for n in range(500)
    ]
    told = [Tool(function_declarations=declarations)]
    first, second = (vocabulary_of("w" + " w".join("x" * n for n in range(2000)), told) for _ in range(2))
    assert first == second
    everyday = vocabulary_of()
    assert len(first.phrases) <= MOST_PHRASES + len(everyday.phrases)
    assert len(first.words) <= MOST_WORDS + len(everyday.words)


def test_examples_can_be_left_out_of_a_description() -> None:
    assert without_examples("The city, e.g. Paris, or Rome; required").split() == [
        "The",
        "city,",
        ";",
        "required",
    ]
