"""The client of a service, and what its errors mean."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import httpx
import openai
import pytest

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    RequestRefused,
)
from antiphon.models.local.openai_service import OpenAIService

REQUEST: Any = httpx.Request("POST", "http://localhost/v1")


def service(base_url: str | None = None, api_key: str | None = None) -> OpenAIService:
    return OpenAIService("OpenAIThing", "thinking", base_url=base_url, api_key=api_key, timeout=3.0)


def test_there_is_one_client_until_it_is_closed() -> None:
    with closing(service("http://localhost/v1", "k")) as some:
        client = some.client()
        assert some.client() is client and (client.api_key, client.timeout) == ("k", 3.0)
        some.close()
        assert client.is_closed() and some.client() is not client


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingCredentials, match="No key for thinking by OpenAI: set OPENAI_API_KEY"):
        service().client()
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"OpenAIThing needs .* pip install 'antiphon\[openai\]'"):
        service().client()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RequestRefused),
        (401, AuthenticationRefused),
        (403, AuthenticationRefused),
        (404, ModelNotFound),
        (408, ModelUnavailable),
        (409, ModelUnavailable),
        (429, ModelUnavailable),
        (500, ModelUnavailable),
    ],
)
def test_a_refusal_is_told_by_its_status(status: int, kind: type[ModelConnectionError]) -> None:
    answer: Any = httpx.Response(status, request=REQUEST)
    refused = openai.APIStatusError("not so", response=answer, body=None)
    with pytest.raises(kind, match=f"The thinking service refused .HTTP {status}.: not so") as caught:
        with service().translated():
            raise refused
    assert (type(caught.value), caught.value.code) == (kind, status)


def test_what_cannot_be_reached_or_read_is_told() -> None:
    with pytest.raises(ConnectionLost, match="check base_url"), service().translated():
        raise openai.APIConnectionError(request=REQUEST)
    with pytest.raises(ModelUnavailable, match="The thinking service failed: odd"), service().translated():
        raise openai.OpenAIError("odd")
