import pytest

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    FrameTooLarge,
    InvalidSetup,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    QuotaExceeded,
    RequestRefused,
    ResumptionRefused,
)
from antiphon.models.gemini_errors import close_error, handshake_error, request_error

Kind = type[ModelConnectionError]

NO_MODEL = (
    "models/M is not found for API version v1beta, or is not supported for bidiGenerateContent. "
    "Call ModelService."
)

CLOSES: list[tuple[int, str, Kind, str]] = [  # wire reference 1.9; what the message says to do
    (1007, "API key not valid. Please pass a valid API key.", AuthenticationRefused, "GOOGLE_API_KEY"),
    (1007, "API key expired. Please renew the API key.", AuthenticationRefused, "GOOGLE_API_KEY"),
    (
        1007,
        "Invalid JSON payload received. Unknown name \"proactivity\" at 'setup': Cannot find field.",
        InvalidSetup,
        "v1alpha",
    ),
    (
        1007,
        "The requested combination of response modalities (TEXT) is not supported by the model.",
        InvalidSetup,
        "response_modalities",
    ),
    (1007, "Request contains an invalid argument.", InvalidSetup, "RunConfig"),
    (1007, "Precondition check failed.", InvalidSetup, "RunConfig"),
    (1007, "Thinking level must be specified for this model", InvalidSetup, "thinking_config"),
    (1007, "Thinking level is not supported for this model", InvalidSetup, "thinking_config"),
    (1007, "BLOCKING function calls are not supported for this model", InvalidSetup, "behavior"),
    (1007, "Function response scheduling is not supported for this model", InvalidSetup, "scheduling"),
    (1007, "Code Execution tool is not supported for this model", InvalidSetup, "tool"),
    (1007, "", InvalidSetup, "RunConfig"),
    (1008, NO_MODEL, ModelNotFound, "model's name"),
    (1008, "Operation is not implemented, or supported, or enabled.", RequestRefused, "set-up"),
    (1008, "Requested entity was not found.", RequestRefused, "answer"),
    (
        1008,
        "Your API key was reported as leaked. Please use another API key.",
        AuthenticationRefused,
        "GOOGLE_API_KEY",
    ),
    (1008, "Quota exceeded.", QuotaExceeded, "quota"),
    (1008, "Session not found", ResumptionRefused, "fresh session"),
    (1003, "", RequestRefused, "reason"),
    (1009, "", FrameTooLarge, "smaller"),
    (1011, "Internal error encountered.", ModelUnavailable, "again"),
    (1011, "Internal error occurred.", ModelUnavailable, "again"),
    (1011, "The service is currently unavailable.", ModelUnavailable, "again"),
    (1011, "Deadline expired before operation could complete.", ModelUnavailable, "again"),
    (1011, "You exceeded your current quota, please check your plan.", QuotaExceeded, "quota"),
    (1012, "", ModelUnavailable, "again"),
    (1013, "", ModelUnavailable, "later"),
    (1013, "Quota exceeded.", QuotaExceeded, "quota"),
    (1014, "", ModelUnavailable, "again"),
    (1001, "", ConnectionLost, "again"),
    (1005, "", ConnectionLost, "again"),
    (1006, "", ConnectionLost, "again"),
    (4000, "whatever", ConnectionLost, "again"),
]
MAY_PASS = {ModelUnavailable, ResumptionRefused, ConnectionLost}


@pytest.mark.parametrize(("code", "reason", "kind", "cure"), CLOSES)
def test_a_close_is_told_with_its_cause_and_cure(  # contract 7.1, 7.4
    code: int, reason: str, kind: Kind, cure: str
) -> None:
    error = close_error(code, reason)
    assert type(error) is kind
    assert (error.code, error.reason, error.retryable) == (code, reason, kind in MAY_PASS)
    assert str(error).startswith(f"Gemini closed the connection (close {code}")
    assert reason in str(error) and cure in str(error)


def test_a_normal_close_is_no_error() -> None:  # contract 1.5
    assert close_error(1000, "") is None
    assert close_error(1000, "bye") is None


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1008, "Requested entity was not found.", ResumptionRefused),
        (1008, "Operation is not implemented.", RequestRefused),
        (1008, NO_MODEL, ModelNotFound),
        (1011, "Internal error encountered.", ModelUnavailable),
    ],
)
def test_while_resuming_what_is_not_found_is_the_handle(code: int, reason: str, kind: Kind) -> None:
    assert type(close_error(code, reason, resuming=True)) is kind


ANSWERS: list[tuple[int, str, Kind, str]] = [
    (400, "", InvalidSetup, "base_url"),
    (400, "API key not valid.", AuthenticationRefused, "GOOGLE_API_KEY"),
    (401, "", AuthenticationRefused, "GOOGLE_API_KEY"),
    (403, "PERMISSION_DENIED", AuthenticationRefused, "permissions"),
    (404, "", ModelNotFound, "base_url"),
    (407, "", AuthenticationRefused, "HTTPS_PROXY"),
    (408, "", ModelUnavailable, "again"),
    (429, "slow down", ModelUnavailable, "later"),
    (429, "Quota exceeded for metric", QuotaExceeded, "quota"),
    (500, "", ModelUnavailable, "again"),
    (503, "<html>\n  busy\n</html>", ModelUnavailable, "again"),
    (302, "", InvalidSetup, "base_url"),
    (200, "Welcome", InvalidSetup, "base_url"),
]


@pytest.mark.parametrize(("status", "body", "kind", "cure"), ANSWERS)
def test_a_refused_handshake_is_told_with_its_cause_and_cure(  # contract 7.4
    status: int, body: str, kind: Kind, cure: str
) -> None:
    error = handshake_error(status, body)
    assert type(error) is kind
    assert (error.code, error.reason) == (status, " ".join(body.split()))
    assert error.retryable is (kind in MAY_PASS)
    assert f"HTTP {status}" in str(error) and cure in str(error)


def test_a_long_page_is_not_repeated_in_full() -> None:
    assert len(str(handshake_error(503, "x" * 10_000))) < 400


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "Unknown field", InvalidSetup),
        (400, "API key not valid", AuthenticationRefused),
        (401, "no", AuthenticationRefused),
        (404, "no such model", ModelNotFound),
        (418, "teapot", InvalidSetup),
        (429, "Resource exhausted", ModelUnavailable),
        (429, "Quota exceeded: 10 requests per minute", ModelUnavailable),
        (429, "You exceeded your current quota", QuotaExceeded),
        (500, "internal", ModelUnavailable),
    ],
)
def test_refused_requests(status: int, reason: str, kind: type[ModelConnectionError]) -> None:
    # contract 7.4
    error = request_error(status, reason)
    assert type(error) is kind and error.code == status and reason in str(error)
    assert error.retry_after is None


def test_the_service_says_how_long_to_wait() -> None:
    assert request_error(429, "busy", "7").retry_after == 7.0
    assert request_error(429, "busy", "Wed, 21 Oct 2026 07:28:00 GMT").retry_after is None
