"""Where the next page begins."""

from __future__ import annotations

import pytest

from antiphon.errors import UsageError
from antiphon.sessions.paging import position_of, require_limit, token_after


def test_place_is_read_back_from_its_token() -> None:
    token = token_after(1.5, "ann/ä", 'a"b')
    assert position_of(token, float, str, str) == (1.5, "ann/ä", 'a"b')
    assert token.replace("-", "").replace("_", "").isalnum(), "it is to be safe in a URL"
    assert position_of(None, float) is None


@pytest.mark.parametrize("token", ["", "?", "bm8", token_after("a"), token_after(1), token_after(1.5, 2.5)])
def test_what_is_no_token_of_this_listing_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="next_page_token"):
        position_of(token, float)


def test_empty_pages_are_refused() -> None:
    require_limit(None)
    require_limit(1)
    with pytest.raises(UsageError, match="limit is 0"):
        require_limit(0)
