"""The default devices, by a PortAudio of the test's own."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from antiphon.cli.audio_device import SoundDevice
from antiphon.errors import ConfigurationError, MissingExtra


class PortAudioError(Exception):
    pass


@dataclass
class Stream:
    options: dict[str, Any]
    latency: float = 0.08
    running: bool = False
    failing: bool = False

    def start(self) -> None:
        if self.failing:
            raise PortAudioError("Device unavailable")
        self.running = True

    def close(self, ignore_errors: bool = False) -> None:
        self.running = False


@dataclass
class PortAudio:
    """What is connected, and the streams that were opened."""

    devices: dict[str, str] = field(default_factory=lambda: {"input": "headset", "output": "headphones"})
    failing: str = ""
    streams: dict[str, Stream] = field(default_factory=dict)

    def query_devices(self, kind: str) -> dict[str, str]:
        if kind not in self.devices:
            raise PortAudioError("Error querying device -1")
        return {"name": self.devices[kind]}

    def opened(self, kind: str, options: dict[str, Any]) -> Stream:
        self.streams[kind] = Stream(options, failing=kind == self.failing)
        return self.streams[kind]


@pytest.fixture
def audio(monkeypatch: pytest.MonkeyPatch) -> PortAudio:
    audio, module = PortAudio(), ModuleType("sounddevice")
    vars(module).update(
        PortAudioError=PortAudioError,
        query_devices=audio.query_devices,
        RawInputStream=lambda **options: audio.opened("input", options),
        RawOutputStream=lambda **options: audio.opened("output", options),
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return audio


def test_sound_goes_both_ways(audio: PortAudio) -> None:
    device, heard = SoundDevice(), list[bytes]()
    assert device.names() == ("headset", "headphones")
    assert device.open(heard.append, lambda size: b"\1" * size) == 0.08
    microphone, loudspeaker = audio.streams["input"], audio.streams["output"]
    assert (microphone.options["samplerate"], loudspeaker.options["samplerate"]) == (16_000, 24_000)
    assert microphone.options["channels"] == loudspeaker.options["channels"] == 1
    microphone.options["callback"](memoryview(b"abcd"), 2, None, None)
    room = bytearray(4)
    loudspeaker.options["callback"](memoryview(room), 2, None, None)
    assert heard == [b"abcd"] and room == b"\1" * 4
    device.close()
    device.close()
    assert not microphone.running and not loudspeaker.running


def test_a_microphone_that_is_not_wanted_stays_off(audio: PortAudio) -> None:
    del audio.devices["input"]
    SoundDevice().open(None, bytes)
    assert audio.streams.keys() == {"output"}


@pytest.mark.parametrize(("kind", "what"), [("input", "microphone"), ("output", "loudspeaker")])
def test_a_device_that_is_not_there(audio: PortAudio, kind: str, what: str) -> None:
    del audio.devices[kind]
    with pytest.raises(ConfigurationError, match=rf"no {what} here .*system's default, or use --wav FILE"):
        SoundDevice().names()


def test_a_device_that_cannot_be_used_leaves_none_open(audio: PortAudio) -> None:
    audio.failing = "input"
    with pytest.raises(ConfigurationError, match="'headset' cannot be used at 16000 Hz"):
        SoundDevice().open(lambda pcm: None, bytes)
    assert not audio.streams["output"].running


def test_what_has_to_be_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[microphone\]', or use --wav FILE"):
        SoundDevice().names()

    class NoLibrary:
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [NoLibrary(), *sys.meta_path])
    with pytest.raises(ConfigurationError, match="apt install libportaudio2, or use --wav FILE"):
        SoundDevice().names()
