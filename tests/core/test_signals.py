from antiphon.core.signals import ModelAudio, Received, UserMedia
from antiphon.types import Blob

SOUND = "audio/pcm;rate=24000"


def test_what_is_made_of_every_frame_is_a_value_like_the_others() -> None:
    """Their `__init__` is written by hand, and the rest by `dataclass`."""
    audio = ModelAudio(b"\x00\x01", mime_type=SOUND)
    assert audio == ModelAudio(b"\x00\x01", SOUND) != ModelAudio(b"\x00\x02", SOUND)
    assert hash(audio) == hash(ModelAudio(b"\x00\x01", SOUND))
    assert repr(audio) == f"ModelAudio(data=b'\\x00\\x01', mime_type='{SOUND}')"
    match Received(1, [audio]):
        case Received(link, said):
            assert (link, said) == (1, [audio])


def test_media_is_heard_unless_it_was_shed() -> None:
    blob = Blob(data=b"\x00\x01", mime_type=SOUND)
    assert UserMedia(blob) == UserMedia(blob=blob, shed=False) != UserMedia(blob, shed=True)
