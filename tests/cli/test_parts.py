"""What the doctor says of the voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli.doctor import Check, Mark
from antiphon.cli.parts import devices, recogniser_and_voice
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.voice import LocalVoice
from tests.cli.conftest import Telephone
from tests.models.local.parts import Prompted

if TYPE_CHECKING:
    from antiphon.models.local.recognizer import Vocabulary


def test_the_parts_that_come_with_it_load() -> None:
    checks = recogniser_and_voice()
    assert [check.name for check in checks] == [
        "Voice: recogniser",
        "Voice: synthesiser",
        "Voice: speech detector",
    ]
    assert {check.mark for check in checks} == {Mark.OK}
    assert [check.found for check in checks][1:] == ["Espeak", "Silero"]


def test_a_part_that_is_missing_is_named_with_what_to_do() -> None:
    class Missing(Prompted):
        def prepare(self, vocabulary: Vocabulary) -> None:
            raise MissingExtra("It needs ears: pip install 'antiphon[voice]'.")

    checks = recogniser_and_voice(LocalVoice(recognizer=Missing(), synthesizer=Espeak("xx-none")))
    assert checks[0] == Check(
        "Voice: recogniser", Mark.ABSENT, "It needs ears", "pip install 'antiphon[voice]'."
    )
    assert checks[1].mark is Mark.ABSENT and "no voice 'xx-none'" in checks[1].found


def test_the_devices_are_named_and_stay_off() -> None:
    phone = Telephone()
    assert devices(phone) == Check("Voice: microphone", Mark.OK, "headset; loudspeaker: headphones")
    assert not phone.played
    absent = devices(Telephone(missing=ConfigurationError("There is no microphone here: connect one.")))
    assert (absent.mark, absent.found) == (Mark.ABSENT, "There is no microphone here")
