"""ONNX Runtime, without what it reports.

From 1.29 on its wheels send usage data to Microsoft, from the moment they are imported, unless the
environment forbids it. A local voice promises that nothing leaves the machine.
"""

from __future__ import annotations

import os

__all__ = ["keep_quiet"]

OPT_OUT = "ORT_DISABLE_TELEMETRY"


def keep_quiet() -> None:
    """Forbids it for this process; to be called before `onnxruntime` is imported, by whomever.

    What the environment says already stays.
    """
    os.environ.setdefault(OPT_OUT, "1")
