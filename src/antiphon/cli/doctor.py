"""What works on this machine, and what to set. Secrets are never told, only whether they are there."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from antiphon.compilation import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.table import Table

    from antiphon.cli.selftest import Trial

__all__ = ["Check", "Mark", "as_json", "environment", "extras", "programs", "table", "trials"]

_EXTRA: Final = re.compile(r"extra\s*==\s*[\"']([\w.-]+)[\"']")
_NAME: Final = re.compile(r"[\w.-]+")
_NOT_FOR_USERS: Final = frozenset({"all", "dev"})
_FOR: Final = {
    "database": "sessions in SQLite or PostgreSQL",
    "server": "serving agents to browsers",
    "speed": "a faster event loop",
    "testing": "this self-test, and tests of your own",
    "voice": "the model that listens and speaks on this machine, and the demo by voice",
    "microphone": "talking by microphone",
    "vertex": "Gemini on Vertex AI",
}


class Mark(StrEnum):
    """How a check came out."""

    OK = "ok"
    ABSENT = "absent"
    """Not there, and only needed for what the check is about."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    name: str
    mark: Mark
    found: str
    advice: str = ""


def programs() -> list[Check]:
    """Python, Antiphon, and the libraries that make it fast."""
    version, fit = platform.python_version(), sys.version_info >= (3, 11)
    return [
        Check(
            "Python", Mark.OK if fit else Mark.FAILED, version, "" if fit else "Install Python 3.11 or newer."
        ),
        Check("antiphon", Mark.OK, f"{metadata.version('antiphon')}, {build()}"),
        _library("picows", "pip install picows", "the WebSocket engine"),
        _library("uvloop", "pip install 'antiphon[speed]'", "a faster event loop"),
    ]


def extras(requires: Iterable[str] | None = None) -> list[Check]:
    """One check for each extra of the package. `requires`: requirements as in its metadata."""
    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("antiphon") or [] if requires is None else requires:
        found = _EXTRA.search(requirement)
        name = _NAME.match(requirement)
        if found and name and found[1] not in _NOT_FOR_USERS:
            wanted.setdefault(found[1], []).append(name[0])
    return [_extra(extra, names) for extra, names in sorted(wanted.items())]


def environment(environ: Mapping[str, str]) -> list[Check]:
    """Keys, Vertex AI, addresses and proxies."""
    key = next((name for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY") if environ.get(name)), None)
    checks = [
        Check("Gemini key", Mark.OK, f"{key} is set")
        if key
        else Check(
            "Gemini key", Mark.ABSENT, "not set", "Set GOOGLE_API_KEY to talk to Gemini; the demo needs none."
        )
    ]
    checks.append(_vertex(environ))
    checks += [
        Check(name, Mark.OK, _without_secrets(value))
        for name in ("GOOGLE_GEMINI_BASE_URL", "SSL_CERT_FILE")
        if (value := environ.get(name))
    ]
    names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
    proxies = [
        f"{name}={_without_secrets(value)}"
        for name in names
        if (value := environ.get(name) or environ.get(name.lower()))
    ]
    checks.append(Check("Proxies", Mark.OK, ", ".join(proxies) or "none; connections are direct"))
    return checks


def trials(held: Iterable[Trial]) -> list[Check]:
    """The conversations of the self-test."""
    checks = []
    for trial in held:
        name = f"Self-test, {trial.name}"
        if trial.ok:
            times = f"connected in {trial.connected:.0f} ms, answered in {trial.answered:.1f} ms"
            checks.append(Check(name, Mark.OK, times))
        else:
            checks.append(Check(name, Mark.FAILED, trial.error or "", "ANTIPHON_DEBUG=1 tells more."))
    return checks


def table(checks: Iterable[Check]) -> Table:
    """The checks for people."""
    from rich import box
    from rich.table import Table

    marks = {Mark.OK: "[green]✓[/]", Mark.ABSENT: "[yellow]–[/]", Mark.FAILED: "[red]✗[/]"}
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "", "Found", "To do"):
        shown.add_column(title, overflow="fold")
    for check in checks:
        shown.add_row(
            marks[check.mark], _verbatim(check.name), _verbatim(check.found), _verbatim(check.advice)
        )
    return shown


def as_json(checks: Iterable[Check], held: Iterable[Trial], *, ok: bool) -> dict[str, Any]:
    """The checks for programs."""
    return {
        "ok": ok,
        "checks": [asdict(check) for check in checks],
        "selftest": [asdict(trial) for trial in held],
    }


def _verbatim(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _library(name: str, install: str, purpose: str) -> Check:
    version = _installed(name)
    if version:
        return Check(name, Mark.OK, version)
    return Check(name, Mark.ABSENT, "not installed", f"{install} ({purpose})")


def _extra(extra: str, names: list[str]) -> Check:
    title = f"antiphon[{extra}]"
    missing = [name for name in names if _installed(name) is None]
    if not missing:
        return Check(title, Mark.OK, "installed")
    purpose = f" ({_FOR[extra]})" if extra in _FOR else ""
    return Check(
        title, Mark.ABSENT, f"lacks {', '.join(missing)}", f"pip install 'antiphon[{extra}]'{purpose}"
    )


def _vertex(environ: Mapping[str, str]) -> Check:
    if environ.get("GOOGLE_GENAI_USE_VERTEXAI", "").strip().lower() not in ("1", "true", "yes", "on"):
        return Check("Vertex AI", Mark.ABSENT, "not used")
    project = environ.get("GOOGLE_CLOUD_PROJECT")
    location = environ.get("GOOGLE_CLOUD_LOCATION") or "global"
    if not project:
        return Check("Vertex AI", Mark.FAILED, "on, without a project", "Set GOOGLE_CLOUD_PROJECT.")
    return Check("Vertex AI", Mark.OK, f"project {project}, location {location}")


def _without_secrets(value: str) -> str:
    """An address without the name and password that may be in it, nor its query."""
    parts = urlsplit(value if "//" in value else f"//{value}")
    if "@" not in parts.netloc and not parts.query:
        return value
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else host
