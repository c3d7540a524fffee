"""What a model cannot do, said before anything is opened (contract 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.errors import UnsupportedByModel

if TYPE_CHECKING:
    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig

__all__ = ["refuse_unsupported"]


def refuse_unsupported(name: str, can: Capabilities, config: RunConfig) -> None:
    """Raises `UnsupportedByModel` for the first thing `config` asks that the model says it cannot do."""
    asked = (
        (config.modality == "TEXT" and not can.text_output, 'response_modalities=["TEXT"]', _USE_AUDIO),
        (config.modality == "AUDIO" and not can.audio_output, 'response_modalities=["AUDIO"]', _USE_TEXT),
        (
            config.manual_activity and not can.manual_activity,
            "activity signals of your own",
            _LEAVE_DETECTION,
        ),
        (
            bool(config.enable_affective_dialog) and not can.affective_dialog,
            "enable_affective_dialog",
            _LEAVE_OUT,
        ),
        (
            bool(config.proactivity and config.proactivity.proactive_audio) and not can.proactive_audio,
            "proactivity",
            _LEAVE_OUT,
        ),
        (
            config.context_window_compression is not None and not can.context_window_compression,
            "context_window_compression",
            _LEAVE_OUT,
        ),
        (
            config.session_resumption is not None
            and config.session_resumption.handle is not None
            and not can.session_resumption,
            "session_resumption with a handle",
            "Start without the handle; the stored conversation is told to the model instead.",
        ),
    )
    for refused, what, cure in asked:
        if refused:
            raise UnsupportedByModel(f"The model {name!r} cannot do {what}. {cure}")


_USE_AUDIO = 'Use ["AUDIO"]: its words come as text in output_transcription.'
_USE_TEXT = 'Use ["TEXT"].'
_LEAVE_DETECTION = "Leave automatic activity detection on."
_LEAVE_OUT = "Leave it out, or choose another model."
