from antiphon.core.commands import Send, Speak
from antiphon.core.messages import Media
from antiphon.types import Blob

SOUND = "audio/pcm;rate=24000"


def test_what_is_made_of_every_frame_is_a_value_like_the_others() -> None:
    """Their `__init__` is written by hand, and the rest by `dataclass`."""
    said = Speak("guide", b"\x00\x01", SOUND)
    assert said == Speak(author="guide", data=b"\x00\x01", mime_type=SOUND) != Speak("guide", b"", SOUND)
    assert hash(said) == hash(Speak("guide", b"\x00\x01", SOUND))
    assert repr(said) == f"Speak(author='guide', data=b'\\x00\\x01', mime_type='{SOUND}')"
    media = Media(Blob(data=b"\x00\x01", mime_type=SOUND))
    match Send(2, media):
        case Send(link, message):
            assert (link, message) == (2, Media(blob=media.blob))
