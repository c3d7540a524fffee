"""The way to a host: its address, what certificates to trust, and the proxy between, if any."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import lru_cache
from os import environ
from sys import platform

from antiphon.errors import ConfigurationError

__all__ = ["dial", "host_of", "proxy_for", "trust_for"]


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket. Raises `OSError` of the last address that was tried."""
    loop = asyncio.get_running_loop()
    failed = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setblocking(False)
            await loop.sock_connect(opened, address)
        except OSError as error:
            opened.close()
            failed = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failed


def trust_for(url: str) -> ssl.SSLContext | None:
    """Whom to trust at a `wss` address: the authorities in `SSL_CERT_FILE`, else the system's."""
    return _trust(environ.get("SSL_CERT_FILE")) if url.startswith("wss:") else None


@lru_cache(maxsize=8)
def _trust(cert_file: str | None) -> ssl.SSLContext:
    """Reading all authorities takes tens of milliseconds: once for each file, not for each connection."""
    try:
        return ssl.create_default_context(cafile=cert_file)
    except OSError as unreadable:
        raise ConfigurationError(
            f"SSL_CERT_FILE={cert_file!r} cannot be read ({unreadable}): it must hold PEM certificates."
        ) from unreadable


def host_of(url: str) -> str:
    """For messages: without the path, and the query, in which there may be a key."""
    return url.split("?", 1)[0].split("/ws/", 1)[0]


def proxy_for(url: str) -> str | None:
    """As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say."""
    if platform == "linux" and not any(name.lower().endswith("_proxy") for name in environ):
        return None  # without loading what few need, and 10 ms
    from urllib.request import getproxies, proxy_bypass

    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0]
    proxies = getproxies()
    found = proxies.get("https" if scheme == "wss" else "http") or proxies.get("all")
    return found if found and not proxy_bypass(host) else None
