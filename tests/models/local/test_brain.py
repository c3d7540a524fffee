"""Which brain is chosen, with servers on loopback."""

from __future__ import annotations

import builtins
import json
import logging
import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import KeywordBrain, OpenAIChat
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.brain import choose_brain, default_brain

if TYPE_CHECKING:
    from collections.abc import Iterator

OLLAMA = json.dumps({"object": "list", "data": [{"id": "nomic-embed-text"}, {"id": "llama3.2:3b"}]})


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def server(body: str, keys: list[str | None] | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if keys is not None:
                keys.append(self.headers.get("Authorization"))
            self.send_response(200 if self.path == "/v1/models" else 404)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/v1"
        finally:
            http.shutdown()
            thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def test_a_server_on_this_machine_is_used(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with server(OLLAMA) as url:
        chosen = default_brain(local=[("gone", nobody()), ("Ollama", url)])
    assert isinstance(chosen, OpenAIChat) and chosen.name == "llama3.2:3b"
    assert f"The brain is llama3.2:3b at {url}: Ollama answers there." in caplog.text


@pytest.mark.parametrize(
    "body", ["<html>", "[]", '{"data": []}', '{"data": [{"id": "my-embeddings"}]}', '{"data": 1}']
)
def test_without_a_language_model_keywords_answer(body: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with server(body) as other, silent() as quiet:
        assert isinstance(
            default_brain(local=[("web", other), ("quiet", quiet), ("gone", nobody())]), KeywordBrain
        )
    assert "The brain is KeywordBrain: no language model was named" in caplog.text


def test_a_named_server_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str | None] = []
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with server(OLLAMA, keys) as url:
        assert default_brain(url, local=()).name == "llama3.2:3b"
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        assert default_brain(local=()).name == "llama3.2:3b"
        assert default_brain(url, model="mine", local=()).name == "mine"
        monkeypatch.setenv("OPENAI_MODEL", "theirs")
        assert default_brain(local=()).name == "theirs"
    assert keys == ["Bearer secret"] * 2


def test_openai_needs_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert default_brain(local=()).name == "gpt-5.2"
    assert default_brain("https://api.openai.com/v1", local=()).name == "gpt-5.2"
    assert default_brain(model="gpt-x", local=()).name == "gpt-x"


def test_a_named_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="does not say which models it has"):
        default_brain(nobody(), local=())


def test_without_the_package_a_server_that_was_only_found_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "openai":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with server(OLLAMA) as url:
        assert isinstance(default_brain(local=[("Ollama", url)]), KeywordBrain)
        with pytest.raises(MissingExtra):
            default_brain(url, local=())
    assert "left alone" in caplog.text and "antiphon[openai]" in caplog.text


def test_a_hosted_service_is_left_alone_unless_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert isinstance(choose_brain(local=()).brain, OpenAIChat)
    choice = choose_brain(local=(), hosted=False)
    assert isinstance(choice.brain, KeywordBrain) and "no language model was named" in choice.why


def test_the_reason_tells_no_secrets() -> None:
    choice = choose_brain("http://ann:s3cret@127.0.0.1:1/v1?key=s3cret", model="qwen")
    assert choice.why == "The brain is qwen at http://127.0.0.1:1/v1: it was asked for."
