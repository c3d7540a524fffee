"""Shows the agents' callbacks and guardrails what the conversation wants looked at (contract 5.10, 5.13)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from antiphon.agents.callbacks import Veto
from antiphon.core.commands import Failure, Growing, Passage, Review, Spoken, Typed, Whole
from antiphon.core.signals import Reviewed, Vetoed
from antiphon.errors import AntiphonError, CallbackFailed
from antiphon.events import EventActions, LlmResponse
from antiphon.models import LlmRequest
from antiphon.runtime.callbacks import taken
from antiphon.types import Content, Part
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.agents import Agent, BaseAgent, Troupe
    from antiphon.runtime.callbacks import Callbacks
    from antiphon.runtime.contexts import Contexts
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.tools import CallbackContext

__all__ = ["Reviewer", "as_read", "edited"]

_M = TypeVar("_M", bound=Model)


@dataclass(slots=True)
class _Round:
    """One round of callbacks, and what came of it so far."""

    review: Review
    actions: EventActions = field(default_factory=EventActions)
    contexts: list[CallbackContext] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)


class Reviewer:
    """Answers every `Review` with one `Reviewed`, to `report`.

    When an agent cannot begin because its callback failed, `fail` is told instead.
    """

    def __init__(
        self,
        troupe: Troupe,
        callbacks: Callbacks,
        contexts: Contexts,
        tasks: TaskOwner,
        report: Callable[[Reviewed], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._troupe = troupe
        self._callbacks = callbacks
        self._contexts = contexts
        self._tasks = tasks
        self._report = report
        self._fail = fail

    def start(self, review: Review) -> None:
        """Has it looked at, without waiting for it."""
        self._tasks.spawn(self._review(review), f"antiphon-review {review.id}")

    async def _review(self, review: Review) -> None:
        round_ = _Round(review)
        try:
            await self._look(round_)
            actions = taken(round_.actions)
        except CallbackFailed as failed:
            if isinstance(review.about, Passage):
                self._fail(failed)
                return
            why = str(failed)
            if isinstance(review.about, Growing):
                self._report(Reviewed(review.id, veto=Vetoed(why)))
            else:
                self._report(Reviewed(review.id, failed=why))
            return
        ends = any(context.end_invocation for context in round_.contexts)
        self._report(Reviewed(review.id, actions=actions, ends=ends, **round_.outcome))

    async def _look(self, round_: _Round) -> None:
        review = round_.review
        match review.about:
            case Passage():
                await self._pass(round_, review.about)
            case Typed(content, text):
                await self._typed(round_, content, text)
            case Spoken(text):
                said = Content(role="user", parts=[Part.from_text(text=text)])
                agent, context = self._called(round_)
                await self._ask(round_, agent, context, self._request(agent, said))
            case Growing(speaker, text):
                round_.outcome["veto"] = await self._guarded(round_, speaker, text)
            case Whole(event):
                agent, context = self._called(round_)
                shown = LlmResponse(
                    content=event.content,
                    output_transcription=event.output_transcription,
                    partial=False,
                    interrupted=event.interrupted,
                )
                read = await edited(
                    self._callbacks, "after_model_callback", agent.after_model_callback, context, shown
                )
                self._answer(round_, read)
            case Failure(code, message, error):
                agent, context = self._called(round_)
                given = await self._callbacks.first(
                    "on_model_error_callback",
                    agent.on_model_error_callback,
                    context,
                    self._request(agent),
                    error or AntiphonError(f"{code}: {message}"),
                )
                self._answer(round_, as_read(LlmResponse, given, "on_model_error_callback"))
            case _:
                assert_never(review.about)

    async def _pass(self, round_: _Round, passage: Passage) -> None:
        for name in passage.leaving:
            try:
                await self._agent(round_, name, "after_agent_callback")
            except CallbackFailed as failed:
                round_.outcome["failed"] = str(failed)
        for name in passage.entering:
            if await self._agent(round_, name, "before_agent_callback"):
                round_.outcome["refused_by"] = name
                return

    async def _agent(self, round_: _Round, name: str, kind: str) -> bool:
        """Calls the callbacks of an agent or a group; whether they answered."""
        agent: BaseAgent = self._troupe.agents[name]
        given = await self._callbacks.first(kind, getattr(agent, kind), self._context(round_, name))
        content = as_read(Content, given, kind)
        if content is not None:
            self._answer(round_, LlmResponse(content=content), name)
        return content is not None

    async def _typed(self, round_: _Round, content: Content, text: str) -> None:
        veto = await self._guarded(round_, "user", text)
        if veto is not None:
            round_.outcome["veto"] = veto
            return
        agent, context = self._called(round_)
        request = self._request(agent, content.model_copy(deep=True))
        if await self._ask(round_, agent, context, request) or request.contents == [content]:
            return
        parts = [part for each in request.contents for part in each.parts or []]
        if parts:
            round_.outcome["content"] = Content(role="user", parts=parts)
        else:
            round_.outcome["veto"] = Vetoed("A before_model_callback left nothing of it.")

    async def _ask(self, round_: _Round, agent: Agent, context: CallbackContext, request: LlmRequest) -> bool:
        """Whether callbacks answer in the model's place."""
        if self._troupe.speakers[agent.name].model.capabilities.calls_hooks:
            return False
        kind = "before_model_callback"
        given = await self._callbacks.first(kind, agent.before_model_callback, context, request)
        response = as_read(LlmResponse, given, kind)
        self._answer(round_, response)
        return response is not None

    async def _guarded(self, round_: _Round, speaker: str, text: str) -> Vetoed | None:
        agent, context = self._called(round_)
        if not text:
            return None
        for guardrail in agent.guardrails:
            try:
                veto = _veto(await self._callbacks.first("guardrails", [guardrail], context, speaker, text))
            except CallbackFailed as failed:  # what cannot be judged does not pass
                veto = Vetoed(str(failed))
            if veto is not None:
                return veto
        return None

    def _called(self, round_: _Round) -> tuple[Agent, CallbackContext]:
        agent = self._troupe.speakers[round_.review.agent].agent
        return agent, self._context(round_, agent.name)

    def _context(self, round_: _Round, agent: str) -> CallbackContext:
        context = self._contexts.for_callback(agent, round_.actions)
        round_.contexts.append(context)
        return context

    def _request(self, agent: Agent, *contents: Content) -> LlmRequest:
        return LlmRequest(model=self._troupe.speakers[agent.name].model.name, contents=list(contents))

    @staticmethod
    def _answer(round_: _Round, response: LlmResponse | None, author: str | None = None) -> None:
        if response is not None:
            said = (author or round_.review.agent, response)
            round_.outcome["answers"] = (*round_.outcome.get("answers", ()), said)


async def edited(
    callbacks: Callbacks,
    kind: str,
    called: Sequence[Callable[..., Any]],
    context: CallbackContext,
    response: LlmResponse,
) -> LlmResponse | None:
    """What the callbacks made of a response, by returning another or by changing it; `None` for nothing.

    What they are shown is a copy. Raises `CallbackFailed`.
    """
    shown = response.model_copy(deep=True)
    given = as_read(LlmResponse, await callbacks.first(kind, called, context, shown), kind)
    if given is not None:
        return given
    return shown if shown != response else None


def as_read(kind: type[_M], given: Any, field_name: str) -> _M | None:
    """What a callback returned, as what it is to be. Raises `CallbackFailed`."""
    if given is None or isinstance(given, kind):
        return given
    try:
        return kind.model_validate(given)
    except ValueError as error:
        raise CallbackFailed(
            f"A {field_name} returned {type(given).__name__}: return a {kind.__name__}, or None."
        ) from error


def _veto(given: Any) -> Vetoed | None:
    match given:
        case None | False | "":
            return None
        case True:
            return Vetoed("A guardrail vetoed it.")
        case str():
            return Vetoed(given)
        case Veto():
            return Vetoed(given.reason, given.reply)
    raise CallbackFailed(
        f"A guardrail returned {type(given).__name__}: return a Veto, a str, a bool or None."
    )
