"""Contract 8.7: who may come in, and as whom."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import ConfigurationError
from antiphon.server.access import (
    Access,
    AccessGate,
    BearerTokens,
    Credentials,
    Identity,
    NoAuthentication,
    Refused,
)

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

SECRET = "s3cr3t-of-anna"


def scope(
    *headers: tuple[str, str], host: str = "localhost:8000", query: str = "", **more: Any
) -> dict[str, Any]:
    named = [("host", host)] if host else []
    raw = [(name.encode(), value.encode()) for name, value in (*named, *headers)]
    return {"type": "http", "headers": raw, "query_string": query.encode(), **more}


def refused(access: Access, given: dict[str, Any]) -> int:
    with pytest.raises(Refused) as caught:
        access.admit(given)
    assert caught.value.close_code == 1008
    return caught.value.status_code


def in_subprotocol(token: str) -> str:
    return "antiphon.token." + urlsafe_b64encode(token.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("https://localhost", "localhost"),
        ("https://localhost", "localhost:443"),
        ("HTTP://LocalHost:80", "localhost"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_pages_of_the_server_itself_come_in(origin: str, host: str) -> None:
    Access().admit(scope(("origin", origin), host=host))


def test_programs_send_no_origin_and_come_in() -> None:
    Access().admit(scope())


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://localhost:8001",
        "https://localhost:8000.evil.example",
        "http://localhost:8000@evil.example",
        "http://localhost:8000/",
        "http://localhost:port",
        "null",
        "",
    ],
)
def test_pages_of_other_origins_do_not(origin: str) -> None:
    assert refused(Access(), scope(("origin", origin))) == 403


def test_two_origins_are_none() -> None:
    twice = scope(("origin", "http://localhost:8000"), ("origin", "http://localhost:8000"))
    assert refused(Access(), twice) == 403


def test_listed_origins_come_in_and_no_others() -> None:
    access = Access(origins=["https://App.example.com:443/", "null"])
    access.admit(scope(("origin", "https://app.example.com")))
    access.admit(scope(("origin", "null")))
    assert refused(access, scope(("origin", "http://app.example.com"))) == 403
    Access(origins=["*"]).admit(scope(("origin", "https://anywhere.example")))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "app.localhost", "127.0.0.1:8000", "192.0.2.7", "[::1]:9"]
)
def test_addresses_and_names_of_this_machine_are_known(host: str) -> None:
    Access().admit(scope(host=host))


@pytest.mark.parametrize("host", ["rebound.evil.example", "localhost.evil.example:8000", "notlocalhost"])
def test_a_name_that_is_not_the_servers_is_refused(host: str) -> None:
    """DNS rebinding: the page's origin and the host agree, and are both the stranger's."""
    assert refused(Access(), scope(("origin", f"http://{host}"), host=host)) == 421


@pytest.mark.parametrize(
    "host", ["", "localhost/..", "localhost?.evil.example", "a@localhost", "localhost:99999", "[::1"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert refused(Access(), scope(host=host)) == 400
    assert refused(Access(), scope(("host", "localhost"), ("host", "localhost"))) == 400


def test_names_are_listed_one_by_one_or_by_domain() -> None:
    access = Access(hosts=["agent.example.com", "*.example.org"])
    access.admit(scope(host="Agent.Example.com:8443"))
    access.admit(scope(host="a.b.example.org"))
    assert refused(access, scope(host="example.org")) == 421
    assert refused(access, scope(host="evilexample.org")) == 421
    Access(hosts=["*"]).admit(scope(host="anything.example"))


@pytest.mark.parametrize("origin", ["app.example.com", "https://app.example.com/page", "https://", "x"])
def test_a_listed_origin_that_is_none_is_told(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="no origin"):
        Access(origins=[origin])


@pytest.mark.parametrize("host", ["https://agent.example.com", "a*.example.com", "", "a/b"])
def test_a_listed_host_that_is_none_is_told(host: str) -> None:
    with pytest.raises(ConfigurationError, match="no host"):
        Access(hosts=[host])


def test_a_string_is_no_list() -> None:
    with pytest.raises(ConfigurationError, match=r"origins=\['https://a.example'\]"):
        Access(origins="https://a.example")


async def test_without_an_authenticator_the_path_is_believed() -> None:
    assert await Access().identify(scope(), "anna") == Identity("anna")


@pytest.mark.parametrize("user_id", ["", " ", "a\nb", "a\x00b", "u" * 257])
async def test_an_id_that_is_none_is_refused(user_id: str) -> None:
    with pytest.raises(Refused) as caught:
        await Access().identify(scope(), user_id)
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "given",
    [
        scope(("authorization", f"Bearer {SECRET}")),
        scope(("authorization", f"bearer  {SECRET} ")),
        scope(query=f"a=1&token={SECRET}"),
        scope(query=f"t%6Fken={SECRET}"),
        scope(subprotocols=["antiphon.v1", in_subprotocol(SECRET)]),
    ],
)
async def test_a_token_comes_by_header_query_or_subprotocol(given: dict[str, Any]) -> None:
    access = Access(authenticator=BearerTokens({"another": "ben", SECRET: "anna"}))
    assert (await access.identify(given, "anna")).user_id == "anna"


async def test_tokens_leave_the_address_and_the_subprotocols() -> None:
    """Servers write the address into their logs after the application has answered."""
    given = scope(query=f"a=1&token={SECRET}&b=%20", subprotocols=["antiphon.v1", in_subprotocol("x")])
    credentials = Access().admit(given)
    assert given["query_string"] == b"a=1&b=%20" and given["subprotocols"] == ["antiphon.v1"]
    assert credentials.query == {"a": "1", "b": " "}
    assert Access().admit(given) is credentials, "who asks again is told the same"
    assert SECRET not in repr(credentials) and credentials.token == "x"


async def test_tokens_leave_the_address_of_what_is_refused() -> None:
    given = scope(query=f"token={SECRET}", host="evil.example")
    assert refused(Access(), given) == 421
    assert given["query_string"] == b""


@pytest.mark.parametrize(
    "given",
    [
        scope(),
        scope(("authorization", f"Basic {SECRET}")),
        scope(("authorization", "Bearer ")),
        scope(query="token="),
        scope(subprotocols=["antiphon.token.%%%"]),
        scope(("authorization", "Bearer wrong")),
        scope(("authorization", f"Bearer {SECRET}x")),
        scope(("authorization", "Bearer " + "x" * 9000)),
    ],
)
async def test_a_token_that_is_missing_or_wrong_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        await Access(authenticator=BearerTokens({SECRET: "anna"})).identify(given, "anna")
    assert caught.value.status_code == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}
    assert SECRET not in caught.value.detail


async def test_a_token_reaches_its_own_user_only() -> None:
    access = Access(authenticator=BearerTokens({SECRET: "anna"}))
    with pytest.raises(Refused) as caught:
        await access.identify(scope(("authorization", f"Bearer {SECRET}")), "ben")
    assert caught.value.status_code == 403
    assert "anna" not in caught.value.detail


@pytest.mark.parametrize("tokens", [{"": "anna"}, {SECRET: " "}])
def test_blank_tokens_and_users_are_told(tokens: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="blank"):
        BearerTokens(tokens)


async def test_an_authenticator_of_ones_own() -> None:
    class ByHeader:
        async def authenticate(self, credentials: Credentials, user_id: str) -> Identity:
            return Identity(credentials.headers["x-user"], {"asked": user_id})

    identity = await Access(authenticator=ByHeader()).identify(scope(("x-user", "anna")), "anna")
    assert identity.claims == {"asked": "anna"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "agent.example.com"])
def test_an_open_server_that_others_reach_is_warned_of(host: str) -> None:
    assert f"and {host} can be reached" in (Access().advice(host) or "")
    assert Access(authenticator=BearerTokens({SECRET: "anna"})).advice(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_one_that_only_this_machine_reaches_is_not(host: str) -> None:
    assert Access(authenticator=NoAuthentication()).advice(host) is None


# --- the gate ---------------------------------------------------------------------------------------------


async def through(access: Access, *given: dict[str, Any], statuses: list[str] | None = None) -> list[Message]:
    sent: list[Message] = []
    statuses = [] if statuses is None else statuses

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "passed"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    gate = AccessGate(app, access, statuses.append)
    for one in given:
        await gate(one, receive, send)
    return sent


async def test_the_gate_lets_in_what_is_admitted() -> None:
    assert await through(Access(), scope(), {"type": "lifespan"}) == [{"type": "passed"}] * 2


async def test_the_gate_answers_http() -> None:
    statuses: list[str] = []
    start, body = await through(Access(), scope(host="evil.example"), statuses=statuses)
    assert statuses == ["421"], "what is counted"
    assert start["status"] == 421
    assert (
        body["body"]
        == b'{"detail":"This server does not go by that name: list it in Access(hosts=[\xe2\x80\xa6])."}'
    )


async def test_the_gate_tells_sockets_why_and_never_repeats_a_token() -> None:
    socket = scope(
        ("origin", "http://evil.example"), subprotocols=[in_subprotocol(SECRET), "antiphon.v1"]
    ) | {"type": "websocket"}
    accepted, closed = await through(Access(), socket)
    assert accepted["subprotocol"] == "antiphon.v1"
    assert closed["code"] == 1008 and "origin" in closed["reason"]
    assert Refused(400, "x" * 122 + "…").reason == "x" * 122, "a close frame holds no more"


async def test_the_gate_warns_once_where_everybody_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    outside = scope(host="192.0.2.7", server=("192.0.2.7", 8000))
    await through(Access(), scope(server=("127.0.0.1", 8000)), outside, outside)
    assert [record.message for record in caplog.records] == [Access().advice("192.0.2.7")]
