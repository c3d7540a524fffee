"""The connections to the model, one after the other."""

from __future__ import annotations

import pytest

from antiphon.config import Retry
from antiphon.core.commands import Ask, Begin, Dial, HangUp
from antiphon.core.links import HANG_UP_TIMEOUT, MARGIN, Links, Phase, Verdict
from antiphon.errors import (
    ConnectionLost,
    InvalidSetup,
    ModelConnectionError,
    ResumptionRefused,
    SetupTimeout,
)
from antiphon.types import Part

RETRY = Retry(attempts=3, first_delay=1.0, resume_attempts=2, idle_resume_delay=5.0)
CABLE = ConnectionLost("the cable")


def links(phase: Phase = Phase.WAITING, *, handle: str | None = None, retry: Retry = RETRY) -> Links:
    """Links whose first has come as far as this phase, at 0 s."""
    made = Links(retry, 10.0, handle, lambda: 0.0)
    if phase is not Phase.WAITING:
        made.dial("agent", 0.0)
    if phase in (Phase.SETTING_UP, Phase.LIVE):
        made.begin("agent", 0.0, Ask.NOTHING, ())
    if phase is Phase.LIVE:
        made.ready(1)
    assert made.phase is phase
    return made


def leaving() -> Links:
    """Links that close the first, with a spare in hand."""
    made = links(Phase.LIVE, handle="h")
    made.going_away(60.0, "agent", 0.0)
    made.dialled(2)
    made.switch(0.0)
    return made


# Opening.


def test_a_link_is_dialled_begun_and_ready_in_that_order() -> None:
    opened = links()
    assert opened.deadline() is None
    assert opened.dial("agent", 5.0) == [Dial(1, "agent")]
    assert opened.deadline() == 15.0
    assert opened.dialled(1)
    assert opened.begin("agent", 6.0, Ask.UNANSWERED, ()) == [
        Begin(1, "agent", seed=True, ask=Ask.UNANSWERED)
    ]
    assert opened.deadline() == 16.0
    assert not opened.dialled(1), "it is dialled once"
    assert opened.ready(1)
    assert opened.live
    assert opened.deadline() is None
    assert not opened.ready(1), "it is ready once"


@pytest.mark.parametrize("link", [0, 2, -1])
def test_other_links_open_nothing(link: int) -> None:
    assert not links(Phase.DIALLING).dialled(link)
    assert not links(Phase.SETTING_UP).ready(link)


def test_a_model_that_was_not_asked_cannot_be_ready() -> None:
    assert not links(Phase.DIALLING).ready(1)


@pytest.mark.parametrize("ask", Ask)
def test_with_a_handle_the_old_session_goes_on(ask: Ask) -> None:
    # contract 4.4, 7.1
    resumed = links(Phase.DIALLING, handle="h")
    part = Part(text="waits")
    assert resumed.begin("agent", 0.0, ask, (part,)) == [Begin(1, "agent", "h", ask=ask, held=(part,))]
    assert resumed.resumed
    assert resumed.session == 0


def test_with_a_handle_of_a_moment_a_session_goes_on_that_is_told_what_came_later() -> None:
    # contract 7.6
    resumed = links(Phase.LIVE)
    resumed.handle_update("h", resumable=True, stored=7)
    resumed.lost(1, CABLE, 0.0, idle=False)
    resumed.dial("agent", 1.0)
    resumed.dialled(2)
    begun = resumed.begin("agent", 1.0, Ask.NOTHING, (), snapshot=True)
    assert begun == [Begin(2, "agent", "h", since=7)]
    assert (resumed.resumed, resumed.session, resumed.known.told) == (True, 1, 2)


def test_without_one_a_fresh_session_is_told_what_is_stored() -> None:
    # contract 4.4
    fresh = links(Phase.SETTING_UP)
    assert (fresh.resumed, fresh.session, fresh.known.seeded) == (False, 1, 1)


# Losing.


@pytest.mark.parametrize("phase", [Phase.DIALLING, Phase.SETTING_UP, Phase.LIVE])
def test_a_loss_that_may_pass_is_retried_after_a_while(phase: Phase) -> None:
    # contract 7.1
    lost = links(phase)
    assert lost.lost(1, CABLE, 100.0, idle=True) is Verdict.RETRY
    assert (lost.phase, lost.current, lost.attempt) == (Phase.WAITING, None, 1)
    assert lost.deadline() == 101.0
    assert not lost.should_dial(100.9)
    assert lost.should_dial(101.0)
    assert lost.again is (phase is Phase.LIVE), "what was never there does not come back"


def test_what_cannot_pass_is_raised() -> None:
    # contract 7.4
    refused = links(Phase.LIVE)
    assert refused.lost(1, InvalidSetup("no"), 0.0, idle=True) is Verdict.FAILED
    assert refused.deadline() is None
    assert not refused.should_dial(1e9)


def test_retries_end_when_they_are_used_up() -> None:
    # contract 7.1
    lost = links(Phase.LIVE)
    for number in range(1, 4):
        assert lost.lost(number, CABLE, 0.0, idle=True) is Verdict.RETRY
        lost.dial("agent", 0.0)
    assert lost.lost(4, CABLE, 0.0, idle=True) is Verdict.FAILED


def test_a_session_the_model_ends_in_good_order_has_ended() -> None:
    # contract 1.5
    ended = links(Phase.LIVE)
    assert ended.lost(1, None, 0.0, idle=True) is Verdict.ENDED
    assert (ended.current, ended.phase, ended.deadline()) == (None, Phase.OVER, None)


@pytest.mark.parametrize("link", [0, 2])
def test_the_loss_of_another_link_changes_nothing(link: int) -> None:
    live = links(Phase.LIVE)
    assert live.lost(link, CABLE, 0.0, idle=True) is Verdict.STALE
    assert live.live


@pytest.mark.parametrize(("idle", "handle", "wait"), [(True, "h", 5.0), (False, "h", 1.0), (True, None, 1.0)])
def test_an_idle_session_is_not_resumed_at_once(idle: bool, handle: str | None, wait: float) -> None:
    # contract 7.1
    lost = links(Phase.LIVE, handle=handle)
    lost.lost(1, CABLE, 0.0, idle=idle)
    assert lost.deadline() == wait


# Handles.


def test_the_newest_good_handle_is_kept() -> None:
    # contract 7.1
    kept = links(Phase.LIVE)
    assert kept.handle_update("a", resumable=True, stored=7)
    assert not kept.handle_update("b", resumable=False, stored=9)
    assert not kept.handle_update("", resumable=True, stored=9)
    assert not kept.handle_update(None, resumable=True, stored=9)
    assert (kept.handle, kept.known.stored_before) == ("a", 7)


def test_a_refused_handle_gives_way_to_a_fresh_session() -> None:
    # contract 7.1
    refused = links(Phase.SETTING_UP, handle="h")
    assert refused.lost(1, ResumptionRefused("unknown"), 0.0, idle=True) is Verdict.RETRY
    assert refused.handle is None
    assert refused.deadline() == 1.0, "there is nothing to resume, so no need to wait for it"


def test_a_handle_that_keeps_failing_gives_way_to_a_fresh_session() -> None:
    # contract 7.1
    failing = links(Phase.SETTING_UP, handle="h")
    failing.lost(1, CABLE, 0.0, idle=False)
    assert failing.handle == "h"
    failing.dial("agent", 0.0)
    failing.lost(2, CABLE, 0.0, idle=False)
    assert failing.handle == "h", "a socket that does not open says nothing of the handle"
    failing.dial("agent", 0.0)
    failing.begin("agent", 0.0, Ask.NOTHING, ())
    failing.lost(3, CABLE, 0.0, idle=False)
    assert failing.handle is None


@pytest.mark.parametrize("by", ["a session that is up", "a hand-over"])
def test_failures_of_handles_are_counted_anew_after(by: str) -> None:
    # contract 7.1
    failing = links(Phase.SETTING_UP, handle="h")
    failing.lost(1, CABLE, 0.0, idle=False)
    failing.dial("agent", 0.0)
    failing.begin("agent", 0.0, Ask.NOTHING, ())
    if by == "a hand-over":
        failing.leave()
        failing.dial("agent", 0.0)
        failing.handle = "i"
        failing.begin("agent", 0.0, Ask.NOTHING, ())
    else:
        failing.ready(2)
        failing.lost(2, CABLE, 0.0, idle=False)
        failing.dial("agent", 0.0)
        failing.begin("agent", 0.0, Ask.NOTHING, ())
    failing.lost(3, CABLE, 0.0, idle=False)
    assert failing.handle is not None


def test_another_agent_gets_a_fresh_session_of_its_own() -> None:
    # contract 7.5
    moved = links(Phase.LIVE, handle="h")
    assert moved.leave() == [HangUp(1, reason="transfer")]
    assert moved.dial("other", 0.0) == [Dial(2, "other")]
    assert moved.handle is None
    assert not moved.again
    assert moved.begin("other", 0.0, Ask.LAST, ()) == [Begin(2, "other", seed=True, ask=Ask.LAST)]


# A model that goes away.


def test_a_replacement_is_dialled_on_notice() -> None:
    # contract 7.2
    warned = links(Phase.LIVE)
    assert warned.going_away(60.0, "agent", 100.0) == [Dial(2, "agent")]
    assert warned.going_away(50.0, "agent", 101.0) == [], "one is enough"
    assert warned.deadline() == 160.0 - MARGIN
    assert not warned.may_switch()
    assert not warned.dialled(2), "it is kept, not begun"
    assert warned.may_switch()
    assert not warned.must_leave(156.9)
    assert warned.must_leave(157.0)


def test_on_short_notice_half_the_time_is_used() -> None:
    # contract 7.2
    warned = links(Phase.LIVE)
    warned.going_away(4.0, "agent", 0.0)
    assert warned.deadline() == 2.0


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.DIALLING, Phase.SETTING_UP])
def test_a_link_that_is_not_live_needs_no_replacement(phase: Phase) -> None:
    assert links(phase).going_away(60.0, "agent", 0.0) == []


def test_the_old_link_is_closed_before_the_new_one_begins() -> None:
    # contract 7.2
    switching = leaving()
    assert switching.phase is Phase.LEAVING
    assert not switching.live
    assert switching.deadline() == HANG_UP_TIMEOUT
    assert not switching.left(HANG_UP_TIMEOUT - 0.1)
    assert switching.left(HANG_UP_TIMEOUT)
    assert switching.lost(1, None, 1.0, idle=True) is Verdict.SWITCH
    assert switching.take_over(1.0), "it can begin at once"
    assert (switching.current, switching.phase, switching.again) == (2, Phase.DIALLING, True)
    assert switching.deadline() == 11.0


def test_the_old_link_is_hung_up_on() -> None:
    warned = links(Phase.LIVE)
    warned.going_away(60.0, "agent", 0.0)
    assert warned.switch(0.0) == [HangUp(1, reason="going away")]


def test_a_replacement_still_being_dialled_is_taken_all_the_same() -> None:
    # contract 7.2: no socket is forgotten, none is opened twice
    warned = links(Phase.LIVE)
    warned.going_away(60.0, "agent", 0.0)
    assert warned.lost(1, CABLE, 5.0, idle=True) is Verdict.SWITCH
    assert not warned.take_over(5.0)
    assert warned.deadline() == 15.0
    assert warned.dialled(2), "it is to begin when it is open"


@pytest.mark.parametrize("error", [None, CABLE])
def test_a_replacement_that_was_lost_is_dialled_anew_in_the_end(error: ModelConnectionError | None) -> None:
    # contract 7.2
    warned = links(Phase.LIVE)
    warned.going_away(60.0, "agent", 0.0)
    warned.dialled(2)
    assert warned.lost(2, CABLE, 1.0, idle=True) is Verdict.STALE
    assert warned.live
    assert not warned.may_switch()
    assert warned.lost(1, error, 57.0, idle=True) is Verdict.RETRY, "the end was announced, so it is no end"


# Time.


@pytest.mark.parametrize(("phase", "step"), [(Phase.DIALLING, "accept"), (Phase.SETTING_UP, "confirm")])
def test_a_link_that_takes_too_long_to_open_is_overdue(phase: Phase, step: str) -> None:
    # contract 7.1
    slow = links(phase)
    assert slow.overdue(9.9) is None
    late = slow.overdue(10.0)
    assert isinstance(late, SetupTimeout)
    assert late.retryable
    assert step in str(late)
    assert "connect_timeout" in str(late)


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.LIVE])
def test_other_links_are_never_overdue(phase: Phase) -> None:
    other = links(phase)
    assert other.overdue(1e9) is None
    assert not other.should_dial(1e9)
    assert not other.left(1e9)
    assert not other.must_leave(1e9)


def test_a_closing_link_is_not_overdue_as_one_that_opens() -> None:
    assert leaving().overdue(1e9) is None


# Leaving.


def test_every_link_there_is_is_closed_once() -> None:
    # contract 1.6
    assert links().hang_up() == []
    both = leaving()
    assert both.hang_up("bye") == [HangUp(1, reason="bye"), HangUp(2, reason="bye")]
    assert both.hang_up() == []
    assert both.deadline() is None
