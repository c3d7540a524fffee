"""Every exception, by whose fault it is."""

from __future__ import annotations

import pytest

from antiphon import errors
from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    ConnectionLost,
    MissingExtra,
    ModelConnectionError,
    ModelUnavailable,
    ProcessEnded,
    ResumptionRefused,
    RuntimeLimitError,
    SessionNotFound,
    SetupTimeout,
    StoreUnavailable,
    UsageError,
)

GROUPS = (
    ConfigurationError,
    UsageError,
    ModelConnectionError,
    StoreUnavailable,
    ProcessEnded,
    RuntimeLimitError,
)
EVERY = [getattr(errors, name) for name in errors.__all__]


def test_every_error_is_named() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined == set(errors.__all__)


@pytest.mark.parametrize("error", EVERY)
def test_every_error_is_somebodys_fault(error: type[AntiphonError]) -> None:
    assert issubclass(error, AntiphonError)
    assert error is AntiphonError or sum(issubclass(error, group) for group in GROUPS) == 1
    assert error.__doc__


@pytest.mark.parametrize("error", [each for each in EVERY if issubclass(each, ModelConnectionError)])
def test_what_may_pass_is_retried_and_nothing_else(error: type[ModelConnectionError]) -> None:
    # contract 7.1, 7.4
    passing = (ModelUnavailable, ResumptionRefused, ConnectionLost, SetupTimeout)
    assert error.retryable is (error in passing)


def test_a_connection_error_has_the_peers_code_and_words() -> None:
    # contract 1.5
    error = ModelUnavailable("The service is overloaded; try later.", code=1013, reason="busy")
    assert (str(error), error.code, error.reason) == ("The service is overloaded; try later.", 1013, "busy")
    silent = ConnectionLost("Nobody there.")
    assert (silent.code, silent.reason) == (None, "")


def test_errors_are_what_python_programs_expect_as_well() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(UsageError, ValueError)
    assert issubclass(MissingExtra, ImportError)
    assert issubclass(SessionNotFound, LookupError)
