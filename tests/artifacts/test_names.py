"""Any name is a file's name, and is read back."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.artifacts.names import LONGEST, file_name, name_of

NAMES = st.text(min_size=1, max_size=80) | st.sampled_from(["..", ".", "a/b", "CON", "a.", " ", "%41"])


@given(NAMES)
@example("nul.txt")
@example("~")
def test_a_name_is_read_back(name: str) -> None:
    written = file_name(name)
    told = name_of(written)
    assert told == name or (told is None and len(written) == LONGEST)


@given(NAMES)
def test_it_is_one_plain_component(name: str) -> None:
    # contract 8.7
    written = file_name(name)
    assert set(written) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.%~")
    assert written[0] != "."
    assert written[-1] != "."
    assert len(written) <= LONGEST


@pytest.mark.parametrize("name", ["con", "nul.txt", "aux.tar.gz", "com1", "lpt9.x"])
def test_no_name_is_a_device(name: str) -> None:
    assert file_name(name).startswith("%")


def test_names_that_some_file_systems_take_for_one_are_two() -> None:
    # contract 8.7: case, composed and decomposed letters, dots and spaces at the end
    for one, other in [("A", "a"), ("é", "e\u0301"), ("a", "a."), ("a", "a "), ("x" * 999, "x" * 998)]:
        assert file_name(one).lower() != file_name(other).lower()


def test_a_plain_name_stands_for_itself() -> None:
    assert file_name("report_1-b.wav") == "report_1-b.wav"


def test_what_is_too_long_begins_as_it_did() -> None:
    written = file_name("voice" * 100)
    assert written.startswith("voicevoice")
    assert name_of(written) is None
