from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import BaseModel, ValidationError

from antiphon.types import CacheMetadata, UsageMetadata

Agree = Callable[..., None]


def test_counts_of_a_live_model_agree_with_the_official_package(agree: Agree) -> None:
    agree(
        UsageMetadata,
        {
            "promptTokenCount": 768,
            "responseTokenCount": 15,
            "totalTokenCount": 783,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 700}, {"modality": "TEXT"}],
            "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 15}],
            "trafficType": "ON_DEMAND",
            "serviceTier": "flex",
        },
    )


def test_counts_of_other_models_agree_with_the_official_package(agree: Agree) -> None:
    agree(
        UsageMetadata,
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
            "thoughtsTokenCount": 2,
            "toolUsePromptTokenCount": 1,
            "cachedContentTokenCount": 4,
            "totalTokenCount": 18,
        },
        "GenerateContentResponseUsageMetadata",
    )


def test_both_kinds_of_official_counts_are_read() -> None:
    assert (
        UsageMetadata.model_validate(official.UsageMetadata(response_token_count=1)).response_token_count == 1
    )
    other = official.GenerateContentResponseUsageMetadata(candidates_token_count=1)
    assert UsageMetadata.model_validate(other).candidates_token_count == 1


IN_USE: dict[str, Any] = {
    "cache_name": "caches/1",
    "expire_time": 1000.0,
    "fingerprint": "f",
    "invocations_used": 2,
    "contents_count": 3,
    "created_at": 1.0,
}


def test_a_cache_is_in_use_or_only_a_fingerprint() -> None:
    assert CacheMetadata(**IN_USE).model_dump() == IN_USE
    assert CacheMetadata(fingerprint="f", contents_count=3).cache_name is None
    for name in ("cache_name", "expire_time", "invocations_used"):
        with pytest.raises(ValidationError, match="all be set, or all be unset"):
            CacheMetadata(**{**IN_USE, name: None})


@pytest.mark.parametrize("wrong", [{"contents_count": -1}, {"invocations_used": -1}, {"fingerprint": None}])
def test_a_cache_has_a_fingerprint_and_counts_from_zero(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CacheMetadata(**{**IN_USE, **wrong})


def test_a_cache_is_read_and_written_as_json_in_both_styles() -> None:
    cache = CacheMetadata(**IN_USE)
    assert CacheMetadata.model_validate_json(cache.model_dump_json(by_alias=True)) == cache
    assert CacheMetadata.model_validate_json(cache.model_dump_json()) == cache


def test_a_cache_of_another_package_is_read() -> None:
    foreign: Any = type(
        "CacheMetadata", (BaseModel,), {"__annotations__": {"fingerprint": str, "contents_count": int}}
    )
    theirs = foreign(fingerprint="f", contents_count=3)
    assert CacheMetadata.model_validate(theirs) == CacheMetadata(fingerprint="f", contents_count=3)


@pytest.mark.parametrize(("now", "soon"), [(879.0, False), (880.5, True), (2000.0, True)])
def test_a_cache_expires_soon_in_its_last_two_minutes(
    now: float, soon: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: now)
    assert CacheMetadata(**IN_USE).expire_soon is soon
    assert not CacheMetadata(fingerprint="f", contents_count=3).expire_soon
