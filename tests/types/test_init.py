"""Every public class against the official package, with samples made from the annotations themselves."""

import enum
import subprocess
import sys
import types as python_types
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from google.genai import types as official
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import antiphon.types
from antiphon.types import CacheMetadata, ClosedEnum, Model, OpenEnum

Agree = Callable[..., None]

PUBLIC = {name: getattr(antiphon.types, name) for name in antiphon.types.__all__}
OURS_ALONE = {Model, ClosedEnum, OpenEnum, CacheMetadata}
MODELS = [(name, cls) for name, cls in PUBLIC.items() if issubclass(cls, Model) and cls not in OURS_ALONE]
ENUMS = [(name, cls) for name, cls in PUBLIC.items() if issubclass(cls, enum.Enum) and cls not in OURS_ALONE]

LEFT_OUT = {
    "GoogleMaps": {"auth_config"},
    "HttpOptions": {"httpx_client", "httpx_async_client", "aiohttp_client"},
    "Retrieval": {"external_api"},
}
"""Fields of the official classes that ours do not have: credentials and live clients."""

ADDED = {
    "UsageMetadata": {"candidates_token_count", "candidates_tokens_details"},
    "GenerateContentResponseUsageMetadata": {
        "response_token_count",
        "response_tokens_details",
        "service_tier",
    },
}
"""`UsageMetadata` is two official classes in one."""

BY_HAND = {"GenerateContentConfig": frozenset({"response_schema"})}
"""Fields of any Python value, tested in the file of their module."""


def official_name(name: str) -> str:
    return name if hasattr(official, name) else f"LiveServer{name}"


@lru_cache
def values(annotation: Any, depth: int, full: bool) -> SearchStrategy[Any]:
    """JSON values of an annotation (of a union, its first type); with `full`, models with every field."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, python_types.UnionType):
        return values(arguments[0], depth, full)
    if origin is list:
        return st.lists(values(arguments[0], depth, full), min_size=full, max_size=2)
    if origin is dict:
        return st.dictionaries(st.sampled_from("ab"), values(arguments[1], depth, full), max_size=2)
    if origin is Literal:
        return st.sampled_from(arguments)
    if annotation is Any:
        return st.sampled_from([None, True, -9, "x", ["x"]])
    if issubclass(annotation, enum.Enum):
        return st.sampled_from([member.value for member in annotation])
    if issubclass(annotation, Model):
        return objects(annotation, depth - 1, full)
    by_type: dict[Any, SearchStrategy[Any]] = {
        str: st.text(max_size=9),
        bool: st.booleans(),
        int: st.integers(-(2**31), 2**31),
        float: st.floats(-1e9, 1e9),
        bytes: st.sampled_from(["", "AA==", "_-8=", "-_-_"]),
        datetime: st.sampled_from(["2026-11-21T02:30:25Z", "1999-12-31T23:59:59.500000Z"]),
    }
    return by_type[annotation]


@lru_cache
def objects(
    cls: type[Model], depth: int, full: bool, without: frozenset[str] = frozenset()
) -> SearchStrategy[dict[str, Any]]:
    fields = {}
    for name, field in cls.model_fields.items():
        annotation: Any = field.annotation
        nested = "antiphon" in repr(annotation) and not _is_enum(annotation)
        if name not in without and (depth > 0 or not nested):
            fields[str(field.alias)] = values(annotation, depth, full)
    return st.fixed_dictionaries(fields) if full else st.fixed_dictionaries({}, optional=fields)


def _is_enum(annotation: Any) -> bool:
    return any(isinstance(a, type) and issubclass(a, enum.Enum) for a in get_args(annotation))


@pytest.mark.parametrize(("name", "cls"), MODELS)
def test_has_the_official_fields_aliases_and_order(name: str, cls: type[Model]) -> None:
    theirs = getattr(official, official_name(name)).model_fields
    ours = cls.model_fields
    added = ADDED.get(name, set())
    shared = [field for field in theirs if field not in LEFT_OUT.get(name, set())]
    assert set(ours) == {*shared, *added}
    assert [ours[field].alias for field in shared] == [theirs[field].alias for field in shared]
    assert [ours[field].default for field in shared] == [theirs[field].default for field in shared]
    if not added:
        assert list(ours) == shared


@pytest.mark.parametrize(("name", "cls"), ENUMS)
def test_has_the_official_members(name: str, cls: type[enum.Enum]) -> None:
    theirs = getattr(official, name)
    assert [(m.name, m.value, str(m), f"{m}", repr(m)) for m in cls] == [
        (m.name, m.value, str(m), f"{m}", repr(m)) for m in theirs
    ]


@pytest.mark.parametrize(("name", "cls"), MODELS)
@pytest.mark.parametrize(("full", "depth", "count"), [(True, 1, 1), (False, 2, 5)])
def test_reads_and_writes_what_the_official_class_does(
    name: str, cls: type[Model], full: bool, depth: int, count: int, agree: Agree
) -> None:
    without = frozenset(ADDED.get(name, ())) | BY_HAND.get(name, frozenset())

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(objects(cls, depth, full, without))
    def check(wire: dict[str, Any]) -> None:
        agree(cls, wire, official_name(name))

    check()


def test_every_public_name_is_a_class_with_a_docstring() -> None:
    for name, cls in PUBLIC.items():
        assert cls.__doc__, name
        assert cls.__module__.startswith("antiphon.types."), name


def test_the_live_servers_names_are_other_names_of_ours() -> None:
    assert antiphon.types.LiveServerGoAway is antiphon.types.GoAway
    assert antiphon.types.LiveServerSessionResumptionUpdate is antiphon.types.SessionResumptionUpdate
    assert antiphon.types.GenerateContentResponseUsageMetadata is antiphon.types.UsageMetadata


def test_google_is_never_imported() -> None:
    code = "import antiphon.types, sys; sys.exit(any(m.split('.')[0] == 'google' for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
