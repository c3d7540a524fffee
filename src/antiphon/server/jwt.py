"""`JwtAuthentication`: users known by signed tokens, one's own or an identity provider's (contract 8.7)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.server.access import Credentials, Identity, Refused, not_accepted, require_token

try:
    import jwt
except ImportError:  # told when somebody wants it
    jwt = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["JwtAuthentication"]

log = logging.getLogger(__name__)

FETCH_SECONDS: Final = 5.0
"""How long the provider's keys are waited for."""
SHORTEST_SECRET: Final = 32


class JwtAuthentication:
    """Believes tokens that are signed, not expired, and made for this server.

    Args:
        algorithms: The ones that are accepted, e.g. `["RS256"]`; what a token says of itself is not asked.
            Those that share a secret (`HS…`) do not go with those that have a public key.
        key: The shared secret or the public key in PEM.
        jwks: Instead of it the address of the provider's key set, or the set itself. Keys are remembered for
            five minutes; tokens that name an unknown key make the set be read again, twice a minute at most.
        audience: What `aud` has to have, e.g. the server's own name.
        issuer: What `iss` has to be.
        user_claim: The claim that is the user's id.
        leeway: Seconds by which clocks may differ.

    Without `exp` a token is not accepted. Raises `ConfigurationError` for settings that let anybody in, and
    `MissingExtra` without PyJWT.
    """

    def __init__(
        self,
        *,
        algorithms: Sequence[str],
        key: str | bytes | None = None,
        jwks: str | Mapping[str, Any] | None = None,
        audience: str | Sequence[str] | None = None,
        issuer: str | Sequence[str] | None = None,
        user_claim: str = "sub",
        leeway: float = 30.0,
    ) -> None:
        if jwt is None:
            raise MissingExtra("JwtAuthentication needs PyJWT: pip install 'antiphon[server]'.")
        if (key is None) == (jwks is None):
            raise ConfigurationError(
                "JwtAuthentication takes one of key=… and jwks=…, to check signatures by."
            )
        self._algorithms = _checked(algorithms)
        if key is not None and self._algorithms[0].startswith("HS") and len(key) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"A secret that can be guessed signs for anybody: key has at least {SHORTEST_SECRET} bytes. "
                "secrets.token_urlsafe(32) makes one."
            )
        self._keys = _Keys(key, jwks)
        self._audience, self._issuer = audience, issuer
        self._user_claim = user_claim
        self._leeway = leeway

    async def authenticate(self, credentials: Credentials, user_id: str) -> Identity:
        """The user that the token's claim names; `claims` has all of them.

        Raises:
            Refused: 401 for a token that is not good, 503 when the provider's keys cannot be read.
        """
        token = require_token(credentials)
        try:
            claims = jwt.decode(
                token,
                await self._keys.key_of(token),
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", self._user_claim]},
            )
        except jwt.PyJWKClientConnectionError as error:
            log.warning("The keys that tokens are checked by cannot be read: %s", error)
            raise Refused(503, "Tokens cannot be checked now: try again.", {"Retry-After": "5"}) from error
        except (jwt.PyJWTError, ValueError) as error:
            log.info("A token is not accepted: %s", type(error).__name__)
            raise not_accepted() from None
        user = claims[self._user_claim]
        if not isinstance(user, str) or not user:
            log.info("A token is not accepted: its claim %r is no user's id", self._user_claim)
            raise not_accepted()
        return Identity(user, claims)


class _Keys:
    """The key that a token has to be signed with."""

    def __init__(self, key: str | bytes | None, jwks: str | Mapping[str, Any] | None) -> None:
        self._key = key
        self._client: jwt.PyJWKClient | None = None
        self._known: jwt.PyJWKSet | None = None
        try:
            if isinstance(jwks, str):
                self._client = jwt.PyJWKClient(jwks, timeout=FETCH_SECONDS)
            elif jwks is not None:
                self._known = jwt.PyJWKSet.from_dict(dict(jwks))
        except jwt.PyJWTError as error:
            raise ConfigurationError(f"jwks is neither the address of a key set nor one: {error}") from error

    async def key_of(self, token: str) -> Any:
        if self._key is not None:
            return self._key
        if self._client is not None:  # it may ask over the network, so it is asked in a thread
            return await asyncio.to_thread(self._client.get_signing_key_from_jwt, token)
        named = jwt.get_unverified_header(token).get("kid")
        assert self._known is not None
        keys = [key for key in self._known.keys if named is None or key.key_id == named]
        if len(keys) != 1:
            raise jwt.InvalidTokenError("the token names no key of the set")
        return keys[0]


def _checked(algorithms: Sequence[str]) -> list[str]:
    names = [algorithms] if isinstance(algorithms, str) else list(algorithms)
    known = set(jwt.algorithms.get_default_algorithms()) - {"none"}
    if not names or not known.issuperset(names):
        raise ConfigurationError(
            f"algorithms={names!r}: name what your tokens are signed with, of {', '.join(sorted(known))}."
        )
    if len({name.startswith("HS") for name in names}) > 1:
        raise ConfigurationError(
            f"algorithms={names!r}: with a public key as the secret of HS… anybody signs; choose one kind."
        )
    return names
