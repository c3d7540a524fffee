"""Conversations over the network. Import from its modules; a client needs no more than the wire."""

__all__: list[str] = []
