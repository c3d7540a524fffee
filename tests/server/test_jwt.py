"""Contract 8.7: signed tokens, and those that only look like it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.server import jwt as module
from antiphon.server.access import Credentials, Refused
from antiphon.server.jwt import JwtAuthentication

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a secret of at least forty-eight characters, for HS384"
SIGNER, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
PEM = SIGNER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_set(*kids: str) -> dict[str, Any]:
    public = json.loads(ECAlgorithm.to_jwk(SIGNER.public_key()))
    return {"keys": [public | {"kid": kid, "use": "sig"} for kid in kids]}


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": "ann", "exp": int(time.time()) + 60} | more


def signed(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **more: Any) -> str:
    named = {name: value for name, value in claims(**more).items() if value is not None}
    return jwt.encode(named, key, algorithm, {"kid": kid} if kid else None)


async def known(authentication: JwtAuthentication, token: str) -> str:
    return (await authentication.authenticate(Credentials(token, {}, {}), "ann")).user_id


async def refused(authentication: JwtAuthentication, token: str) -> int:
    with pytest.raises(Refused) as caught:
        await known(authentication, token)
    return caught.value.status_code


async def test_a_signed_token_is_its_users() -> None:
    authentication = JwtAuthentication(algorithms=["HS256"], key=SECRET)
    identity = await authentication.authenticate(Credentials(signed(team="blue"), {}, {}), "ann")
    assert identity.user_id == "ann" and identity.claims["team"] == "blue"


async def test_public_keys() -> None:
    authentication = JwtAuthentication(algorithms=["ES256"], key=PEM)
    assert await known(authentication, signed(SIGNER, "ES256")) == "ann"
    assert await refused(authentication, signed(STRANGER, "ES256")) == 401


async def test_another_claim_is_the_user() -> None:
    authentication = JwtAuthentication(algorithms=["HS256"], key=SECRET, user_claim="email")
    assert await known(authentication, signed(email="ann@example.com", sub=None)) == "ann@example.com"
    assert await refused(authentication, signed()) == 401


async def test_audience_and_issuer() -> None:
    authentication = JwtAuthentication(
        algorithms=["HS256"], key=SECRET, audience="birds", issuer="https://id.example"
    )
    assert await known(authentication, signed(aud="birds", iss="https://id.example")) == "ann"
    for more in ({}, {"aud": "cats", "iss": "https://id.example"}, {"aud": "birds", "iss": "https://x"}):
        assert await refused(authentication, signed(**more)) == 401


def unsigned(header: dict[str, Any], **more: Any) -> str:
    parts = (json.dumps(part).encode() for part in (header, claims(**more)))
    return ".".join([urlsafe_b64encode(part).decode().rstrip("=") for part in parts] + [""])


@pytest.mark.parametrize(
    "token",
    [
        unsigned({"alg": "none", "typ": "JWT"}),
        unsigned({"alg": "None"}),
        unsigned({"alg": "HS256"}),
        signed()[:-4] + "AAAA",
        signed(SECRET.upper()),
        signed(algorithm="HS384"),
        signed(exp=int(time.time()) - 60),
        signed(exp=None),
        signed(nbf=int(time.time()) + 600),
        signed(sub=None),
        signed(aud="another server"),
        unsigned({"alg": "HS256"}, sub=7) + "x",
        "no token",
        "a.b.c",
        "…",
    ],
    ids=map(str, range(15)),  # the time is in them
)
async def test_forged_and_expired_tokens_are_refused(token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    assert await refused(JwtAuthentication(algorithms=["HS256"], key=SECRET), token) == 401
    assert token not in caplog.text


async def test_the_public_key_is_no_secret() -> None:
    """The old trick: a token signed by HMAC with the public key, which everybody has."""
    header = {"alg": "HS256", "typ": "JWT"}
    forged = unsigned(header)[:-1]
    mac = hmac.new(PEM, forged.encode(), hashlib.sha256).digest()
    token = f"{forged}.{urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert await refused(JwtAuthentication(algorithms=["ES256"], key=PEM), token) == 401


async def test_keys_of_a_set_are_told_by_their_ids() -> None:
    authentication = JwtAuthentication(algorithms=["ES256"], jwks=key_set("one", "two"))
    assert await known(authentication, signed(SIGNER, "ES256", kid="two")) == "ann"
    assert await refused(authentication, signed(SIGNER, "ES256", kid="three")) == 401
    assert await refused(authentication, signed(SIGNER, "ES256")) == 401, "which of two is not guessed"
    alone = JwtAuthentication(algorithms=["ES256"], jwks=key_set("one"))
    assert await known(alone, signed(SIGNER, "ES256")) == "ann"


@contextmanager
def provider(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(key_set("one")).encode())

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys", asked
        finally:
            server.shutdown()
            thread.join()


async def test_keys_of_a_provider_are_read_once_and_not_for_every_guess() -> None:
    with provider() as (address, asked):
        authentication = JwtAuthentication(algorithms=["ES256"], jwks=address)
        assert await known(authentication, signed(SIGNER, "ES256", kid="one")) == "ann"
        for guess in range(5):
            assert await refused(authentication, signed(STRANGER, "ES256", kid=str(guess))) == 401
        assert await known(authentication, signed(SIGNER, "ES256", kid="one")) == "ann"
        assert asked == ["/keys"]
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_provider_that_is_away_is_told() -> None:
    with provider(status=500) as (address, _):
        authentication = JwtAuthentication(algorithms=["ES256"], jwks=address)
        assert await refused(authentication, signed(SIGNER, "ES256", kid="one")) == 503
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"key": SECRET, "algorithms": []}, "name what your tokens are signed with"),
        ({"key": SECRET, "algorithms": ["none"]}, "name what your tokens are signed with"),
        ({"key": SECRET, "algorithms": ["HS256", "ES256"]}, "choose one kind"),
        ({"key": "secret", "algorithms": ["HS256"]}, "at least 32 bytes"),
        ({"algorithms": ["HS256"]}, "one of key=… and jwks=…"),
        ({"algorithms": ["ES256"], "key": PEM, "jwks": key_set("one")}, "one of key=… and jwks=…"),
        ({"algorithms": ["ES256"], "jwks": {"keys": []}}, "jwks is neither"),
        ({"algorithms": ["ES256"], "jwks": "file:///keys"}, "jwks is neither"),
    ],
)
def test_settings_that_let_anybody_in_are_told(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        JwtAuthentication(**settings)


def test_without_pyjwt_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "jwt", None)
    with pytest.raises(MissingExtra, match=r"antiphon\[server\]"):
        JwtAuthentication(algorithms=["HS256"], key=SECRET)
