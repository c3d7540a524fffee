import pytest

from antiphon.models.gemini_profiles import PROFILES, UNKNOWN, profile_of

FAMILIES = {  # wire reference 1.10
    "gemini-3.8-live": "3.8-live",
    "models/gemini-3.8-live": "3.8-live",
    "gemini-3.8-live-extended-thinking": "3.8-live-extended-thinking",
    "gemini-3.1-flash-live-preview": "3.1-flash-live",
    "gemini-2.5-flash-native-audio-preview-09-2025": "2.5-native-audio",
    "gemini-live-2.5-flash-preview-native-audio": "2.5-native-audio",
    "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash": "live-2.5-flash",
    "GEMINI-2.0-FLASH-LIVE-001": "2.0-flash-live",
    "robotics-er-2-streaming": "robotics-er-2-streaming",
    "gemini-robotics-er-2-streaming-preview": "robotics-er-2-streaming",
    "gemini-9-live": "unknown",
}


@pytest.mark.parametrize(("model", "family"), FAMILIES.items())
def test_a_model_has_the_profile_of_its_family(model: str, family: str) -> None:
    assert profile_of(model).family == family


@pytest.mark.parametrize(
    ("family", "text", "audio", "non_blocking", "scheduling", "budget", "level", "affective", "parts"),
    [
        ("2.5-native-audio", False, True, True, True, True, False, True, False),
        ("3.1-flash-live", False, True, False, False, False, True, False, False),
        ("3.8-live", False, True, True, True, False, False, False, True),
        ("3.8-live-extended-thinking", False, True, True, False, False, True, False, True),
        ("live-2.5-flash", True, True, False, False, False, False, True, True),
        ("robotics-er-2-streaming", True, False, False, False, False, False, False, True),
    ],
)
def test_what_was_measured_of_each_family(  # contract 6.2
    family: str,
    text: bool,
    audio: bool,
    non_blocking: bool,
    scheduling: bool,
    budget: bool,
    level: bool,
    affective: bool,
    parts: bool,
) -> None:
    (can,) = (profile.capabilities for profile in PROFILES if profile.family == family)
    assert (can.text_output, can.audio_output) == (text, audio)
    assert (can.non_blocking_tools, can.tool_scheduling) == (non_blocking, scheduling)
    assert (can.thinking_budget, can.thinking_level) == (budget, level)
    assert (can.affective_dialog, can.function_parts_in_history) == (affective, parts)


def test_handles_of_the_newer_models_stand_for_the_session_itself() -> None:  # wire reference 1.8
    assert {profile.family for profile in PROFILES if profile.capabilities.handle_is_snapshot} == {
        "2.5-native-audio",
        "live-2.5-flash",
        "2.0-flash-live",
    }


def test_an_unknown_model_is_refused_nothing() -> None:
    can = UNKNOWN.capabilities
    assert can.text_output and can.audio_output and can.affective_dialog and can.proactive_audio
    assert can.thinking_budget and can.thinking_level and can.non_blocking_tools and can.tool_scheduling


def test_which_models_wait_for_tools() -> None:  # wire reference 1.10
    waiting = {p.family: (p.capabilities.blocking_tools, p.capabilities.blocks_by_default) for p in PROFILES}
    assert {family for family, (able, _) in waiting.items() if not able} == {"3.8-live-extended-thinking"}
    assert {family for family, (_, default) in waiting.items() if not default} == {
        "3.8-live",
        "3.8-live-extended-thinking",
    }
