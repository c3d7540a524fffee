"""Speech by a service, which is a real one on loopback."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import closing
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
from antiphon.models.local.manner import Manner
from antiphon.models.local.openai_speech import LONGEST, OpenAISpeech

if TYPE_CHECKING:
    from collections.abc import Iterator

SOUND = bytes(range(250)) * 192  # 24,000 samples: one second


class Service(ThreadingHTTPServer):
    """Answers with `SOUND` in odd pieces, or as it is told to."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status = 200
        self.kind = "audio/pcm"
        self.first_heard = threading.Event()
        self.wait_for_the_first = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/audio/speech"
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers["authorization"])
        self.send_response(self.server.status)
        self.send_header(
            "content-type", self.server.kind if self.server.status == 200 else "application/json"
        )
        self.end_headers()
        if self.server.status != 200:
            self.wfile.write(b'{"error": {"message": "not so"}}')
            return
        self.wfile.write(SOUND[:9_601])
        if self.server.wait_for_the_first:
            assert self.server.first_heard.wait(10)
        self.wfile.write(SOUND[9_601:])

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


def test_a_sentence_is_asked_for_as_raw_sound(service: Service) -> None:
    with closing(
        OpenAISpeech(voice="nova", base_url=service.url, instructions="Softly.", speed=1.5)
    ) as voice:
        found = list(voice.say("Hello there, you."))
        assert [each.pcm for each in voice.say("🙂")] == [b""]
    assert "".join(each.text for each in found) == "Hello there, you."
    assert b"".join(each.pcm for each in found) == SOUND
    assert service.asked == [
        {
            "model": "gpt-4o-mini-tts",
            "voice": "nova",
            "input": "Hello there, you.",
            "response_format": "pcm",
            "instructions": "Softly.",
            "speed": 1.5,
        }
    ]


def test_the_sound_streams(service: Service) -> None:
    service.wait_for_the_first = True
    with closing(OpenAISpeech(base_url=service.url)) as voice:
        stream = voice.say("Hello there.")
        assert len(next(stream).pcm) == 4_800
        service.first_heard.set()
        assert sum(len(each.pcm) for each in stream) == len(SOUND) - 4_800


def test_it_may_be_closed_early(service: Service) -> None:
    with closing(OpenAISpeech(base_url=service.url)) as voice:
        stream = voice.say("Hello there.")
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert b"".join(each.pcm for each in voice.say("And again.")) == SOUND


def test_another_voice_may_be_chosen_later(service: Service) -> None:  # contract 6.6
    with closing(OpenAISpeech(base_url=service.url, voice="alloy")) as voice:
        list(voice.speaking(Manner("nova", "de-DE")).say("Hi."))
        list(voice.speaking(Manner(None, "de-DE")).say("Hi."))
    assert [asked["voice"] for asked in service.asked] == ["nova", "alloy"]


def test_a_text_that_is_too_long_is_asked_for_in_parts(service: Service) -> None:
    text = "word " * 1000
    with closing(OpenAISpeech(base_url=service.url)) as voice:
        assert "".join(each.text for each in voice.say(text)) == text
    assert [len(asked["input"]) for asked in service.asked] == [LONGEST, 5000 - LONGEST]


def test_keys(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MissingCredentials, match="set OPENAI_API_KEY, or name a base_url"):
        OpenAISpeech().prepare()
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    for key in (None, "given"):
        with closing(OpenAISpeech(base_url=service.url, api_key=key)) as voice:
            voice.prepare()
            list(voice.say("Hi."))
    assert service.keys == ["Bearer from-the-environment", "Bearer given"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationRefused), (404, ModelNotFound), (400, RequestRefused), (503, ModelUnavailable)],
)
def test_a_refusal_says_what_the_service_said(
    service: Service, status: int, kind: type[ModelConnectionError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    service.status = status
    with closing(OpenAISpeech(base_url=service.url)) as voice, pytest.raises(kind, match="not so") as raised:
        list(voice.say("Hi."))
    assert raised.value.code == status


def test_an_answer_that_is_no_sound_is_refused(service: Service) -> None:
    service.kind = "text/html"
    with closing(OpenAISpeech(base_url=service.url)) as voice:
        with pytest.raises(RequestRefused, match="text/html instead of PCM"):
            list(voice.say("Hi."))


def test_where_nobody_answers(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.0)
    with closing(OpenAISpeech(base_url="http://127.0.0.1:1/v1")) as voice:
        with pytest.raises(ConnectionLost, match="check base_url"):
            list(voice.say("Hi."))


def test_settings_and_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        OpenAISpeech(rate=0)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[openai\]'"):
        OpenAISpeech(api_key="k").prepare()
