"""Where the conversation's events go: stamped, to the application, and those to be stored to the session."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from antiphon.config import StreamingMode
from antiphon.core import drafts
from antiphon.errors import ConsumerTooSlow
from antiphon.events import Event, new_id
from antiphon.runtime.channel import EventChannel
from antiphon.runtime.storage import SessionWriter
from antiphon.runtime.tally import Tally
from antiphon.runtime.taps import EventTap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from antiphon.agents import InvocationContext
    from antiphon.core.commands import Speak
    from antiphon.errors import StoreFailed
    from antiphon.runtime.metrics import Metrics
    from antiphon.runtime.taps import Tap
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.sessions import BaseSessionService, Session

__all__ = ["Outlet"]


_spoken = Event.form("id", "invocation_id", "timestamp", "author", "content", "custom_metadata")
_now = time.time


class Outlet:
    """The events of one conversation on their way out, in order.

    `fail` is called when the session service does not take them, or the application does not read them.
    `agent` names the agent that speaks now; a `tap` takes the events, where they are not read from `channel`.
    Lifecycle facts are counted, and left out when the application does not want them (contract 3.11).
    """

    def __init__(
        self,
        invocation: InvocationContext,
        sessions: BaseSessionService,
        tasks: TaskOwner,
        fail: Callable[[Exception], None],
        agent: Callable[[], str],
        metrics: Metrics,
        tap: Tap | None = None,
    ) -> None:
        config = invocation.run_config
        self._metrics = metrics
        self._tally = Tally(metrics)
        self._tells_facts = config.lifecycle_events
        self._whole_only = config.streaming_mode is StreamingMode.NONE
        self._invocation_id = invocation.invocation_id
        self._metadata = config.custom_metadata
        self._capacity = config.event_buffer
        self._fail = fail
        self._agent = agent
        self._writer = SessionWriter(sessions, invocation.session, tasks, fail)
        notice = self._overloaded if self._tells_facts else None
        tapped = None if tap is None else EventTap(tap)
        self.channel = tapped or EventChannel(config.event_buffer, notice)
        self._take_speech = None if tapped is None else tapped.take_speech

    @property
    def session(self) -> Session:
        """The session with all that is on its way there, to be read."""
        return self._writer.session

    def open(self) -> None:
        """The conversation begins."""
        self._metrics.begun()

    def close(self) -> None:
        """Nothing is yielded any more; what is stored may still follow. To be called once."""
        self.channel.close()
        self._metrics.ended(self.channel.shed)

    def emit(self, event: Event, *, stored: bool) -> None:
        """Yields the event to the application; `stored` ones go to the session as well."""
        if event.lifecycle is not None:
            self._tally.happened(event.author, event.lifecycle, failed=self.channel.failed)
            if not self._tells_facts:
                event.lifecycle = None
                if event.go_away is None:
                    return
        if event.partial and self._whole_only:
            return
        self._stamp(event)
        if stored:
            self._writer.add(event)
            self._tally.told(event)
        elif event.content is not None or event.output_transcription is not None:
            self._tally.heard()
        self._put(event)

    def speak(self, said: Speak) -> None:
        """Yields a chunk of speech: an event, unless whoever listens takes it as it is."""
        self._tally.heard()
        if self._take_speech is not None and self._take_speech(said.data, said.mime_type):
            return
        event = _spoken(
            id=new_id(),
            invocation_id=self._invocation_id,
            timestamp=_now(),
            author=said.author,
            content=drafts.speech(said.data, said.mime_type),
            custom_metadata=self._metadata and dict(self._metadata),
        )
        self._put(event)

    def store(self, event: Event) -> None:
        """Puts the event into the session without yielding it."""
        self._stamp(event)
        self._writer.add(event)

    def flush(self) -> Awaitable[None]:
        """Returns when everything is stored, or the store has refused it."""
        return self._writer.flush()

    def stored(self) -> Awaitable[None]:
        """Returns when everything so far is stored (contract 4.7). Raises `StoreFailed`."""
        return self._writer.barrier()

    def lost(self) -> StoreFailed | None:
        """What to raise for events that did not get into the session, if there are any (contract 4.1)."""
        return self._writer.lost()

    def _put(self, event: Event) -> None:
        if not self.channel.put(event):
            self._fail(
                ConsumerTooSlow(
                    f"{self._capacity} events that must not be lost wait for the application. Read "
                    "run_live() without blocking in between, or raise RunConfig.event_buffer."
                )
            )

    def _stamp(self, event: Event) -> None:
        event.set_trusted(
            id=new_id(),
            invocation_id=self._invocation_id,
            timestamp=_now(),
            custom_metadata=self._metadata and dict(self._metadata),
        )

    def _overloaded(self) -> Event:
        reason = "the application reads its events too slowly"
        event = drafts.lifecycle(self._agent(), "overloaded", reason=reason, count=1)
        assert event.lifecycle is not None
        self._tally.happened(event.author, event.lifecycle)
        self._stamp(event)
        return event
