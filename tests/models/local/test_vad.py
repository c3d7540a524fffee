from antiphon.models.local.vad import FRAME_BYTES, FRAME_SECONDS, RATE


def test_a_frame_is_as_long_as_its_samples() -> None:
    assert FRAME_SECONDS * RATE * 2 == FRAME_BYTES
