"""Where the modules of the browser client are: in an installed package, and in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from antiphon.errors import ConfigurationError

__all__ = ["client_directory"]

_INSTALLED: Final = Path(__file__).parent / "page" / "client"
_CHECKOUT: Final = Path(__file__).parents[3] / "client" / "src"


def client_directory() -> Path:
    """The directory of `index.js`, the worklets and what they import, to be served as it is, at one address.

    Raises `ConfigurationError` where they were not installed.
    """
    for directory in (_INSTALLED, _CHECKOUT):
        if (directory / "index.js").is_file():
            return directory
    raise ConfigurationError(
        "The browser client is not part of this installation: install the antiphon wheel again, or, in a "
        "checkout, restore client/src."
    )
