"""What is overwritten is named."""

from __future__ import annotations

import pytest

from antiphon.errors import StaleSession
from antiphon.sessions import Session
from antiphon.sessions.conflicts import Conflict, Written, conflicts, settle


def session(**state: object) -> Session:
    return Session(id="s1", app_name="app", user_id="ann", state=state)


def test_keys_that_others_wrote_since_are_conflicts() -> None:  # contract 4.6
    written = {"a": Written(5, "theirs"), "b": Written(4, "seen"), "made": Written(6, None)}
    found = conflicts(session(), "app:", {"a": 1, "b": 1, "made": None, "new": 1}, 4, written)
    assert list(found) == [Conflict("app:a", "theirs"), Conflict("app:made", None)]


def test_setting_what_others_deleted_is_a_conflict_and_deleting_it_is_none() -> None:  # contract 4.6
    mine = session(**{"user:a": 1, "user:b": 1})
    assert list(conflicts(mine, "user:", {"a": 2, "b": None}, 4, {})) == [Conflict("user:a", None)]


def test_nothing_is_said_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    settle(session(), None, unless_stale=False)
    settle(session(), [], unless_stale=False)
    settle(session(), [], unless_stale=True)
    assert caplog.messages == []


def test_conflicts_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:  # contract 4.6
    settle(session(), [Conflict("a", "e1"), Conflict("app:b", None)], unless_stale=False)
    [told] = caplog.messages
    for name in ("session 's1' of user 'ann' in 'app'", "a (event e1), app:b (no event)"):
        assert name in told


def test_writer_that_asks_for_it_is_refused() -> None:  # contract 4.6
    with pytest.raises(StaleSession, match=r"a \(event e1\)"):
        settle(session(), [Conflict("a", "e1")], unless_stale=True)
    with pytest.raises(StaleSession, match="copy"):
        settle(session(), None, unless_stale=True)
