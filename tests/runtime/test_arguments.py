"""Contract 1.3: what applications give a runner, in whatever form."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError, InvalidContent
from antiphon.runtime.arguments import read_config, read_message
from antiphon.types import Content, Part


def test_a_configuration_is_one_or_a_dict_of_its_fields() -> None:
    config = RunConfig(max_llm_calls=3)
    assert read_config(config) is config
    assert read_config({"max_llm_calls": 3}) == config
    assert read_config(None) == RunConfig()
    wrong: Any
    for wrong in ({"max_llm_calls": "many"}, "live", 3):
        with pytest.raises(ConfigurationError, match="run_config"):
            read_config(wrong)


def test_a_message_is_content_a_dict_of_its_fields_or_text() -> None:
    hello = Content(role="user", parts=[Part(text="Hello")])
    for given in (hello, {"role": "user", "parts": [{"text": "Hello"}]}, "Hello"):
        assert read_message(given) == hello
    with pytest.raises(InvalidContent):
        read_message(Content(role="user", parts=[]))
