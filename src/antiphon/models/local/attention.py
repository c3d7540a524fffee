"""`Attention`: how readily sound counts as speech, and speech as an interruption."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from antiphon.errors import ConfigurationError
from antiphon.models.local.endpointing import Endpointing, Fixed
from antiphon.models.local.vad import FRAME_SECONDS
from antiphon.types import ActivityHandling, EndSensitivity, StartSensitivity

if TYPE_CHECKING:
    from antiphon.types import RealtimeInputConfig

__all__ = ["BACKCHANNELS", "Attention", "endpointing_for"]

BACKCHANNELS: Final = frozenset(
    "mm mmm mhm hm hmm uh um uhm er erm ah oh aha uh-huh mm-h mm-hm mm-hmm uhhuh mhmm huh "
    "okay ok yeah yep yup right sure cool wow great nice good well so exactly all i see "
    # what recognisers make of a hum or a breath
    "a the you".split()
)
"""What listeners say without wanting the floor; and what says nothing by itself."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Probabilities are those of a `Detector`; times are seconds of audio, and count in frames of 32 ms."""

    onset: float = 0.5
    """From this probability on, sound counts as speech."""
    release: float = 0.35
    """Below it, what counted as speech is silence again; at most `onset`."""
    onset_over_speech: float = 0.8
    """The same as `onset` while the agent speaks, whose voice may come back by the microphone."""
    least: float = 0.096
    """Speech has to last so long to count."""
    least_over_speech: float = 0.064
    """The same while the agent speaks: short, since a false start costs only a pause."""
    certain: float = 0.9
    """Above this probability a single frame will do while the agent speaks, unless it was a false start
    before; 1 for never."""
    pre_roll: float = 0.32
    """What was heard so long before the onset belongs to it: quiet consonants, the breath before."""
    patience: float = 1.0
    """What the waits of the `Endpointing` are multiplied with."""
    interruptible: bool = True
    """Whether a user who speaks while the agent does takes the floor."""
    insists: float = 0.8
    """So much speech while the agent is held interrupts it, whatever words it is."""
    asks: float = 0.768
    """While it is held, what was said is asked for after so much speech, and again after so much more;
    at a pause it is asked for sooner. In the middle of a word a recogniser guesses, and takes a hum for
    words: half of this is for one that cannot tell how likely a nod is."""
    weighs: float = 0.16
    """While it is held, after so much speech it is found out whether it can be a nod at all, and five times
    again in the next 0.4 s. What nobody can tell yet waits for words."""
    nod: float = 0.25
    """What is less likely to be one, of 1, interrupts it at once; 0 for never."""
    false_start: float = 0.4
    """So much silence while it is held, and no words: it goes on."""
    undecided: float = 2.0
    """The longest that it is held without a decision; then it is interrupted."""
    longest: float = 30.0
    """An utterance that lasts longer is ended, and goes on as another."""
    rejoin: float = 1.0
    """Speech so soon after an end is said to go on (`Onset.goes_on`)."""
    stall: float = 1.0
    """Seconds of the clock without any audio after which what is open ends."""
    manual: bool = False
    """No detection: the client marks where speech begins and ends."""
    backchannels: frozenset[str] = BACKCHANNELS
    """Words, in lower case, that do not interrupt."""

    def __post_init__(self) -> None:
        if not 0 < self.release <= self.onset <= self.onset_over_speech <= 1:
            raise ConfigurationError(
                f"release={self.release}, onset={self.onset}, onset_over_speech={self.onset_over_speech}: "
                "name probabilities above 0 and up to 1, none above the next."
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0 <= value < float("inf"):
                raise ConfigurationError(f"{field.name}={value}: name seconds, 0 or more.")

    def configured(self, config: RealtimeInputConfig | None) -> Attention:
        """As the run's configuration wants it; what that leaves out stays."""
        if config is None:
            return self
        changed = self
        match config.activity_handling:
            case ActivityHandling.NO_INTERRUPTION:
                changed = replace(changed, interruptible=False)
            case ActivityHandling.START_OF_ACTIVITY_INTERRUPTS:
                changed = replace(changed, interruptible=True)
        detection = config.automatic_activity_detection
        if detection is None:
            return changed
        if detection.disabled is not None:
            changed = replace(changed, manual=detection.disabled)
        match detection.start_of_speech_sensitivity:
            case StartSensitivity.START_SENSITIVITY_HIGH:
                changed = replace(changed, onset=0.4, release=min(changed.release, 0.3), least=0.064)
            case StartSensitivity.START_SENSITIVITY_LOW:
                changed = replace(
                    changed,
                    onset=0.7,
                    onset_over_speech=0.85,
                    least=0.16,
                    least_over_speech=0.128,
                    certain=1.0,
                )
        match detection.end_of_speech_sensitivity:
            case EndSensitivity.END_SENSITIVITY_HIGH:
                changed = replace(changed, release=changed.onset, patience=0.75)
            case EndSensitivity.END_SENSITIVITY_LOW:
                changed = replace(changed, release=min(changed.release, 0.2), patience=1.75)
        if (padding := detection.prefix_padding_ms) is not None:
            if padding < 0:
                raise ConfigurationError(f"prefix_padding_ms={padding}: name milliseconds, 0 or more.")
            changed = replace(changed, least=max(padding / 1000, FRAME_SECONDS))
        if detection.silence_duration_ms is not None:
            changed = replace(changed, patience=1.0)
        return changed


def endpointing_for(config: RealtimeInputConfig | None, default: Endpointing) -> Endpointing:
    """`default`, unless the configuration names a silence: then that, whatever is said."""
    detection = config.automatic_activity_detection if config is not None else None
    if detection is None or detection.silence_duration_ms is None:
        return default
    if detection.silence_duration_ms <= 0:
        raise ConfigurationError(
            f"silence_duration_ms={detection.silence_duration_ms}: name milliseconds above 0, or none."
        )
    return Fixed(detection.silence_duration_ms / 1000)
