"""`python -m antiphon.testing`: a live server that keeps running."""

from antiphon.testing.live_server import main

__all__ = ["main"]

main()
