"""`antiphon serve`: an agent for browsers and programs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from antiphon.cli.manual import paragraphs
from antiphon.errors import ConfigurationError, MissingExtra

if TYPE_CHECKING:
    from fastapi import FastAPI

    from antiphon.runtime import Runner
    from antiphon.server.access import Access
    from antiphon.server.limits import ServerLimits

__all__ = ["EPILOG", "HELP", "application", "serve"]

HELP: Final = paragraphs(
    """
    Serve an agent to browsers and programs: conversations over WebSockets, the rest over HTTP.

    APP may have an access (antiphon.server.access.Access), which says who may come in, and limits
    (antiphon.server.limits.ServerLimits). Without access everybody is believed: for this machine only.

    SIGTERM lets conversations end before the process does; Ctrl-C ends them.
    """
)
EPILOG: Final = (
    "[bold]Examples[/]\n\nantiphon serve agent.py\n\nantiphon serve my_package.agents:runner --port 9000\n\n"
    "antiphon serve agent.py --host 0.0.0.0 --allow-host agent.example.com --origin https://app.example.com\n\n"
    "Exit codes: 0 done; 1 the server failed; 2 usage or configuration; 130 interrupted. ANTIPHON_DEBUG=1 "
    "shows tracebacks."
)
HANDED_ON: Final = "ANTIPHON_SERVE"
"""The variable by which worker processes are told what to serve."""


def serve(
    app: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="A file or module with runner, root_agent or app in it, or either with :NAME.",
            show_default=False,
        ),
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes; more than one need sessions that they share.")
    ] = 1,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Pages of this origin may come, too; as often as needed.", metavar="ORIGIN"),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name of this server besides localhost; as often as needed.", metavar="NAME"),
    ] = None,
    access_log: Annotated[bool, typer.Option(help="Log each request; tokens are left out.")] = True,
) -> int:
    """Serves until it is told to end."""
    try:
        from antiphon.server import serving
    except ImportError as error:
        raise MissingExtra("antiphon serve needs an extra: pip install 'antiphon[server]'.") from error
    told = {"app": app, "origins": origin or [], "hosts": _names(host, allow_host or [])}
    runner, access, limits = _loaded(told)
    if workers > 1:
        _check_shared(runner)
    listening = serving.listen(host, port)
    print(f"{runner.app_name}: {serving.address_of(listening, host)} (Ctrl-C ends it)", flush=True)
    if (advice := access.advice(host)) is not None:
        print(f"antiphon serve: {advice}", file=sys.stderr)
    os.environ[HANDED_ON] = json.dumps(told)
    try:
        what = f"{__name__}:application" if workers > 1 else _made(runner, access, limits)
        serving.serve(what, listening, limits=limits, workers=workers, access_log=access_log)
    finally:
        listening.close()
        del os.environ[HANDED_ON]
    return 0


def application() -> FastAPI:
    """What a worker process serves."""
    return _made(*_loaded(json.loads(os.environ[HANDED_ON])))


def _loaded(told: dict[str, Any]) -> tuple[Runner, Access, ServerLimits]:
    from antiphon.cli.loading import load_setting, load_to_serve, runner_for
    from antiphon.server.access import Access
    from antiphon.server.limits import ServerLimits

    found, module = load_to_serve(told["app"])
    given = load_setting(module, "access", Access) or Access()
    access = Access(
        origins=given.origins.union(told["origins"]),
        hosts=given.hosts.union(told["hosts"]),
        authenticator=given.authenticator,
    )
    limits = load_setting(module, "limits", ServerLimits) or ServerLimits()
    return runner_for(found, model=None, instruction=None), access, limits


def _made(runner: Runner, access: Access, limits: ServerLimits) -> FastAPI:
    from antiphon.server.app import create_app

    return create_app(runner, limits=limits, access=access)


def _names(host: str, listed: list[str]) -> list[str]:
    """The server's names: also the one that it is bound to, unless that is an address."""
    return listed if ":" in host or not host else [*listed, host]


def _check_shared(runner: Runner) -> None:
    from antiphon.sessions import InMemorySessionService

    if isinstance(runner.session_service, InMemorySessionService):
        raise ConfigurationError(
            "Each worker would have sessions of its own: give APP a runner with a DatabaseSessionService, or "
            "leave --workers out."
        )
