"""Sessions and artifacts over HTTP, each user's own; in the shapes of ADK's API server where it has any.

The routes go into any FastAPI application: `app.include_router(rest_router(runner, access))`. `Access` is
asked by every route itself, so nothing is open where its middleware is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from pydantic import ConfigDict, Field

from antiphon.errors import SessionExists, UsageError
from antiphon.events import Event, EventActions
from antiphon.server.bodies import BodyLimits, bounded_route
from antiphon.server.downloads import download
from antiphon.sessions import GetSessionConfig, ListEventsResponse, Session
from antiphon.state import APP_PREFIX, USER_PREFIX
from antiphon.types import Part
from antiphon.types.model import Model

if TYPE_CHECKING:
    from antiphon.artifacts import BaseArtifactService
    from antiphon.runtime import Runner
    from antiphon.server.access import Access

__all__ = [
    "NEXT_PAGE",
    "CreateSession",
    "Problem",
    "UpdateSession",
    "client_state",
    "known_app",
    "rest_router",
]

NEXT_PAGE: Final = "Next-Page-Token"
"""The header with the `page_token` of the next page; there is none on the last."""
MOST_LISTED: Final = 1_000
LONGEST_NAME: Final = 512
LONGEST_IN_JSON: Final = 8 * 1024 * 1024
"""Bytes of an artifact; writing more of them as base64 would hold up conversations."""

_USER: Final = "/apps/{app_name}/users/{user_id}"
_SESSION: Final = _USER + "/sessions/{session_id}"
_ARTIFACT: Final = _SESSION + "/artifacts/{artifact_name:path}"
_NO_STORE: Final = {"Cache-Control": "no-store"}


def _whose(
    app_name: str,
    user_id: str,
    session_id: str,
    artifact_name: Annotated[str, Path(description="`user:` names are the user's in all sessions.")],
) -> dict[str, str]:
    name = _checked_name(artifact_name)
    return {"app_name": app_name, "user_id": user_id, "session_id": session_id, "filename": name}


Whose = Annotated[dict[str, str], Depends(_whose)]


class Problem(Model):
    """What every refusal looks like."""

    detail: str
    """What was refused, and what to do instead."""


class CreateSession(Model):
    """A session to be made."""

    model_config = ConfigDict(defer_build=False)  # FastAPI warns of bodies that are not built

    session_id: str | None = Field(default=None, max_length=256)
    """Unique for the user; without it one is made."""
    state: dict[str, Any] = Field(default_factory=dict)
    """What it begins with; not `app:`."""


class UpdateSession(Model):
    """A change of a session's state without a run."""

    model_config = ConfigDict(defer_build=False)  # FastAPI warns of bodies that are not built

    state_delta: dict[str, Any]
    """Keys to be replaced, or deleted by `null`; not `app:`."""


def client_state(delta: dict[str, Any] | None) -> dict[str, Any]:
    """The state that a client may write: the user's and the session's, not the application's (contract 8.7).

    Raises:
        HTTPException: 403 where it names `app:` state; nothing was changed.
    """
    if refused := sorted(key for key in delta or {} if key.startswith(APP_PREFIX)):
        raise HTTPException(
            403, f"{APP_PREFIX} state is the application's to write: leave out {', '.join(refused[:5])}."
        )
    return delta or {}


def known_app(runner: Runner, app_name: str) -> None:
    """Raises `HTTPException` 404 for another application than the runner's."""
    if app_name != runner.app_name:
        raise HTTPException(404, "There is no such app here: GET /list-apps names the ones there are.")


def rest_router(runner: Runner, access: Access, *, bodies: BodyLimits | None = None) -> APIRouter:
    """The routes of a runner's sessions and artifacts.

    Args:
        runner: Whose services are asked.
        access: Who may come in; a user reaches what is the user's own.
        bodies: Bounds of what is sent.
    """

    async def admitted(request: Request, app_name: str, user_id: str) -> None:
        await access.identify(request.scope, user_id)
        known_app(runner, app_name)

    refusals: dict[int | str, dict[str, Any]] = {
        401: {"model": Problem, "description": "A token is needed, or was not accepted."},
        403: {"model": Problem, "description": "It is another's."},
        404: {"model": Problem, "description": "There is no such thing."},
        422: {"model": Problem, "description": "What was sent does not fit."},
    }
    router = APIRouter(
        route_class=bounded_route(bodies or BodyLimits()),
        dependencies=[Depends(admitted)],
        responses=refusals,
    )
    _add_sessions(router, runner)
    _add_artifacts(router, runner)
    outer = APIRouter()

    @outer.get("/list-apps", tags=["sessions"], summary="The applications of this server")
    async def list_apps(request: Request) -> list[str]:
        access.admit(request.scope)
        return [runner.app_name]

    outer.include_router(router)
    return outer


def _add_sessions(router: APIRouter, runner: Runner) -> None:
    service, app = runner.session_service, runner.app_name
    tags: list[Any] = ["sessions"]

    async def found(user_id: str, session_id: str, config: GetSessionConfig | None = None) -> Session:
        session = await service.get_session(
            app_name=app, user_id=user_id, session_id=session_id, config=config
        )
        if session is None:
            raise HTTPException(404, "There is no such session: POST one first.")
        return session

    async def made(user_id: str, wanted: CreateSession) -> Response:
        try:
            session = await service.create_session(
                app_name=app,
                user_id=user_id,
                state=client_state(wanted.state),
                session_id=wanted.session_id,
            )
        except SessionExists as error:
            raise HTTPException(409, "There is a session of this id: take another, or none.") from error
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        return _written(session)

    @router.get(_USER + "/sessions", tags=tags, summary="A user's sessions", response_model=list[Session])
    async def list_sessions(
        user_id: str,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = MOST_LISTED,
        page_token: str | None = None,
    ) -> Response:
        """With their state and without their events, the least recently updated first.

        Where there are more, the header `Next-Page-Token` has the `page_token` of the next page.
        """
        try:
            page = await service.list_sessions(
                app_name=app, user_id=user_id, limit=limit, page_token=page_token
            )
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        listed = ",".join(
            session.model_dump_json(by_alias=True, exclude_none=True) for session in page.sessions
        )
        more = {NEXT_PAGE: page.next_page_token} if page.next_page_token else {}
        return Response(f"[{listed}]", media_type="application/json", headers=_NO_STORE | more)

    @router.post(_USER + "/sessions", tags=tags, summary="Make a session", response_model=Session)
    async def create_session(
        user_id: str, wanted: Annotated[CreateSession | None, Body()] = None
    ) -> Response:
        """Answers 409 where the user has one of that id."""
        return await made(user_id, wanted or CreateSession())

    @router.post(_SESSION, tags=tags, summary="Make a session of this id", response_model=Session)
    async def create_session_with_id(
        user_id: str, session_id: str, state: Annotated[dict[str, Any] | None, Body()] = None
    ) -> Response:
        """The body is the state it begins with."""
        return await made(user_id, CreateSession(session_id=session_id, state=state or {}))

    @router.get(_SESSION, tags=tags, summary="A session with its events", response_model=Session)
    async def get_session(
        user_id: str,
        session_id: str,
        num_recent_events: Annotated[
            int | None, Query(ge=0, description="At most so many, the latest.")
        ] = None,
        after_timestamp: Annotated[float | None, Query(description="Seconds since the epoch.")] = None,
    ) -> Response:
        """All of it, unless less is asked for; `/events` gives long ones page by page."""
        config = GetSessionConfig(num_recent_events=num_recent_events, after_timestamp=after_timestamp)
        return _written(await found(user_id, session_id, config))

    @router.get(
        _SESSION + "/events", tags=tags, summary="Events page by page", response_model=ListEventsResponse
    )
    async def list_events(
        user_id: str,
        session_id: str,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
        page_token: str | None = None,
    ) -> Response:
        """The oldest first; `nextPageToken` is missing on the last page."""
        await found(user_id, session_id, GetSessionConfig(num_recent_events=0))
        try:
            page = await service.list_events(
                app_name=app, user_id=user_id, session_id=session_id, limit=limit, page_token=page_token
            )
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        return _written(page)

    @router.patch(_SESSION, tags=tags, summary="Change a session's state", response_model=Session)
    async def update_session(user_id: str, session_id: str, change: UpdateSession) -> Response:
        """The change lands as an event of the user, and no run begins."""
        delta = client_state(change.state_delta)
        session = await found(user_id, session_id)
        event = Event(invocation_id=f"p-{uuid4()}", author="user", actions=EventActions(state_delta=delta))
        try:
            await service.append_event(session, event)
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        return _written(session)

    @router.delete(_SESSION, tags=tags, summary="Delete a session", status_code=204)
    async def delete_session(user_id: str, session_id: str) -> None:
        """Its events and its artifacts, recordings among them; `user:` state and artifacts stay.

        No such session is no error.
        """
        await service.delete_session(app_name=app, user_id=user_id, session_id=session_id)
        if (artifacts := runner.artifact_service) is not None:
            whose = {"app_name": app, "user_id": user_id, "session_id": session_id}
            for name in await artifacts.list_artifact_keys(**whose):
                if not name.startswith(USER_PREFIX):
                    await artifacts.delete_artifact(**whose, filename=name)


def _add_artifacts(router: APIRouter, runner: Runner) -> None:
    tags: list[Any] = ["artifacts"]

    def service() -> BaseArtifactService:
        if runner.artifact_service is None:
            raise HTTPException(
                404, "This application keeps no artifacts: its Runner has no artifact_service."
            )
        return runner.artifact_service

    async def loaded(whose: dict[str, str], version: int | None) -> Part:
        try:
            part = await service().load_artifact(**whose, version=version)
        except UsageError as error:
            raise HTTPException(400, str(error)) from error
        if part is None:
            raise HTTPException(404, "There is no such artifact, or not this version of it.")
        return part

    @router.get(_SESSION + "/artifacts", tags=tags, summary="Names of the artifacts")
    async def list_artifacts(user_id: str, session_id: str) -> list[str]:
        """Those of the session, and those of the user, whose names begin with `user:`."""
        return await service().list_artifact_keys(
            app_name=runner.app_name, user_id=user_id, session_id=session_id
        )

    async def content(request: Request, whose: Whose, version: int | None = None) -> Response:
        """The bytes, with their type; `Range` gives a part of them, so recordings play from the middle."""
        return await download(await loaded(whose, version), whose["filename"], request.headers)

    async def described(whose: Whose, version: int | None = None) -> Response:
        """A `Part` as JSON, content in base64, up to 8 MiB of it; `/content` gives the bytes of any."""
        part = await loaded(whose, version)
        if part.inline_data is not None and len(part.inline_data.data or b"") > LONGEST_IN_JSON:
            raise HTTPException(413, "That is too much for JSON: add /content, which gives the bytes.")
        return _written(part)

    files: dict[int | str, dict[str, Any]] = {
        200: {"content": {"*/*": {}}, "description": "All of it."},
        206: {"content": {"*/*": {}}, "description": "The part that was asked for."},
        416: {"model": Problem, "description": "It has no such part."},
    }
    for path, what in (("/versions/{version:int}", "one version"), ("", "the latest version")):
        router.add_api_route(
            _ARTIFACT + path + "/content",
            content,
            tags=tags,
            summary=f"Download {what}",
            response_class=Response,
            responses=files,
        )
        router.add_api_route(
            _ARTIFACT + path + "/content", content, methods=["HEAD"], include_in_schema=False
        )
        if path:
            router.add_api_route(
                _ARTIFACT + path, described, tags=tags, summary=f"Read {what}", response_model=Part
            )

    @router.get(_ARTIFACT + "/versions", tags=tags, summary="Numbers of the versions")
    async def list_versions(whose: Whose) -> list[int]:
        """From 0, ascending; none for an unknown name."""
        return await service().list_versions(**whose)

    router.add_api_route(
        _ARTIFACT, described, tags=tags, summary="Read the latest version", response_model=Part
    )

    @router.delete(_ARTIFACT, tags=tags, summary="Delete an artifact", status_code=204)
    async def delete_artifact(whose: Whose) -> None:
        """All versions of it. No such artifact is no error."""
        await service().delete_artifact(**whose)


def _checked_name(name: str) -> str:
    """Refuses names that mean a place elsewhere to a file system; services know no such places anyway."""
    pieces = name.removeprefix(USER_PREFIX).split("/")
    if (
        any(piece.strip() in ("", ".", "..") for piece in pieces)
        or "\\" in name
        or not name.isprintable()
        or len(name) > LONGEST_NAME
    ):
        raise HTTPException(400, "That is no name of an artifact: take one that the list of artifacts has.")
    return name


def _written(document: Model) -> Response:
    """As the JSON of contract 3.1. Without being validated again, which costs more than writing it."""
    text = document.model_dump_json(by_alias=True, exclude_none=True)
    return Response(text, media_type="application/json", headers=_NO_STORE)
