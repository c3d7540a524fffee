"""What a chat model is by default."""

from __future__ import annotations

import pytest

from antiphon.config import RunConfig
from antiphon.errors import UnsupportedByModel
from antiphon.models.chat import TEXT_ONLY, ChatModel
from tests.models.near_chat import NearChat


async def test_by_default_it_writes_text_and_keeps_nothing_open() -> None:
    chat = NearChat()
    assert chat.capabilities is TEXT_ONLY and not TEXT_ONLY.audio_input
    chat.check(RunConfig(response_modalities=["TEXT"]))
    async with ChatModel.kept_open(chat):
        assert chat.open == 0


def test_what_it_cannot_do_is_refused() -> None:  # contract 6.2
    for config in (RunConfig(response_modalities=["AUDIO"]), RunConfig(enable_affective_dialog=True)):
        with pytest.raises(UnsupportedByModel):
            NearChat().check(config)
