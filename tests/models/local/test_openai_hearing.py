"""Recognition by a service, which is a real one on loopback."""

from __future__ import annotations

import io
import json
import sys
import threading
import wave
from contextlib import closing
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionLost,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    RequestRefused,
)
from antiphon.models.local.openai_hearing import LONGEST_SECONDS, OpenAIHearing
from antiphon.models.local.recognizer import Heard, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = bytes(range(250)) * 128  # 16,000 samples


class Service(ThreadingHTTPServer):
    """Answers with a text, or as it is told to."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[dict[str, bytes]] = []
        self.keys: list[str | None] = []
        self.status = 200
        self.answer: Any = {"text": " What's the weather? "}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/audio/transcriptions"
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + body)
        fields: dict[str, bytes] = {}
        assert isinstance(form, EmailMessage)
        for part in form.iter_parts():
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[str(part.get_param("name", header="content-disposition"))] = content
        self.server.asked.append(fields)
        self.server.keys.append(self.headers["authorization"])
        self.send_response(self.server.status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        refusal = {"error": {"message": "not so"}}
        self.wfile.write(json.dumps(self.server.answer if self.server.status == 200 else refusal).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def heard(recognizer: OpenAIHearing, pcm: bytes, vocabulary: Vocabulary | None = None) -> Heard:
    with closing(recognizer):
        hearing = recognizer.hear(vocabulary or Vocabulary())
        hearing.feed(pcm[:101])
        hearing.feed(pcm[101:])
        return hearing.heard()


def test_an_utterance_is_sent_as_a_file_and_its_text_comes_back(service: Service) -> None:
    vocabulary = Vocabulary(words=("Ada", "Lovelace"))
    found = heard(OpenAIHearing("whisper-1", base_url=service.url, api_key="k"), SECOND + b"x", vocabulary)
    assert found == Heard("What's the weather?", 1.0)
    (asked,) = service.asked
    with wave.open(io.BytesIO(asked.pop("file"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.readframes(99_999) == SECOND
    assert asked == {
        "model": b"whisper-1",
        "response_format": b"json",
        "language": b"en",
        "prompt": b"Ada, Lovelace",
    }
    assert service.keys == ["Bearer k"]


def test_no_words_are_no_words(service: Service) -> None:
    service.answer = {"text": " "}
    assert heard(OpenAIHearing(base_url=service.url, language=None), SECOND) == Heard("", 0.0)
    assert "language" not in service.asked[0]


def test_a_tenth_of_a_second_is_nothing_to_send(service: Service) -> None:
    assert heard(OpenAIHearing(base_url=service.url), SECOND[:3_000]) == Heard("", 0.0)
    assert service.asked == []


def test_an_endless_utterance_is_sent_up_to_a_limit(service: Service) -> None:
    heard(OpenAIHearing(base_url=service.url), SECOND * (LONGEST_SECONDS + 5))
    assert len(service.asked[0]["file"]) == 44 + LONGEST_SECONDS * len(SECOND)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RequestRefused), (401, AuthenticationRefused), (404, ModelNotFound), (503, ModelUnavailable)],
)
def test_a_refusal_keeps_its_reason(service: Service, status: int, error: type[ModelConnectionError]) -> None:
    service.status = status
    with pytest.raises(error, match="not so") as caught:
        heard(OpenAIHearing(base_url=service.url), SECOND)
    assert caught.value.code == status


def test_an_answer_that_is_no_transcript_is_refused(service: Service) -> None:
    service.answer = {"something": "else"}
    with pytest.raises(RequestRefused, match="base_url"):
        heard(OpenAIHearing(base_url=service.url), SECOND)


def test_a_service_that_is_not_there_cannot_be_reached() -> None:
    with pytest.raises(ConnectionLost, match="cannot be reached"):
        heard(OpenAIHearing(base_url="http://127.0.0.1:9/v1"), SECOND)


def test_without_a_key_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MissingCredentials, match="OPENAI_API_KEY"):
        OpenAIHearing().hear(Vocabulary())


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"antiphon\[openai\]"):
        OpenAIHearing(base_url="http://127.0.0.1:9/v1").hear(Vocabulary())


def test_a_timeout_is_above_zero() -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        OpenAIHearing(timeout=0)
