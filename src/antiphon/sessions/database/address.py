"""Where a database is: its URL, with the driver this package uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import URL

__all__ = ["address", "in_memory", "shown"]

_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def address(url: str) -> URL:
    """The URL, with an asynchronous driver: `postgres://…` becomes `postgresql+asyncpg://…`.

    `sslmode=`, as hosted PostgreSQL is often written, becomes the driver's `ssl=`.

    Raises:
        ConfigurationError: it is no URL, or not of a database that sessions can be kept in.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "This is no database URL: write sqlite:///file.db or postgresql://user@host/database."
        ) from None
    driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
    if driver not in _DRIVERS.values():
        raise ConfigurationError(
            f"Sessions are kept in SQLite or PostgreSQL, not in {parsed.drivername!r}: write "
            "sqlite:///file.db or postgresql://user@host/database, without a driver."
        )
    query = dict(parsed.query)
    if driver.startswith("postgresql") and "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername=driver, query=query)


def in_memory(url: URL) -> bool:
    """Whether it is a SQLite database without a file, which is gone with the service."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def shown(url: URL) -> str:
    """The URL as people may see it: without its password, and without the driver."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
