"""How a client wants a new conversation to be: what it may choose of the server's `RunConfig`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from antiphon.server.wire import Malformed
from antiphon.types import (
    AutomaticActivityDetection,
    Modality,
    ProactivityConfig,
    RealtimeInputConfig,
    SessionResumptionConfig,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.config import RunConfig
    from antiphon.server import messages

__all__ = ["Wishes"]

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a client may choose; `None` leaves it as the server has it."""

    modality: Literal["AUDIO", "TEXT"] | None = None
    proactivity: bool | None = None
    affective_dialog: bool | None = None
    manual_activity: bool | None = None
    session_resumption: bool | None = None
    save_live_blob: bool | None = None

    @classmethod
    def of(cls, config: messages.Config) -> Wishes:
        """Those of a `hello` (protocol 1.1)."""
        return cls(config.modality, config.proactivity, config.affective_dialog, config.manual_activity)

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Wishes:
        """Those of a plain client's query (contract 8.1). Raises `Malformed`."""
        return cls(
            _modality(query, "modality"), _flag(query, "proactivity"), _flag(query, "affective_dialog")
        )

    @classmethod
    def asked_as_adk(cls, query: Mapping[str, str]) -> Wishes:
        """Those of a client of `/run_live` (contract 8.1). Raises `Malformed`."""
        return cls(
            modality=_modality(query, "modalities"),
            proactivity=_flag(query, "proactive_audio"),
            affective_dialog=_flag(query, "enable_affective_dialog"),
            session_resumption=_flag(query, "enable_session_resumption"),
            save_live_blob=_flag(query, "save_live_blob"),
        )

    def granted(self, config: RunConfig) -> RunConfig:
        """`config` with these."""
        changes: dict[str, Any] = {}
        if self.modality is not None:
            changes["response_modalities"] = [Modality(self.modality)]
        if self.proactivity is not None:
            changes["proactivity"] = ProactivityConfig(proactive_audio=True) if self.proactivity else None
        if self.affective_dialog is not None:
            changes["enable_affective_dialog"] = self.affective_dialog or None
        if self.manual_activity is not None:
            realtime = config.realtime_input_config or RealtimeInputConfig()
            detection = realtime.automatic_activity_detection or AutomaticActivityDetection()
            detection = detection.model_copy(update={"disabled": self.manual_activity})
            changes["realtime_input_config"] = realtime.model_copy(
                update={"automatic_activity_detection": detection}
            )
        if self.session_resumption is not None:
            changes["session_resumption"] = SessionResumptionConfig() if self.session_resumption else None
        if self.save_live_blob is not None:
            changes["save_live_blob"] = self.save_live_blob
        return config.model_copy(update=changes) if changes else config


def _flag(query: Mapping[str, str], name: str) -> bool | None:
    if (given := query.get(name)) is None:
        return None
    if (value := _BOOLEANS.get(given.lower())) is None:
        raise Malformed("bad_message", f"{name} is true or false, not {given[:40]!r}.", 1008)
    return value


def _modality(query: Mapping[str, str], name: str) -> Literal["AUDIO", "TEXT"] | None:
    match query.get(name, "").upper():
        case "":
            return None
        case "AUDIO":
            return "AUDIO"
        case "TEXT":
            return "TEXT"
        case given:
            raise Malformed("bad_message", f"{name} is AUDIO or TEXT, not {given[:40]!r}.", 1008)
