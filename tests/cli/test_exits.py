from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from antiphon import Agent
from antiphon.cli.exits import Exit, ended, exit_code, report, sentence
from antiphon.errors import (
    ConnectionLost,
    InvalidSetup,
    MissingCredentials,
    SessionNotFound,
    UnsupportedByModel,
)


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        Agent(name="a b")
    return refused.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (MissingCredentials("x"), Exit.USAGE),
        (SessionNotFound("x"), Exit.USAGE),
        (invalid(), Exit.USAGE),
        (ConnectionLost("x"), Exit.FAILED),
        (KeyError("x"), Exit.FAILED),
    ],
)
def test_codes(error: BaseException, code: Exit) -> None:
    assert exit_code(error) is code


def test_sentences() -> None:
    assert sentence(ConnectionLost("The model\nwent away.")) == "The model went away."
    assert sentence(KeyError("x")) == "KeyError: 'x'. ANTIPHON_DEBUG=1 shows the traceback."
    assert sentence(TimeoutError()) == "TimeoutError. ANTIPHON_DEBUG=1 shows the traceback."
    assert sentence(invalid()).startswith("Agent.name: 'a b' is no name for an agent")


def test_the_other_modality_is_an_option_here() -> None:
    """contract 6.2, 7.4"""
    refused = InvalidSetup("Change RunConfig.response_modalities.", code=1007, reason="Modalities")
    assert sentence(refused).endswith("Here: try --audio or --text.")
    assert "--audio" in sentence(UnsupportedByModel("cannot do response_modalities"))
    assert "--audio" not in sentence(UnsupportedByModel("cannot do proactivity"))


@pytest.mark.parametrize(
    ("text", "whole"), [("so", "so."), ("so.", "so."), ("so?", "so?"), ("a\n b", "a b.")]
)
def test_sentences_end(text: str, whole: str) -> None:
    assert ended(text) == whole


def test_errors_go_to_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTIPHON_DEBUG", raising=False)
    assert report(ConnectionLost("Gone."), "antiphon talk") is Exit.FAILED
    assert report(KeyboardInterrupt()) is Exit.INTERRUPTED
    assert capsys.readouterr() == ("", "antiphon talk: Gone.\n")


def test_a_traceback_when_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTIPHON_DEBUG", "1")
    report(ConnectionLost("Gone."))
    assert "ConnectionLost: Gone." in capsys.readouterr().err


def test_a_model_level_error_has_no_field() -> None:
    class Empty(BaseModel):
        pass

    with pytest.raises(ValidationError) as refused:
        Empty.model_validate(3)
    assert sentence(refused.value).startswith("Empty: Input should be")
