"""Who may come in: where a request comes from, which address it was sent to, and whose it is (contract 8.7).

Rule 1  A browser tells the page that asks (`Origin`). It has to be one of the server's own, or one that is
        listed: any page may open a socket to any server, with the user's network around it.
Rule 2  A request names the server it was meant for (`Host`). A name that the server does not know may be a
        stranger's that was made to point here (DNS rebinding). An IP address is no such name.
Rule 3  An `Authenticator` makes an `Identity` of what the request brings. It reaches what is its own user's,
        and nothing else.
Rule 4  A token is taken out of the request's address as soon as it is read: no log of it has the token.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import logging
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "TOKEN_SUBPROTOCOL",
    "Access",
    "AccessGate",
    "Authenticator",
    "BearerTokens",
    "Credentials",
    "Identity",
    "NoAuthentication",
    "Refused",
]

log = logging.getLogger(__name__)

TOKEN_SUBPROTOCOL: Final = "antiphon.token."
"""Browsers cannot set headers of a WebSocket: they offer this and the token in base64url as a subprotocol."""
LONGEST_TOKEN: Final = 8 * 1024
"""Characters; what is longer is refused unread."""
LONGEST_USER: Final = 256
"""Characters of a user's id."""

_KEPT: Final = "antiphon.credentials"  # where a request's credentials are, once they were taken
_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Refused(HTTPException):
    """A request is refused: over HTTP `status_code` and `detail`, on a socket `close_code` and `reason`."""

    close_code = 1008
    """Protocol 7.2."""

    @property
    def reason(self) -> str:
        """`detail`, as much as a close frame holds: 123 bytes of UTF-8."""
        return self.detail.encode()[:123].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings along to be known by."""

    token: str | None = field(repr=False)
    """From `Authorization: Bearer`, the subprotocol `antiphon.token.…` or the query's `token`; the first."""
    headers: Mapping[str, str] = field(repr=False)
    """By name in lower case; of a header that came twice, the last."""
    query: Mapping[str, str] = field(repr=False)
    """Without `token`."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a request is."""

    user_id: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What else is known of the user, such as the claims of a JWT."""


class Authenticator(Protocol):
    """Tells whose a request is."""

    async def authenticate(self, credentials: Credentials, user_id: str) -> Identity:
        """The identity behind the credentials; `user_id` is the one that the request asks for.

        That the two are the same user is checked by the caller. It is called for every request, so it should
        remember what costs much. Raises `Refused`, with 401 unless there is a better word; what is wrong with
        a token is not said, for that helps only those who guess.
        """
        ...


class NoAuthentication:
    """Believes every request, for development: the user is whoever the address says."""

    async def authenticate(self, credentials: Credentials, user_id: str) -> Identity:
        """The user that the request asks for."""
        return Identity(user_id)


class BearerTokens:
    """Fixed tokens, each of one user; make them with `secrets.token_urlsafe()`.

    Raises `ConfigurationError` for a blank token or user.
    """

    def __init__(self, tokens: Mapping[str, str]) -> None:
        if not all(token.strip() and user.strip() for token, user in tokens.items()):
            raise ConfigurationError(
                "BearerTokens({token: user_id}): neither token nor user_id may be blank."
            )
        # Digests have one length, and comparing all of them takes as long whether one is right or not.
        self._users = [(_digest(token), user) for token, user in tokens.items()]

    async def authenticate(self, credentials: Credentials, user_id: str) -> Identity:
        """The user of the token."""
        given = _digest(require_token(credentials))
        found = [user for digest, user in self._users if hmac.compare_digest(digest, given)]
        if not found:
            raise not_accepted()
        return Identity(found[0])


class Access:
    """Which requests are let in, and as whom.

    Args:
        origins: Pages of other origins that may talk to the server, such as `https://app.example.com`; `*`
            for any. The server's own always may, and so may programs, which send no `Origin`.
        hosts: Names of the server, such as `agent.example.com` or `*.example.com`; `*` for any. `localhost`
            and IP addresses always count.
        authenticator: Tells whose a request is; without one every request is believed.

    Raises `ConfigurationError` for what is no origin or no name.
    """

    def __init__(
        self,
        *,
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        authenticator: Authenticator | None = None,
    ) -> None:
        self.origins = frozenset(_checked_origin(origin) for origin in _several(origins, "origins"))
        self.hosts = frozenset(_checked_host(host) for host in _several(hosts, "hosts"))
        self.authenticator = authenticator or NoAuthentication()

    def admit(self, scope: Scope) -> Credentials:
        """Rules 1, 2 and 4 for an ASGI `http` or `websocket` scope; what it brings along to be known by.

        The token leaves the scope's query and subprotocols; a second call returns the same.

        Raises:
            Refused: 421 for a host that is not this server's, 403 for another's page.
        """
        if isinstance(known := scope.get(_KEPT), Credentials):
            return known
        headers = Headers(scope=scope)
        credentials = _taken(scope, headers)  # first: what is refused is logged as well
        self._check_host(headers.getlist("host"))
        self._check_origin(headers.getlist("origin"), headers.get("host", ""))
        scope[_KEPT] = credentials
        return credentials

    async def identify(self, scope: Scope, user_id: str) -> Identity:
        """The identity of a request that asks for what belongs to `user_id`.

        Raises:
            Refused: as `admit` does; 400 for an id that is none, 401 for a token that is missing or not
                accepted, 403 for another user's.
        """
        credentials = self.admit(scope)
        if not user_id.strip() or len(user_id) > LONGEST_USER or not user_id.isprintable():
            raise Refused(400, f"A user's id has 1 to {LONGEST_USER} printable characters.")
        identity = await self.authenticator.authenticate(credentials, user_id)
        if identity.user_id != user_id:
            raise Refused(
                403, "The token is another user's: ask for what belongs to the user it was made for."
            )
        return identity

    def advice(self, host: str) -> str | None:
        """What to tell who binds the server to this address; `None` if there is nothing to say."""
        if not isinstance(self.authenticator, NoAuthentication) or _is_of_this_machine(host):
            return None
        return (
            f"Nobody is asked who they are, and {host} can be reached from elsewhere: give create_app "
            "access=Access(authenticator=…), such as JwtAuthentication, or bind to 127.0.0.1."
        )

    def _check_host(self, given: list[str]) -> None:
        name = _host_name(given[0]) if len(given) == 1 else None
        if name is None:
            raise Refused(400, "A request has one Host header, with the server's name.")
        if not (_is_address(name) or _is_of_this_machine(name) or _matches(name, self.hosts)):
            raise Refused(421, "This server does not go by that name: list it in Access(hosts=[…]).")

    def _check_origin(self, given: list[str], host: str) -> None:
        if not given or "*" in self.origins:
            return
        origin = _origin(given[0]) if len(given) == 1 else None
        if origin is None or not (origin in self.origins or origin == _origin(f"{_scheme(origin)}://{host}")):
            raise Refused(
                403, "Pages of that origin may not use this server: list it in Access(origins=[…])."
            )


class AccessGate:
    """ASGI middleware: nothing gets past that `Access.admit` refuses, whatever route it asks for.

    `refused` is told the status of each refusal.
    """

    def __init__(self, app: ASGIApp, access: Access, refused: Callable[[str], None] | None = None) -> None:
        self._app = app
        self._access = access
        self._refused = refused
        self._told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        self._tell(scope)
        try:
            self._access.admit(scope)
        except Refused as refused:
            if self._refused is not None:
                self._refused(str(refused.status_code))
            if scope["type"] == "websocket":
                return await _close(scope, receive, send, refused)
            response = JSONResponse({"detail": refused.detail}, refused.status_code, refused.headers)
            return await response(scope, receive, send)
        return await self._app(scope, receive, send)

    def _tell(self, scope: Scope) -> None:
        """Warns once where a server that believes everybody is reached by an address of the network."""
        address = (scope.get("server") or ("",))[0]
        if not self._told and _is_address(address) and (advice := self._access.advice(address)):
            self._told = True
            log.warning("%s", advice)


def not_accepted() -> Refused:
    """What a wrong, forged or expired token is answered with: always the same."""
    return Refused(401, "The token is not accepted: get a new one.", {"WWW-Authenticate": "Bearer"})


def require_token(credentials: Credentials) -> str:
    """The token of a request.

    Raises:
        Refused: there is none, or it is too long to be one.
    """
    if credentials.token is None:
        raise Refused(
            401,
            "A token is needed: send Authorization: Bearer TOKEN. A browser's WebSocket offers the "
            f"subprotocol {TOKEN_SUBPROTOCOL}BASE64URL, or adds ?token=TOKEN.",
            {"WWW-Authenticate": "Bearer"},
        )
    if len(credentials.token) > LONGEST_TOKEN:
        raise not_accepted()
    return credentials.token


# --- what a request brings ------------------------------------------------------------------------------


def _taken(scope: MutableMapping[str, Any], headers: Headers) -> Credentials:
    query: bytes = scope.get("query_string", b"")
    pairs = [pair for pair in query.split(b"&") if pair]
    tokens = [pair for pair in pairs if unquote_plus(pair.partition(b"=")[0].decode("latin-1")) == "token"]
    if tokens:
        scope["query_string"] = b"&".join(pair for pair in pairs if pair not in tokens)
    offered: list[str] = list(scope.get("subprotocols", ()))
    secret = [name for name in offered if name.startswith(TOKEN_SUBPROTOCOL)]
    if secret:
        scope["subprotocols"] = [name for name in offered if name not in secret]
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer.strip():
        token: str | None = bearer.strip()
    elif secret:
        token = _decoded(secret[0].removeprefix(TOKEN_SUBPROTOCOL))
    else:
        token = unquote_plus(tokens[0].partition(b"=")[2].decode("latin-1")) if tokens else None
    parsed = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
    return Credentials(token or None, dict(headers.items()), parsed)


def _decoded(written: str) -> str | None:
    try:
        return urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except (binascii.Error, ValueError):
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


# --- origins and hosts ------------------------------------------------------------------------------------


def _origin(text: str) -> str | None:
    """An origin in one form: lower case, without the scheme's own port; `None` for what is none."""
    if text == "null":  # a sandboxed page, or a file
        return text
    if "@" in text:
        return None
    try:
        split = urlsplit(text.strip().lower())
        port = split.port
    except ValueError:
        return None
    if not split.scheme or not split.hostname or split.path or split.query or split.fragment:
        return None
    name = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    written = "" if port in (None, _PORTS.get(split.scheme)) else f":{port}"
    return f"{split.scheme}://{name}{written}"


def _scheme(origin: str) -> str:
    return origin.partition(":")[0]


def _host_name(text: str) -> str | None:
    """The name in a `Host` header, without its port."""
    found = _origin(f"http://{text}")
    return None if found is None else urlsplit(found).hostname


def _matches(name: str, patterns: frozenset[str]) -> bool:
    return "*" in patterns or any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern for pattern in patterns
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_of_this_machine(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ip_address(name).is_loopback


def _several(names: Iterable[str], argument: str) -> list[str]:
    if isinstance(names, str):
        raise ConfigurationError(f"Access({argument}=[{names!r}]): a list, also of one.")
    return list(names)


def _checked_origin(given: str) -> str:
    found = "*" if given == "*" else _origin(given.removesuffix("/"))
    if found is None:
        raise ConfigurationError(
            f"{given!r} is no origin: write it like https://app.example.com, without a path."
        )
    return found


def _checked_host(given: str) -> str:
    if given == "*":
        return given
    found = _host_name(given.removeprefix("*."))
    if found is None or "*" in found:
        raise ConfigurationError(f"{given!r} is no host: write it like agent.example.com or *.example.com.")
    return f"*.{found}" if given.startswith("*.") else found


async def _close(scope: Scope, receive: Receive, send: Send, refused: Refused) -> None:
    """Accepts and closes, so that the client is told why: a handshake that fails has no words for it."""
    await receive()
    offered = scope.get("subprotocols") or []
    await send({"type": "websocket.accept", "subprotocol": offered[0] if offered else None, "headers": []})
    await send({"type": "websocket.close", "code": refused.close_code, "reason": refused.reason})
