"""How links are opened and closed: what waits for a connection, and always ends in a signal."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from antiphon.core.signals import LinkDialled
from antiphon.errors import AntiphonError, ModelConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from antiphon.config import RunConfig
    from antiphon.core.signals import Signal
    from antiphon.models import LiveModel
    from antiphon.runtime.link import Link

__all__ = ["close_all", "close_link", "open_link"]

log = logging.getLogger(__name__)


async def open_link(link: Link, model: LiveModel, config: RunConfig, feed: Callable[[Signal], None]) -> None:
    """Opens the link's connection; `LinkDialled` is fed, or the link is lost."""
    try:
        link.connection = await model.connect(config, link)
    except ModelConnectionError as error:
        link.lost(error, ())
    except Exception as error:
        told = str(error)
        if not isinstance(error, AntiphonError):
            log.exception("Connecting to %s failed in an unexpected way.", model.name)
            told = f"Connecting to {model.name} failed: {type(error).__name__}: {error}"
        failed = ModelConnectionError(told)
        failed.__cause__ = error
        link.lost(failed, ())
    else:
        feed(LinkDialled(link.number))


async def close_link(link: Link, code: int, reason: str) -> None:
    """Closes the link in good order, or ends its opening; it is lost in any case."""
    if link.connection is None and link.opening is not None:
        link.opening.cancel()
        await asyncio.wait([link.opening])
    try:
        if link.connection is not None:
            await link.connection.close(code, reason)
    except Exception:
        log.exception("Closing link %d failed.", link.number)
    finally:
        link.lost(None, ())


async def close_all(links: Mapping[int, Link]) -> None:
    """Closes every link that is left; returns when nothing is open."""
    await asyncio.gather(*(close_link(link, 1000, "") for link in list(links.values())))
