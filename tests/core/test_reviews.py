"""What is looked at, one thing at a time, and what waits in the line."""

from __future__ import annotations

from antiphon.core import drafts
from antiphon.core.commands import Emit, Growing, Passage, Whole
from antiphon.core.reviews import Circle, Reviews, Watch, is_said
from antiphon.core.signals import Reviewed
from antiphon.types import Content, FunctionResponse, Part, Transcription


def test_a_watch_has_one_look_at_a_time_and_none_without_news() -> None:
    watch = Watch()
    assert watch.look(1) is None
    watch.add("a", 0)
    assert watch.look(1) == "a"
    watch.add("b", 0)
    assert watch.look(2) is None
    assert watch.looked(9) is None
    assert watch.looked(1) == 0
    assert watch.look(3) == "ab"


def test_a_watch_starts_anew_with_a_turn_once_all_was_seen() -> None:
    watch = Watch()
    watch.add("a", 0)
    watch.look(1)
    watch.add("b", 1)
    watch.looked(1)
    assert watch.look(2) == "ab"
    watch.looked(2)
    watch.add("c", 2)
    assert watch.look(3) == "c"


def test_what_was_vetoed_is_not_looked_at_again() -> None:
    watch = Watch()
    watch.add("a", 0)
    assert watch.forget() == []
    assert watch.look(1) is None


def test_the_line_moves_from_its_head_only() -> None:
    reviews = Reviews()
    event = drafts.draft("agent")
    first, second = (reviews.put("agent", Whole(event), event) for _ in range(2))
    reviews.line.append(Emit(event))
    assert reviews.settled(Reviewed(second.id))
    assert not reviews.settled(Reviewed(second.id)), "once"
    assert reviews.passed() is None
    assert reviews.settled(Reviewed(first.id))
    assert [reviews.passed() is not None for _ in range(4)] == [True, True, True, False]


def test_growing_words_call_for_a_look() -> None:
    reviews = Reviews()
    [review] = reviews.grow("agent", "model", "a", 0)
    assert review.about == Growing("model", "a")
    assert reviews.grow("agent", "model", "b", 0) == []


def test_a_passage_leaves_from_within_and_enters_from_without() -> None:
    reviews = Reviews()
    outer, inner = (Circle(name, before=True, after=True) for name in ("outer", "inner"))
    plain = Circle("plain")
    assert reviews.passage([outer, inner, plain]) == Passage((), ("outer", "inner"))
    reviews.way.inside = [outer, inner, plain]
    assert reviews.passage([outer]) == Passage(("inner",), ())
    reviews.way.inside = [outer, inner]
    assert reviews.passage([]) == Passage(("inner", "outer"), ())


def test_only_words_of_the_model_and_the_end_of_its_turn_keep_their_order() -> None:
    words = Transcription(text="a", finished=True)
    answer = Part(function_response=FunctionResponse(id="c", name="n", response={}))
    assert is_said(drafts.draft("a", turn_complete=True))
    assert is_said(drafts.draft("a", output_transcription=words))
    assert is_said(drafts.text("a", "b", thought=False, partial=True))
    assert not is_said(drafts.draft("user", input_transcription=words))
    assert not is_said(drafts.audio("a", b"", "audio/pcm"))
    assert not is_said(drafts.content("a", "user", [answer]))
    assert not is_said(drafts.draft("user", content=Content(role="user", parts=[Part(text="x")])))
    assert not is_said(drafts.draft("a", interrupted=True))
