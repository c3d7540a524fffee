"""WAV files that grow."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import pytest

from antiphon.runtime.wav import BLOCK, HEADER, append, header, interleave, repair

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path) -> tuple[int, int, bytes]:
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        return file.getnchannels(), file.getframerate(), file.readframes(file.getnframes())


def test_it_can_be_played_after_every_write(tmp_path: Path) -> None:
    # contract 4.3
    path, whole = tmp_path / "a.wav", b""
    for number in range(4):
        chunk = bytes([number]) * 480
        append(path, chunk, 24_000)
        whole += chunk
        assert read(path) == (1, 24_000, whole)
    assert path.stat().st_mode & 0o077 == 0, "voices are nobody else's business"


def test_a_sample_that_comes_in_halves_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    append(path, b"\1\2\3", 16_000)
    assert read(path) == (1, 16_000, b"\1\2")
    append(path, b"\4", 16_000)
    assert read(path) == (1, 16_000, b"\1\2\3\4")


@pytest.mark.parametrize("channels", [1, 2])
def test_what_the_header_does_not_know_of_is_found_again(tmp_path: Path, channels: int) -> None:
    # contract 4.3: the process was killed between two writes
    path = tmp_path / "a.wav"
    path.write_bytes(header(4, 8_000, channels) + b"\1\0\2\0" * 5 + b"\7")
    assert repair(path)
    assert read(path) == (channels, 8_000, b"\1\0\2\0" * 5)


@pytest.mark.parametrize("left", [b"", b"RIFF", header(0, 16_000), header(0, 16_000) + b"\1"])
def test_a_file_without_audio_is_none(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(left)
    assert not repair(path)


def test_a_file_whose_header_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header(0, 16_000)[: HEADER // 2])
    append(path, b"\1\0", 16_000)
    assert read(path) == (1, 16_000, b"\1\0")


def test_two_voices_are_two_sides_and_the_shorter_ends_in_silence(tmp_path: Path) -> None:
    # contract 4.3
    left, right, both = tmp_path / "l", tmp_path / "r", tmp_path / "b.wav"
    left.write_bytes(b"\1\2\3\4")
    right.write_bytes(b"\5\6" + b"\7")
    interleave(left, right, 24_000, both)
    assert read(both) == (2, 24_000, b"\1\2\5\6\3\4\0\0")
    interleave(tmp_path / "none", right, 24_000, both)
    assert read(both) == (2, 24_000, b"\0\0\5\6")


def test_long_conversations_are_put_together_in_blocks(tmp_path: Path) -> None:
    left, right, both = tmp_path / "l", tmp_path / "r", tmp_path / "b.wav"
    left.write_bytes(b"\1\0" * BLOCK)
    right.write_bytes(b"\2\0" * (BLOCK // 2 + 3))
    interleave(left, right, 24_000, both)
    pcm = read(both)[2]
    assert pcm[0::4] == b"\1" * BLOCK
    assert pcm[2::4] == b"\2" * (BLOCK // 2 + 3) + b"\0" * (BLOCK // 2 - 3)
