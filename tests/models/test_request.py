from antiphon.models import LlmRequest
from antiphon.types import Content, GenerateContentConfig, Part


def test_a_request_is_empty_until_filled_and_may_be_changed_in_place() -> None:  # contract 5.10
    request, other = LlmRequest(), LlmRequest()
    request.contents.append(Content(role="user", parts=[Part(text="Hi.")]))
    request.config.temperature = 0.5
    assert other.contents == []
    assert other.config == GenerateContentConfig()


def test_a_request_is_read_from_the_wire_form() -> None:
    request = LlmRequest.model_validate(
        {"model": "m", "contents": [{"role": "user", "parts": [{"text": "Hi."}]}]}
    )
    assert request.model == "m"
    assert request.contents[0].parts == [Part(text="Hi.")]
