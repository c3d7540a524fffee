"""A certificate for the occasion."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import pytest

from antiphon.testing.live_certificate import certified


def test_clients_trust_it_while_it_lasts() -> None:
    with certified() as (context, file):
        assert isinstance(context, ssl.SSLContext)
        assert ssl.create_default_context(cafile=file).get_ca_certs()[-1]["subject"]
    assert not Path(file).exists()


def test_without_trustme_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(RuntimeError, match=r"pip install 'antiphon\[testing\]'"), certified():
        pass
