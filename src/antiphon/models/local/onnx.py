"""ONNX Runtime: models that ship in packages, one session each for the process, and nothing reported.

From 1.29 on its wheels send usage data to Microsoft, from the moment they are imported, unless the
environment forbids it. A local voice promises that nothing leaves the machine.
"""

from __future__ import annotations

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from antiphon.errors import ConfigurationError, MissingExtra

__all__ = ["keep_quiet", "session_of", "shipped"]

OPT_OUT: Final = "ORT_DISABLE_TELEMETRY"
_LOCK: Final = threading.Lock()
_sessions: Final[dict[Path, Any]] = {}


def keep_quiet() -> None:
    """Forbids it for this process; to be called before `onnxruntime` is imported, by whomever.

    What the environment says already stays.
    """
    os.environ.setdefault(OPT_OUT, "1")


def session_of(path: Path) -> Any:
    """The session of that model, which computes on the thread that asks; several may at once.

    Raises `MissingExtra` without the package, and `ConfigurationError` for what is no model.
    """
    keep_quiet()
    try:
        import onnxruntime
    except ImportError as missing:
        raise MissingExtra("This needs onnxruntime: pip install 'antiphon[voice]'.") from missing
    with _LOCK:
        if path not in _sessions:
            options = onnxruntime.SessionOptions()
            options.inter_op_num_threads = options.intra_op_num_threads = 1
            options.log_severity_level = 3
            try:
                _sessions[path] = onnxruntime.InferenceSession(
                    str(path), providers=["CPUExecutionProvider"], sess_options=options
                )
            except Exception as error:  # it raises classes of its own, with nothing in common
                raise ConfigurationError(f"ONNX Runtime cannot load {path}: {error}") from error
        return _sessions[path]


def shipped(package: str, *parts: str) -> Path:
    """Where a package has a model, which is not imported for it.

    Raises `MissingExtra` without the package, and `ConfigurationError` where it has none there.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(f"This needs {package}: pip install 'antiphon[voice]'.")
    path = Path(next(iter(found.submodule_search_locations)), *parts)
    if not path.exists():
        raise ConfigurationError(
            f"There is no model at {path}: another {package} has it, pip install 'antiphon[voice]'."
        )
    return path
