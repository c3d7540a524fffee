import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
import trustme

from antiphon.errors import ConfigurationError
from antiphon.models.dial import dial, host_of, proxy_for, trust_for

TCP = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    async def getaddrinfo(host: str, port: int, *, type: int) -> list[Any]:
        return [(*TCP, address) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        resolve_to(monkeypatch, taken.getsockname(), listening.getsockname())
        with await dial("example.org", 1) as connected:
            assert connected.getpeername() == listening.getsockname()
        resolve_to(monkeypatch, taken.getsockname())
        with pytest.raises(ConnectionRefusedError):
            await dial("example.org", 1)
        resolve_to(monkeypatch)
        with pytest.raises(OSError, match="has no address"):
            await dial("example.org", 1)


async def test_cancelled_it_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    connecting = asyncio.Event()

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        connecting.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    dialling = asyncio.create_task(dial("127.0.0.1", 9))
    await connecting.wait()
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling


def test_plain_addresses_need_no_trust() -> None:
    assert trust_for("ws://h") is None


def test_authorities_are_read_once_for_each_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    system = trust_for("wss://h")
    assert system is not None and trust_for("wss://other") is system
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    own = trust_for("wss://h")
    assert own is not None and own is not system and len(own.get_ca_certs()) == 1


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match=r"SSL_CERT_FILE=.*none\.pem.*PEM"):
        trust_for("wss://h")
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        trust_for("wss://h")


def test_the_host_is_told_without_what_may_be_secret() -> None:
    assert host_of("wss://h:1/p/ws/google.ai?key=secret") == "wss://h:1/p"
    assert host_of("ws://h?key=secret") == "ws://h"


def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    assert proxy_for("wss://h/") is None
    monkeypatch.setenv("ALL_PROXY", "socks5://all")
    monkeypatch.setenv("https_proxy", "http://secure")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    assert proxy_for("wss://h/ws/x") == "http://secure"
    assert proxy_for("ws://h:80/ws/x") == "socks5://all"
    assert proxy_for("ws://127.0.0.1:9000/ws/x") is None
