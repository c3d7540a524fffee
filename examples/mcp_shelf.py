"""A server of the Model Context Protocol, by the official SDK: a shelf of books. `mcp_agent.py` starts it."""

from __future__ import annotations

from mcp.server.mcpserver import MCPServer

BOOKS = {"Dune": "Frank Herbert", "Emma": "Jane Austen", "Solaris": "Stanisław Lem"}

server = MCPServer("shelf", log_level="ERROR")


@server.tool()
def find_book(title: str) -> dict[str, str]:
    """Who wrote a book; the title is written as on its cover."""
    return {"title": title, "author": BOOKS.get(title, "not on the shelf")}


@server.tool()
def list_books() -> str:
    """The titles of all books on the shelf."""
    return ", ".join(BOOKS)


if __name__ == "__main__":
    server.run("stdio")
