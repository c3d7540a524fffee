"""The demo in the browser: a server on this machine with the demo's agent, and its page.

Rule 1  One command, and one address to open. A port that is taken is no reason to fail: a free one is told.
Rule 2  The address is told when whoever opens it is answered at once: model and voice are loaded before.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.cli import conversations
from antiphon.cli.brains import GEMINI, local_model, reaches_gemini
from antiphon.cli.conversations import note
from antiphon.cli.exits import Exit
from antiphon.cli.samples import SUGGESTIONS, demo_agent
from antiphon.cli.screen import Look, Piece
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError
from antiphon.models.gemini import Gemini
from antiphon.runtime import InMemoryRunner
from antiphon.server import serving
from antiphon.server.app import create_app
from antiphon.server.limits import ServerLimits
from antiphon.types import SessionResumptionConfig

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from antiphon.cli.screen import Terminal
    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel

__all__ = ["Visit", "chosen_model", "has_browser", "listen_somewhere", "serve_page"]

RECORDED: Final = RunConfig(record_conversation=True, session_resumption=SessionResumptionConfig())
LIMITS: Final = ServerLimits(drain_seconds=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """What was asked for. `llm` and `model` are as in `antiphon talk`."""

    host: str = "127.0.0.1"
    port: int = 8000
    opens: bool = True
    llm: str | None = None
    model: str | None = None


def serve_page(visit: Visit, shown: Terminal, *, browse: Callable[[str], object] = webbrowser.open) -> Exit:
    """Serves until Ctrl-C or SIGTERM. Raises `ConfigurationError` where it cannot listen."""
    with listen_somewhere(visit.host, visit.port) as listening:
        model, intro = chosen_model(visit, os.environ)
        runner = InMemoryRunner(demo_agent(model), app_name="demo")
        note(shown, intro)
        asyncio.run(conversations.prepared(runner, shown))
        app = create_app(runner, run_config=RECORDED, limits=LIMITS, suggestions=SUGGESTIONS)
        if visit.port not in (0, listening.getsockname()[1]):
            note(shown, f"Port {visit.port} is taken, so it is another.")
        address = f"{serving.address_of(listening, visit.host)}/"
        shown.write([Piece(f"\nTalk here: {address}\n", Look.WORDS)])
        note(shown, "Ctrl-C ends it.")
        sys.stdout.flush()
        if visit.opens and has_browser(os.environ, sys.platform):
            browse(address)
        serving.serve(app, listening, limits=LIMITS, access_log=False, log_level="warning")
    return Exit.OK


def chosen_model(visit: Visit, environ: Mapping[str, str]) -> tuple[LiveModel | ChatModel, str]:
    """The model that talks, and a line that says which: the one that was named; else Gemini where a key or an
    address for it is set; else the local voice. Asks servers."""
    wanted = visit.model if visit.llm is None else "local"
    if wanted is None and reaches_gemini(environ):
        wanted = GEMINI
    if wanted in (None, "local"):
        return local_model(visit.llm, visit.model if visit.llm else None, aloud=True)
    return Gemini(wanted), f"{wanted} answers. With --model local all stays on this machine."


def listen_somewhere(host: str, port: int) -> socket.socket:
    """Listens at the port, or at a free one where it is taken.

    Raises:
        ConfigurationError: the host is not of this machine, or the port is not for everybody.
    """
    try:
        return serving.listen(host, port)
    except ConfigurationError as refused:
        if not isinstance(refused.__cause__, OSError) or refused.__cause__.errno != errno.EADDRINUSE:
            raise
    return serving.listen(host, 0)


def has_browser(environ: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be opened here: not where there is only a terminal, maybe of another machine."""
    if platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in environ
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
