"""What can be made to go wrong (wire 1.11): switches, and mishaps at named steps. Pure.

```python
Faults(at={"tool_call": Close(1011, "Internal error encountered.")})   # after the first toolCall frame
Faults(at={"model_turn:3": Abort()})                                  # after the third frame of the model's
Faults(at={"turn_complete": [GoAway(50.0), Freeze()]})                # goAway, then silence
faults = Faults().on(1, http_status=503)                              # the first connection only
faults.frozen = True                                                  # at any time
```

The steps of a connection, as the server sees them; the mishap follows the step:

    connect                                                       the upgrade is done
    setup client_content text audio video stream_end              received, not yet acted upon
    activity_start activity_end tool_response context_update      likewise
    setup_complete handle model_turn output_transcription         sent
    input_transcription voice_start voice_end tool_call           sent
    tool_call_cancellation interrupted generation_complete        sent
    turn_complete go_away                                         sent

A bare step is every time, `step:n` the n-th time on a connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from antiphon.testing.live_wire import Message

__all__ = [
    "STEPS",
    "Abort",
    "Close",
    "Faults",
    "Freeze",
    "Garbage",
    "GoAway",
    "Inject",
    "Mishap",
    "Oversized",
    "received_steps",
    "sent_steps",
]


@dataclass(frozen=True, slots=True)
class Close:
    """A close frame; see wire 1.9 for codes and reasons. Reasons are cut at 123 bytes."""

    code: int = 1011
    reason: str = "Internal error encountered."


@dataclass(frozen=True, slots=True)
class Abort:
    """The connection is reset, without a close frame."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """The socket stays up, pings are answered, but no frame is sent any more."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """`goAway` with so many `seconds` left, after which `then` happens: a close, or nothing."""

    seconds: float = 50.0
    then: Close | Abort | None = None


@dataclass(frozen=True, slots=True)
class Inject:
    """Another frame, in the wire's own words; several keys and an `error` object are fine."""

    frame: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Garbage:
    """A frame that is not JSON."""

    data: bytes = b"\x00\xffnot json"


@dataclass(frozen=True, slots=True)
class Oversized:
    """A frame of so many bytes; the SDK's socket closes with 1009 above 1 MiB (wire 1.3)."""

    size: int = 2**20 + 4096


Mishap = Close | Abort | Freeze | GoAway | Inject | Garbage | Oversized

STEPS = frozenset(
    (
        "connect setup client_content text audio video stream_end activity_start activity_end "
        "tool_response context_update setup_complete handle model_turn output_transcription "
        "input_transcription voice_start voice_end tool_call tool_call_cancellation interrupted "
        "generation_complete turn_complete go_away"
    ).split()
)


@dataclass(kw_only=True)
class Faults:
    """All off by default; each may be set at any time.

    Switches on what the emulated model does have no effect on scripts, which say themselves what happens.
    """

    at: Mapping[str, Mishap | Sequence[Mishap]] = field(default_factory=dict)
    """Step → what happens then."""
    http_status: int | None = None
    """The upgrade is refused with it: 401, 403, 429, 503."""
    refuse_tcp: bool = False
    """The connection is reset before a byte was read. `LiveServer.unreachable` refuses it altogether."""
    setup_hangs: bool = False
    """`setup` is never answered."""
    frozen: bool = False
    """Frames are lost while it is set."""
    empty_frames: bool = False
    """`{}` and `{"serverContent": {}}` come in between model speech."""
    parts_per_frame: int = 1
    """So many chunks of speech in one frame, as parts."""
    spurious_interruption: bool = False
    """`interrupted` and `turnComplete` when the user begins to speak though nothing is left to cut off."""
    repeat_tool_call: bool = False
    """After an interruption the cut-off call comes again: new id, arguments slightly different."""
    cancel_tool_calls: bool = False
    """`toolCallCancellation` for the calls that an interruption cuts off."""
    late_response: Close | None = None
    """On an answer to a call that is not pending; otherwise it is ignored without error."""
    lose_tool_calls: bool = False
    """Pending tool calls do not survive a resume."""
    forget_speech: bool = False
    """A resumed session does not speak the rest of the sentence that was cut off."""
    handle_expired: bool = False
    """Every handle is refused."""
    early_resume: float = 0.0
    """Seconds after the loss of an idle session in which a resume is refused with 1011; really 1.0."""
    hold_session: float = 0.0
    """Seconds after any loss in which the service holds the old socket, and refuses with 1011."""

    def __post_init__(self) -> None:
        self._per_connection: dict[int, Faults] = {}
        for key in self.at:
            step, _, nth = key.partition(":")
            if step not in STEPS or (nth and not (nth.isdigit() and int(nth))):
                raise ValueError(
                    f"no step {key!r}; there are {', '.join(sorted(STEPS))}, each with :n or without"
                )

    def on(self, connection: int, faults: Faults | None = None, **switches: Any) -> Faults:
        """Faults of their own for the connection of this number, from 1, instead of these. Returns `self`."""
        self._per_connection[connection] = faults if faults is not None else Faults(**switches)
        return self

    def of(self, connection: int) -> Faults:
        """What holds for the connection of this number."""
        return self._per_connection.get(connection, self)

    def mishaps(self, step: str, occurrence: int) -> list[Mishap]:
        """What happens after a step that was taken for the `occurrence`-th time."""
        found: list[Mishap] = []
        for key in (step, f"{step}:{occurrence}"):
            if (planned := self.at.get(key)) is not None:
                found += [planned] if isinstance(planned, Mishap) else planned
        return found


def received_steps(message: Message) -> list[str]:
    """The step that a client message is; none for one that cannot be read."""
    match message.kind:
        case "":
            return []
        case "clientContent":
            return ["client_content"]
        case "toolResponse":
            return ["tool_response"]
        case "contextUpdate":
            return ["context_update"]
        case "realtimeInput":
            body = message["realtimeInput"] or {}
            names = {"text": "text", "audio": "audio", "video": "video", "audioStreamEnd": "stream_end"}
            names |= {"activityStart": "activity_start", "activityEnd": "activity_end"}
            if body.get("mediaChunks"):
                return ["audio" if message.audio is not None else "video"]
            return [step for name, step in names.items() if name in body]
    return ["setup"]


def sent_steps(frame: Mapping[str, Any]) -> list[str]:
    """The steps that a server frame is, in the order of the list above."""
    content = frame.get("serverContent") or {}
    voice = (frame.get("voiceActivity") or {}).get("type")
    known = {
        "setup_complete": "setupComplete" in frame,
        "handle": bool((frame.get("sessionResumptionUpdate") or {}).get("newHandle")),
        "model_turn": "modelTurn" in content,
        "output_transcription": "outputTranscription" in content,
        "input_transcription": "inputTranscription" in content,
        "voice_start": voice == "ACTIVITY_START",
        "voice_end": voice == "ACTIVITY_END",
        "tool_call": "toolCall" in frame,
        "tool_call_cancellation": "toolCallCancellation" in frame,
        "interrupted": bool(content.get("interrupted")),
        "generation_complete": bool(content.get("generationComplete")),
        "turn_complete": bool(content.get("turnComplete")),
        "go_away": "goAway" in frame,
    }
    return [step for step, taken in known.items() if taken]
