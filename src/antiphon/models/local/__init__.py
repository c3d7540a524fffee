"""A live model made of parts: it listens, recognises, thinks, and speaks, on this machine."""

__all__: list[str] = []
