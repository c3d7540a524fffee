"""Database URLs as people write them."""

from __future__ import annotations

import pytest

from antiphon.errors import ConfigurationError
from antiphon.sessions.database.address import address, in_memory, shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///file.db", "sqlite+aiosqlite:///file.db"),
        ("sqlite+aiosqlite:///file.db", "sqlite+aiosqlite:///file.db"),
        ("postgres://a:b@h:1/d", "postgresql+asyncpg://a:b@h:1/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
    ],
)
def test_plain_urls_are_given_the_driver(url: str, expected: str) -> None:
    assert address(url).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql+psycopg://h/d", "file.db", "", "sqlite+x:///a"])
def test_other_databases_are_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///file\.db or postgresql://"):
        address(url)


def test_a_url_that_cannot_be_read_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as refused:
        address("postgres//ann:secret@host")
    assert "secret" not in str(refused.value)


def test_people_see_no_password_and_no_driver() -> None:
    assert shown(address("postgres://a:b@h/d")) == "postgresql://a:***@h/d"


def test_a_database_without_a_file_is_in_memory() -> None:
    assert all(in_memory(address(url)) for url in ("sqlite://", "sqlite:///:memory:"))
    assert not any(in_memory(address(url)) for url in ("sqlite:///a.db", "postgresql://h"))
