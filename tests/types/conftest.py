"""The official package as the oracle: what it writes we read, what we write it reads, word for word."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import BaseModel

from antiphon.types import Model

Agree = Callable[..., None]


def counterpart(ours: type[Model], name: str | None = None) -> type[BaseModel]:
    name = name or (ours.__name__ if hasattr(official, ours.__name__) else f"LiveServer{ours.__name__}")
    found: type[BaseModel] = getattr(official, name)
    return found


def _written(value: BaseModel) -> dict[str, str]:
    return {
        "camel, no None": value.model_dump_json(by_alias=True, exclude_none=True),
        "camel, set": value.model_dump_json(by_alias=True, exclude_unset=True),
        "snake, no None": value.model_dump_json(by_alias=False, exclude_none=True),
        "snake, set": value.model_dump_json(by_alias=False, exclude_unset=True),
    }


def agree_on(cls: type[Model], wire: dict[str, Any], name: str | None = None) -> None:
    """Hold `wire`, a JSON object with camelCase names, against the official class of that name."""
    frame = json.dumps(wire)
    theirs = counterpart(cls, name).model_validate_json(frame)
    ours = cls.model_validate_json(frame)

    if [f for f in type(theirs).model_fields if f in cls.model_fields] == list(cls.model_fields):
        assert _written(ours) == _written(theirs)
    for form, text in _written(theirs).items():
        assert json.loads(_written(ours)[form]) == json.loads(text)
    assert json.loads(ours.model_dump_json(by_alias=True, exclude_unset=True)) == wire

    for form in _written(ours).values():
        assert counterpart(cls, name).model_validate_json(form) == theirs
        assert cls.model_validate_json(form) == ours
        assert cls.model_validate(json.loads(form)) == ours

    read = cls.model_validate(theirs)
    assert read == ours
    assert read.model_fields_set == ours.model_fields_set
    assert counterpart(cls, name).model_validate(ours).model_dump(exclude_none=True) == theirs.model_dump(
        exclude_none=True
    )

    trusted = cls.trusted(**{field: getattr(ours, field) for field in ours.model_fields_set})
    assert trusted == ours
    assert _written(trusted) == _written(ours)
    assert trusted.model_dump_json() == ours.model_dump_json()
    assert copy.deepcopy(trusted) == pickle.loads(pickle.dumps(trusted)) == trusted.model_copy() == ours


@pytest.fixture
def agree() -> Agree:
    return agree_on
