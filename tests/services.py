"""Servers that tests need: used when they run, started when they do not, and left as they were.

PostgreSQL: `ANTIPHON_TEST_POSTGRES`, the URL of a server on which databases may be made; else the server on
127.0.0.1:5432; else one of its own in a temporary directory, when PostgreSQL is installed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST, PORT = "127.0.0.1", 5432
USERS = ("postgres", "root", "test")
INSTALL = "install PostgreSQL (Debian and Ubuntu: apt install postgresql), or set ANTIPHON_TEST_POSTGRES"


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of an empty database, which is dropped afterwards."""
    with _server() as server:
        name = f"antiphon_test_{os.getpid()}"
        asyncio.run(_execute(server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"))
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            asyncio.run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def _server() -> Iterator[str]:
    """The URL of a server, by a user that may make databases."""
    if url := os.environ.get("ANTIPHON_TEST_POSTGRES"):
        yield url
    elif url := _running():
        yield url
    elif (programs := _programs()) is not None:
        with _started(programs) as url:
            yield url
    elif os.environ.get("CI"):
        pytest.fail(f"No PostgreSQL here: {INSTALL}.", pytrace=False)
    else:
        pytest.skip(f"no PostgreSQL here: {INSTALL}")


def _running() -> str | None:
    if not _listens(PORT):
        return None
    for user in USERS:
        url = f"postgresql://{user}@{HOST}:{PORT}/postgres"
        try:
            may = asyncio.run(_execute(url, "SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user"))
        except (asyncpg.PostgresError, OSError):
            continue
        if may:
            return url
    return None


def _programs() -> Path | None:
    """The directory of `initdb` and `pg_ctl`, the newest first."""
    debian = Path("/usr/lib/postgresql")
    versions = sorted(debian.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    found = shutil.which("initdb")
    places = [*versions, *([Path(found).parent] if found else [])]
    return next((place for place in places if (place / "initdb").exists()), None)


@contextmanager
def _started(programs: Path) -> Iterator[str]:
    """A server in a directory of its own. As root it runs as the user `postgres`, since it refuses root."""
    with tempfile.TemporaryDirectory(prefix="antiphon-postgres-") as made:
        directory, port = Path(made), _free_port()
        data = directory / "data"
        become: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            become = ["runuser", "-u", "postgres", "--"]
        options = f"-c listen_addresses={HOST} -c port={port} -c unix_socket_directories={directory}"

        def run(program: str, *arguments: str) -> None:
            command = [*become, str(programs / program), "-D", str(data), *arguments]
            ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
            if ran.returncode:
                pytest.fail(f"{program} failed: {ran.stdout}{ran.stderr}", pytrace=False)

        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
        run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@{HOST}:{port}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


async def _execute(url: str, *statements: str) -> Any:
    connection = await asyncpg.connect(url, timeout=10.0)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
