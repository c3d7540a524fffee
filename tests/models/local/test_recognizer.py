"""What recognisers share."""

from __future__ import annotations

from antiphon.models.local.recognizer import Vocabulary, names_in


def test_as_many_names_as_fit_each_once() -> None:
    vocabulary = Vocabulary(words=("ada", "bob"), slots=(("city", ("", "ada", "rome", "paris")),))
    assert names_in(vocabulary, 100) == ["ada", "bob", "rome", "paris"]
    assert names_in(vocabulary, 12) == ["ada", "bob"]
    assert names_in(Vocabulary(), 100) == []
