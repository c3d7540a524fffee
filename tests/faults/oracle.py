"""What must hold of a conversation once it is over, whatever went wrong on the way."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.faults.talk import FINAL, numbers_of, words_of

if TYPE_CHECKING:
    from antiphon import Event
    from tests.faults.talk import Talk

__all__ = ["judge"]


async def judge(talk: Talk, texts: list[int]) -> None:
    """Raises `AssertionError` for whatever was lost, doubled, out of order or left open."""
    memory_is_whole(talk, texts)
    audio_is_in_order(talk)
    events_are_whole(talk.seen)
    await session_is_what_was_yielded(talk)


def memory_is_whole(talk: Talk, texts: list[int]) -> None:
    """The model knows each text and each result once, in order."""
    known = [int(number) for number in re.findall(r"u(\d+)-", talk.memory)]
    if talk.stalls:  # answers that nobody heard: it is asked again what it believes to have answered (7.6)
        known = list(dict.fromkeys(known))
    assert known == [*texts, FINAL], f"the model knows of {known}, it was told {texts}"
    for answer in (answer for event in talk.seen for answer in event.get_function_responses()):
        output = (answer.response or {}).get("output")
        if answer.name == "look" and output is not None:
            times = talk.memory.count(str(output))
            given_up = answer.id in interrupted_calls(talk.seen) and not talk.world.non_blocking
            assert times == 1 or (given_up and times == 0), f"the model knows {output} {times}×"
    doubled = [call for call, times in talk.calls.items() if times > 1]
    assert not doubled, f"tools ran twice: {doubled}"


def interrupted_calls(events: list[Event]) -> set[str | None]:
    """Calls that were open when the user cut in: a model that waits for them gives them up (wire 1.6)."""
    open_calls: set[str | None] = set()
    interrupted: set[str | None] = set()
    for event in events:
        open_calls |= {call.id for call in event.get_function_calls()}
        if event.interrupted:
            interrupted |= open_calls
        open_calls -= {answer.id for answer in event.get_function_responses()}
    return interrupted


def audio_is_in_order(talk: Talk) -> None:
    """The model's ears heard nothing twice and nothing out of order.

    Lost is only what was written to a socket that nobody read any more: in the moment in which it broke off,
    or while the network swallowed everything.
    """
    heard = [n for connection in talk.server.connections for n in numbers_of(connection.audio)]
    assert heard == sorted(set(heard)), f"audio heard {heard}"
    lost = [n for n in talk.sent_audio if n not in heard]
    unexplained = [n for n in lost if not nobody_listened(talk, talk.sent_audio[n])]
    assert not unexplained, f"audio lost: {unexplained} of {lost}"


def nobody_listened(talk: Talk, sent_at: float) -> bool:
    """Whether a chunk of that time was written to a dying socket: at once, or as soon as there was one."""
    for call in talk.server.calls.values():
        left_in_order = call.connection.close_reason in ("transfer", "going away")
        end = call.line.ended_at
        ready = next((m.time for m in call.connection.sent if "setupComplete" in m), None)
        if end is not None and ready is not None and not left_in_order:
            if sent_at <= end and end - 0.01 <= max(sent_at, ready) <= end:
                return True
    return any(begin <= sent_at <= end for begin, end in talk.stalls)


def events_are_whole(events: list[Event]) -> None:
    pieces: dict[str, str] = {}
    called: set[str | None] = set()
    answered: Counter[str | None] = Counter()
    said = closed = False
    for event in events:
        assert not closed, "an event after `closed`"
        closed = event.lifecycle is not None and event.lifecycle.kind == "closed"
        for call in event.get_function_calls():
            assert call.id not in called, "a call is shown once"
            called.add(call.id)
        for answer in event.get_function_responses():
            answered[answer.id] += 1
        for key, piece in (("in", event.input_transcription), ("out", event.output_transcription)):
            if piece is None:
                continue
            if event.partial:
                pieces[key] = pieces.get(key, "") + (piece.text or "")
            else:
                assert piece.text == pieces.pop(key), "a transcript is all of its pieces"
        if event.content and event.author != "user" and (words := words_of(event)):
            if event.partial:
                pieces["text"] = pieces.get("text", "") + words
            else:
                assert words == pieces.pop("text"), "merged text is all of its chunks"
        said = said or bool(event.content) or bool(event.output_transcription) or bool(event.interrupted)
        if event.turn_complete:
            assert event.content is None and not pieces.get("text") and not pieces.get("out")
            assert said, "a turn is complete once"
            said = False
    assert closed, "the last event says why it ended"
    assert not pieces, f"left open: {pieces}"
    assert called == set(answered) and all(times == 1 for times in answered.values()), "a call ends once"


async def session_is_what_was_yielded(talk: Talk) -> None:
    session = await talk.sessions.get_session(app_name="app", user_id="ann", session_id="s1")
    assert session is not None
    own = {
        e.id for e in session.events if e.author == "user" and e.content and not e.get_function_responses()
    }
    stored = [event.id for event in session.events if event.id not in own]
    yielded = [event.id for event in talk.seen if is_stored(event)]
    assert stored == yielded, "what is stored is what was yielded, in order"


def is_stored(event: Event) -> bool:
    parts = (event.content.parts or []) if event.content else []
    return not (
        event.partial
        or event.lifecycle
        or event.live_session_resumption_update
        or event.voice_activity
        or event.go_away
        or any(part.inline_data for part in parts)
    )
