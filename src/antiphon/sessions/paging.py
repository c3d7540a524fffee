"""Pages of a listing: how one says where the next begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from antiphon.errors import UsageError

__all__ = ["position_of", "require_limit", "token_after"]


def token_after(*position: str | float) -> str:
    """The place after an item, as a string that is safe in a URL and says nothing to its bearer."""
    return urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(token: str | None, *shape: type) -> tuple[Any, ...] | None:
    """The place that `token_after` wrote down: values of these types; `None` for no token.

    Raises:
        UsageError: it is no token of this listing.
    """
    if token is None:
        return None
    try:
        position = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError:
        position = None
    if not isinstance(position, list) or [type(value) for value in position] != list(shape):
        raise UsageError(f"page_token {token!r} is of no page: pass the next_page_token of the page before.")
    return tuple(position)


def require_limit(limit: int | None) -> None:
    """Raises `UsageError` for a page that cannot hold anything."""
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}: a page holds at least 1.")
