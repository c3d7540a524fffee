"""`examples/mcp_agent.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/mcp_agent.py"


async def test_the_tools_of_a_server_are_the_agents(run_script: RunScript) -> None:
    """contract 5.11, 5.12"""
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, base_url=server.base_url)

    assert ran.code == 0, ran.err  # which is the server's as well
    assert ran.out.splitlines() == [
        "you: find the book Dune",
        "  calls find_book with {'title': 'Dune'}",
        "librarian: find book: title Dune, author Frank Herbert.",
        "you: list the books",
        "  calls list_books with {}",
        "librarian: list books: Dune, Emma, Solaris.",
    ]
