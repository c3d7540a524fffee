from __future__ import annotations

import sys

import docstring_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.tools.docstring import Described, read_docstring

PARAMETERS = {"city": "The city, such as Bern: the capital.", "days": "How many days ahead."}

GOOGLE = """Looks up the weather.

    Use it whenever somebody asks.

    Args:
        city: The city, such as
            Bern: the capital.
        days (int, optional): How many days ahead.

    Returns:
        A dict with the temperature.

    Raises:
        ValueError: never mind.
    """
NUMPY = """Looks up the weather.

    Use it whenever somebody asks.

    Parameters
    ----------
    city : str
        The city, such as
        Bern: the capital.
    days : int, optional
        How many days ahead.

    Returns
    -------
    dict
        A dict with the temperature.
    """
REST = """Looks up the weather.

    Use it whenever somebody asks.

    :param city: The city, such as
        Bern: the capital.
    :param int days: How many days ahead.
    :returns: A dict with the temperature.
    :raises ValueError: never mind.
    """


@pytest.mark.parametrize("doc", [GOOGLE, NUMPY, REST], ids=["Google", "numpy", "reST"])
def test_summary_and_parameters_are_read_in_any_style(doc: str) -> None:  # contract 5.1
    text = "Looks up the weather.\n\nUse it whenever somebody asks.\n\nReturns: A dict with the temperature."
    assert read_docstring(doc) == Described(text, PARAMETERS)


def test_what_a_stream_yields_is_told() -> None:
    assert (
        read_docstring("Counts.\n\nYields:\n    The next number.").text
        == "Counts.\n\nYields: The next number."
    )


def test_examples_are_told() -> None:
    doc = "Adds.\n\nExample:\n    add(1, 2)\n\nArgs:\n    a: A number."
    assert read_docstring(doc) == Described("Adds.\n\nExample:\nadd(1, 2)", {"a": "A number."})


@pytest.mark.parametrize("doc", [None, "", "  \n "])
def test_no_docstring_says_nothing(doc: str | None) -> None:
    assert read_docstring(doc) == Described("", {})


@pytest.mark.parametrize(
    "doc",
    [
        "Adds: two numbers.",
        "Adds.\n\nNot a section: just a colon.",
        "Adds.\n\n:param: nameless",
        "Adds.\n\n\nCode:\n    x = 1",
    ],
)
def test_what_is_in_no_style_stays_as_it_is(doc: str) -> None:
    assert read_docstring(doc) == Described(doc, {})


def test_a_docstring_without_sections_costs_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docstring_parser", None)
    assert read_docstring("Adds.\n\nTwo numbers, to be exact.").text == "Adds.\n\nTwo numbers, to be exact."


def test_a_docstring_that_cannot_be_read_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(doc: str) -> None:
        raise docstring_parser.ParseError(doc)

    monkeypatch.setattr(docstring_parser, "parse", parse)
    assert read_docstring(GOOGLE).text.startswith("Looks up the weather.\n\nUse it")


@given(st.lists(st.sampled_from([*"aA: \n\t-*()@.", "Args:", "    ", ":param", "Returns\n-----", "Yields:"])))
def test_no_docstring_is_an_error(pieces: list[str]) -> None:
    assert isinstance(read_docstring("".join(pieces)), Described)
