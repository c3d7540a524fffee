"""What is said of a stream of text, and back to the text from what was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.models.local.sentences import Sentence, Sentences


def split(text: str, size: int = 3, *, longest: int = 300, opening: int | None = None) -> list[Sentence]:
    sentences = Sentences(longest=longest, opening=opening)
    found = [each for at in range(0, len(text), size) for each in sentences.add(text[at : at + size])]
    return found + sentences.end()


def said(text: str, **options: int) -> list[str]:
    return [each.said for each in split(text, **options)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Hello there.", "How are you?", "Fine!", "And you"],
        ["It is 3.5 degrees at 10:30.", "Version 2.0.1 is out."],
        ["Dr. Smith lives in St. Louis, e.g. in the U.S. of today.", "Yes."],
        ["J. Smith has it.", "See fig. 3 there."],
        ["Wait… what?", "Well... maybe.", "OK."],
        ["He said “stop.”", '"Really?"', "(It is.)", "So."],
        ["See example.org/a.b?c=d now.", "Bye."],
        ["Is it over?!", "Yes!!!"],
    ],
)
def test_sentences_end_where_they_end(expected: list[str]) -> None:
    for size in (1, 4, 1000):
        assert said(" ".join(expected), size=size) == expected


def test_scripts_without_spaces_have_sentences_too() -> None:
    assert said("你好世界。我很好。「真的。」是") == ["你好世界。", "我很好。", "「真的。」", "是"]


def test_lines_end_sentences_unless_they_go_on() -> None:
    assert said("One line\nthat goes on\nAnother\n\n\nand a last") == [
        *("One line that goes on", "Another", "and a last")
    ]


def test_what_is_whole_comes_with_the_piece_that_shows_it() -> None:
    sentences = Sentences(opening=None)
    assert sentences.add("It is 3.") == []
    assert sentences.add("5 degrees.") == []
    assert sentences.add(" ") == []
    assert [each.said for each in sentences.add("Now")] == ["It is 3.5 degrees."]
    assert [each.said for each in sentences.end()] == ["Now"]
    assert sentences.end() == []


def test_the_first_of_an_answer_may_be_a_clause() -> None:
    text = "Sure, I can help with that, let me look. Then, in a moment, more."
    assert said(text, opening=16) == [
        *("Sure, I can help with that,", "let me look.", "Then, in a moment, more.")
    ]
    assert said(text) == ["Sure, I can help with that, let me look.", "Then, in a moment, more."]


def test_what_is_not_said_is_not_the_first() -> None:
    found = said("🙂\nSure, I can help with that, yes.", opening=16)
    assert found == ["", "Sure, I can help with that,", "yes."]


def test_marks_of_markdown_are_not_said() -> None:
    text = (
        "# Title\n\n- first *item*\n- **second** item\n1. one\n2. two\n> quoted\n\n---\n"
        "See [the docs](https://example.org/a.b) or https://www.example.org/a_b. It is __good__ `code`.\n"
        "```python\nsnake_case = 2*3\n```\n|a|b|"
    )
    assert [each for each in said(text) if each] == [
        *("Title", "first item", "second item", "1. one", "2. two", "quoted"),
        *("See the docs or example.org/a_b.", "It is good code.", "snake_case = 2*3", "ab"),
    ]


def test_emoji_are_not_said_but_kept() -> None:
    found = split("Great 🎉 job! 🙂")
    assert [(each.said, each.written) for each in found] == [("Great job!", "Great 🎉 job! "), ("", "🙂")]


def test_what_is_too_long_ends_at_a_clause_or_a_space_or_the_bound() -> None:
    assert said("word word word, word word", longest=20) == ["word word word,", "word word"]
    assert said("word word word word word", longest=20) == ["word word word word", "word"]
    assert said("x" * 45, longest=20) == ["x" * 20, "x" * 20, "x" * 5]


def test_what_was_said_leads_back_to_what_is_written() -> None:
    [sentence] = split("  **Hello** 🙂 [there](https://a.b) you.")
    assert sentence.said == "Hello there you."
    assert sentence.written[: sentence.written_until(0)] == ""
    assert sentence.written[: sentence.written_until(6)] == "  **Hello** 🙂 ["
    assert sentence.written[: sentence.written_until(12)] == "  **Hello** 🙂 [there](https://a.b) "
    assert sentence.written_until(16) == sentence.written_until(99) == len(sentence.written)


SCRAPS = [
    "a",
    "B",
    " ",
    "\n",
    ".",
    "?",
    "…",
    ",",
    "3",
    "*",
    "_",
    "`",
    "#",
    "[",
    "](u)",
    "-",
    "🙂",
    "。",
    "Dr.",
    "\u200b",
]


@given(st.lists(st.sampled_from(SCRAPS), max_size=120).map("".join), st.integers(1, 40), st.integers(1, 30))
def test_whatever_is_streamed_what_is_written_is_the_stream(text: str, size: int, longest: int) -> None:
    found = split(text, size, longest=longest, opening=8)
    assert "".join(each.written for each in found) == text
    assert [each.start for each in found] == [
        sum(len(e.written) for e in found[:i]) for i in range(len(found))
    ]
    for each in found:
        assert 0 < len(each.written) <= longest + 1
        assert len(each.origins) == len(each.said)
        assert list(each.origins) == sorted(set(each.origins))
        assert "\n" not in each.said and each.said == each.said.strip()
        for character, origin in zip(each.said, each.origins, strict=True):
            assert character in (each.written[origin], " ")


@given(st.lists(st.sampled_from(SCRAPS), max_size=120).map("".join))
def test_how_the_stream_is_cut_changes_nothing(text: str) -> None:
    assert said(text, size=1) == said(text, size=7) == said(text, size=1000)
