"""`antiphon db`: the schema of the database that sessions are kept in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from antiphon.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["db"]

_CODES: Final = (
    "Exit codes: 0 done; 1 the database failed, or has no or another schema; 2 usage or configuration; "
    "130 interrupted. ANTIPHON_DEBUG=1 shows tracebacks."
)

_Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        envvar="ANTIPHON_DATABASE_URL",
        help="Of the database: sqlite:///file.db or postgresql://user@host/database.",
        show_default=False,
    ),
]

db = typer.Typer(
    name="db",
    help="The schema of the database that sessions are kept in.",
    epilog=_CODES,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@db.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@db.command(
    help="Bring a database to the schema of this version, or set up an empty one.\n\nAll steps are one "
    "transaction. Running it twice is fine, and so are several replicas at once. Back the database up first.",
    epilog=(
        "[bold]Examples[/]\n\nantiphon db upgrade sqlite:///sessions.db\n\n"
        "ANTIPHON_DATABASE_URL=postgresql://ann@db.example/talks antiphon db upgrade\n\n" + _CODES
    ),
)
def upgrade(url: _Url) -> int:
    """Brings the database up to date."""
    with _installed():
        from antiphon.sessions.database import schema

        before, after = schema.upgrade(url)
    if before == after:
        print(f"Schema {after}, the newest: nothing to do.")
    else:
        print(f"Schema {after}, set up." if before is None else f"Schema {before} upgraded to {after}.")
    return Exit.OK


@db.command(
    help="Tell which schema a database has. The exit code is 0 if it is this version's, else 1.",
    epilog=(
        "[bold]Examples[/]\n\nantiphon db current sqlite:///sessions.db\n\n"
        "antiphon db current || antiphon db upgrade\n\n" + _CODES
    ),
)
def current(url: _Url) -> int:
    """Tells the schema."""
    with _installed():
        from antiphon.sessions.database import schema

        found, newest = schema.current(url), schema.REVISIONS[-1]
    if found == newest:
        print(f"Schema {found}, the newest.")
        return Exit.OK
    print(f"Schema {found}; this version needs {newest}." if found else f"No schema; the newest is {newest}.")
    return Exit.FAILED


@contextmanager
def _installed() -> Iterator[None]:
    """Says what to install when a package is not there."""
    from antiphon.errors import MissingExtra

    try:
        yield
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            f"Sessions in a database need {missing.name}: pip install 'antiphon[database]'."
        ) from missing
