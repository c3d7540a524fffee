"""Spoken sentences for tests: by eSpeak NG, as a microphone gives them, the same every time."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import soxr

from antiphon.models.local.espeak import Espeak, _loaded

RATE = 16_000
ESPEAK_RATE = 22_050


@cache
def said(sentence: str, voice: str = "en-us", words_per_minute: int = 150) -> bytes:
    """The sentence by eSpeak NG at its own rate, said by a process of its own.

    In one process each sentence sounds a little different for all that was said before it: tests would depend
    on their order.
    """
    speak = [sys.executable, __file__, sentence, voice, str(words_per_minute)]
    return subprocess.run(speak, check=True, capture_output=True).stdout


@cache
def spoken(sentence: str, voice: str = "en-us", words_per_minute: int = 150) -> bytes:
    """16 kHz PCM in a room with faint noise, with 0.3 s before the speech and 0.5 s after it."""
    pcm = said(sentence, voice, words_per_minute)
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    speech = soxr.resample(samples, ESPEAK_RATE, RATE) * (16_000 / np.abs(samples).max())
    sound = np.concatenate([np.zeros(int(0.3 * RATE)), speech, np.zeros(int(0.5 * RATE))])
    sound += np.random.default_rng(7).standard_normal(len(sound)) * 20
    return bytes(np.clip(sound, -32_768, 32_767).astype(np.int16).tobytes())


if __name__ == "__main__":
    synthesizer = Espeak(sys.argv[2], words_per_minute=int(sys.argv[3]))
    synthesizer.prepare()
    _loaded()._call.espeak_ng_SetRandSeed(7)  # else its breath differs from time to time
    sys.stdout.buffer.write(b"".join(stretch.pcm for stretch in synthesizer.say(sys.argv[1])))
