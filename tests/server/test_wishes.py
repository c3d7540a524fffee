"""What clients may choose of a conversation (protocol 1.1, contract 8.1)."""

from __future__ import annotations

import pytest

from antiphon import RunConfig
from antiphon.server.messages import Config
from antiphon.server.wire import Malformed
from antiphon.server.wishes import Wishes
from antiphon.types import Modality, RealtimeInputConfig, SessionResumptionConfig

SERVER = RunConfig(
    response_modalities=[Modality.AUDIO],
    session_resumption=SessionResumptionConfig(),
    realtime_input_config=RealtimeInputConfig.model_validate(
        {"activityHandling": "NO_INTERRUPTION", "automaticActivityDetection": {"silenceDurationMs": 300}}
    ),
)


def test_who_wishes_nothing_gets_what_the_server_has() -> None:
    for wishes in (Wishes(), Wishes.of(Config()), Wishes.asked({}), Wishes.asked_as_adk({})):
        assert wishes.granted(SERVER) == SERVER


def test_hello_may_choose() -> None:
    granted = Wishes.of(Config("TEXT", True, True, True)).granted(SERVER)
    assert granted.modality == "TEXT" and granted.enable_affective_dialog
    assert granted.proactivity and granted.proactivity.proactive_audio
    assert granted.manual_activity and not granted.barge_in
    detection = granted.realtime_input_config and granted.realtime_input_config.automatic_activity_detection
    assert detection and detection.silence_duration_ms == 300
    back = Wishes.of(Config("AUDIO", False, False, False)).granted(granted)
    assert back.modality == "AUDIO" and not back.manual_activity
    assert back.proactivity is None and back.enable_affective_dialog is None
    assert Wishes(manual_activity=True).granted(RunConfig()).manual_activity


def test_a_query_may_choose() -> None:
    asked = Wishes.asked({"modality": "text", "proactivity": "True", "affective_dialog": "0", "other": "x"})
    assert asked == Wishes("TEXT", True, False)
    query = {"modalities": "AUDIO", "proactive_audio": "1", "enable_affective_dialog": "false"}
    adk = Wishes.asked_as_adk({**query, "enable_session_resumption": "true", "save_live_blob": "true"})
    assert adk == Wishes("AUDIO", True, False, None, True, True)
    granted = Wishes(session_resumption=False, save_live_blob=True).granted(SERVER)
    assert granted.session_resumption is None and granted.save_live_blob
    assert Wishes(session_resumption=True).granted(RunConfig()).session_resumption is not None


@pytest.mark.parametrize("query", [{"modality": "SONG"}, {"proactivity": "perhaps"}])
def test_what_cannot_be_read_is_named(query: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="|".join(query)):
        Wishes.asked(query)
