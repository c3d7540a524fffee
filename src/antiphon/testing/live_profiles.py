"""What is peculiar to each model, as data (wire 1.10), and how fast the service is (wire 1.6). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

__all__ = ["PROFILES", "HandlePolicy", "Profile", "Timing", "profile_named", "profile_of"]


class HandlePolicy(StrEnum):
    """When a session tells its resumption handle (wire 1.8)."""

    PER_CONNECTION = "per_connection"
    """Once, right after `setupComplete`; it denotes the session, whatever happens later."""
    PER_TURN = "per_turn"
    """After `setupComplete` and after each turn, a snapshot; `resumable: false` while the model is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one model differs from the others. The defaults accept everything."""

    name: str
    models: tuple[str, ...] = ()
    """Parts of a model's name by which it is known; the first profile that fits wins."""
    modalities: tuple[str, ...] = ("AUDIO", "TEXT")
    """Response modalities it can produce, the default first."""
    text_as_transcription: bool = False
    """Its text comes as `outputTranscription`."""
    non_blocking: Literal["honoured", "ignored", "default", "always"] = "honoured"
    """`default`: without a `behavior` a function is NON_BLOCKING; `always`: BLOCKING is refused."""
    scheduling: bool = True
    """Whether function responses may have `scheduling`; if not, 1007."""
    thinking_level: Literal["accepted", "refused", "required"] = "accepted"
    thinking_budget: bool = True
    typed_text_interrupts: bool = True
    """Realtime text cuts the model off; otherwise it finishes first, then answers."""
    voice_activity: bool = True
    """Whether `voiceActivity` frames are sent."""
    interaction_status: bool = False
    turn_ends_with_calls: Literal["never", "non_blocking", "always"] = "never"
    """Which generations that only call tools end with a `turnComplete` of their own."""
    seeded_calls: Literal["accepted", "refused", "lost"] = "accepted"
    """Function parts in seeded history; `lost`: not remembered by a resumed session."""
    seeded_audio: bool = True
    affective_dialog: Literal["accepted", "refused", "refused_later"] = "accepted"
    """`refused_later`: with the first input instead of with the setup."""
    response_media: bool = True
    """Whether media in `FunctionResponse.parts` are looked at (PDF is then refused)."""
    code_execution: bool = True
    joined_frames: bool = True
    """One frame may carry audio and its transcript; otherwise they come one after the other."""
    handles: HandlePolicy = HandlePolicy.PER_CONNECTION


PROFILES: Final[tuple[Profile, ...]] = (
    Profile(
        name="2.5-native-audio",
        models=("2.5-flash-native-audio", "2.5-native-audio", "2.5-flash-preview-native-audio"),
        modalities=("AUDIO",),
        typed_text_interrupts=False,
        voice_activity=False,
        seeded_calls="refused",
        seeded_audio=False,
        response_media=False,
        joined_frames=False,
        handles=HandlePolicy.PER_TURN,
    ),
    Profile(
        name="3.1-flash-live-preview",
        models=("3.1-flash-live",),
        modalities=("AUDIO",),
        non_blocking="ignored",
        seeded_calls="lost",
        affective_dialog="refused",
        code_execution=False,
    ),
    Profile(
        name="3.8-live-extended-thinking",
        models=("3.8-live-extended-thinking", "live-extended-thinking"),
        modalities=("AUDIO",),
        non_blocking="always",
        scheduling=False,
        thinking_level="required",
        interaction_status=True,
        turn_ends_with_calls="non_blocking",
        affective_dialog="refused",
        code_execution=False,
    ),
    Profile(
        name="3.8-live",
        models=("3.8-live", "3.8-flash-live"),
        modalities=("AUDIO",),
        non_blocking="default",
        thinking_level="refused",
        turn_ends_with_calls="non_blocking",
        affective_dialog="refused_later",
        code_execution=False,
    ),
    Profile(
        name="robotics-er-2-streaming",
        models=("robotics-er",),
        modalities=("TEXT",),
        text_as_transcription=True,
    ),
    Profile(
        name="vertex-live-2.5-flash",
        models=("live-2.5-flash",),
        non_blocking="ignored",
        thinking_level="refused",
        thinking_budget=False,
        voice_activity=False,
        turn_ends_with_calls="always",
    ),
    Profile(name="any"),
)


def profile_named(name: str) -> Profile:
    """Raises `ValueError`, which names the known ones."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise ValueError(f"no profile {name!r}; there are {', '.join(p.name for p in PROFILES)}")


def profile_of(model: str) -> Profile:
    """The profile of a model by its name, with or without `models/`; "any" for one that is not known."""
    return next((p for p in PROFILES if any(part in model for part in p.models)), PROFILES[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long the service takes, in seconds; the defaults were measured on it (wire 1.6)."""

    setup: float = 0.34
    """From `setup` to `setupComplete`."""
    first_handle: float = 0.1
    """From `setupComplete` to the first handle; on a resumed connection 2 ms at most."""
    text_to_call: float = 0.55
    """From typed text to a tool call; after speech it comes at once."""
    first_audio: float = 0.5
    """From the end of the user's turn to the first chunk."""
    after_response: float = 0.65
    """From a tool response to the first chunk."""
    delivery: float = 4.3
    """Seconds of audio sent per second; infinity sends all at once."""
    generation_complete: float = 0.025
    """From the last chunk to `generationComplete`."""
    playback: float = 1.0
    """`turnComplete` comes at the first chunk plus this many times the audio: playback is simulated."""
    pauses: float = 1.0
    """By how much the pauses in a reply are stretched."""
    refusal: float = 0.5
    """From the setup of a resumption that is refused to the close."""

    @classmethod
    def instant(cls, **changes: float) -> Timing:
        """No delays, except `changes`: `Timing.instant(playback=1.0)` holds a turn open while it plays."""
        zero = dict.fromkeys(cls.__dataclass_fields__, 0.0)
        return cls(**(zero | {"delivery": float("inf")} | changes))
