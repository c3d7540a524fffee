"""A certificate for `localhost`, of an authority made for the occasion."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["certified"]


@contextlib.contextmanager
def certified() -> Iterator[tuple[ssl.SSLContext, str]]:
    """A server's TLS context for localhost and 127.0.0.1, and a file with the authority to be trusted.

    The file is removed on exit. Needs `trustme`: raises `RuntimeError` that says how to install it.
    """
    try:
        import trustme
    except ImportError:
        raise RuntimeError(
            "TLS needs trustme: pip install 'antiphon[testing]', or give tls= an SSLContext"
        ) from None
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    descriptor, path = tempfile.mkstemp(prefix="antiphon-ca-", suffix=".pem")
    os.close(descriptor)
    try:
        authority.cert_pem.write_to_path(path)
        yield context, path
    finally:
        os.unlink(path)
