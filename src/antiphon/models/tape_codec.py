"""Dataclasses of the core to JSON and back, by their type hints alone: a new signal needs nothing here.

Rule 1  A dataclass is an object of its fields; those that have their default are left out.
Rule 2  Where a hint allows several dataclasses, `is` names the class.
Rule 3  Pydantic models are their own JSON, enums their value, bytes base64, sequences arrays.
Rule 4  An error is its class, its words, its code and reason; a class from outside this package is the
        nearest one in it, as retryable as it was.
Rule 5  What does not fit its hint when read is refused by name and place.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types as python
from base64 import b64decode, b64encode
from enum import Enum
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json, to_jsonable_python

from antiphon import errors
from antiphon.errors import ModelConnectionError
from antiphon.models.tape_hints import hints_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NotOfThisKind", "form_of", "read", "write"]

_PLAIN: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    type(None): (type(None),),
}


class NotOfThisKind(ValueError):
    """JSON that does not fit the hint it is read by; says what was found and what was wanted."""


class Form(NamedTuple):
    """How values of one hint are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def write(value: object, hint: Any) -> Any:
    """`value` as JSON can hold it. Raises what Pydantic raises for values that JSON has no word for."""
    return form_of(hint).write(value)


def read(data: Any, hint: Any) -> Any:
    """The value that `write` was given. Raises `NotOfThisKind`."""
    return form_of(hint).read(data)


@cache
def form_of(hint: Any) -> Form:
    """How values of the hint are written and read. Raises `TypeError` for a hint that has no form."""
    if hint is Any:
        return Form(to_jsonable_python, lambda data: data)
    if hint in _PLAIN:
        return Form(lambda value: value, lambda data: _expect(data, *_PLAIN[hint]))
    if hint is bytes:
        return Form(lambda value: b64encode(value).decode(), _bytes)
    origin = get_origin(hint)
    if origin is Literal:
        return Form(lambda value: value, lambda data: _one_of(data, get_args(hint)))
    if origin in (Union, python.UnionType):
        return _union(get_args(hint))
    if origin is tuple and get_args(hint)[-1] is not Ellipsis:
        return _row([form_of(kind) for kind in get_args(hint)])
    if origin in (tuple, list, collections.abc.Sequence):
        return _array(form_of(get_args(hint)[0]), list if origin is list else tuple)
    if origin in (dict, collections.abc.Mapping):
        return _object(form_of(get_args(hint)[1]))
    if _is_ours(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Form(lambda value: value.value, lambda data: _made(hint, data))
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _model(hint)
    if hint is ModelConnectionError:
        return Form(_write_error, _read_error)
    raise TypeError(f"the tape has no form for {hint!r}")


def _union(kinds: tuple[Any, ...]) -> Form:
    """Rule 2; besides dataclasses a union may hold one other kind, and `None`."""
    tagged: dict[str, Any] = {kind.__name__: kind for kind in kinds if _is_ours(kind)}
    others = [kind for kind in kinds if kind is not type(None) and not _is_ours(kind)]
    nullable = type(None) in kinds
    if tagged and not others and not nullable:
        return Form(
            lambda value: {"is": type(value).__name__} | form_of(tagged[type(value).__name__]).write(value),
            lambda data: _read_tagged(data, tagged),
        )
    if len(tagged) + len(others) != 1 or not nullable:
        raise TypeError(f"the tape cannot tell apart {kinds!r}")
    form = form_of([*tagged.values(), *others][0])
    return Form(
        lambda value: None if value is None else form.write(value),
        lambda data: None if data is None else form.read(data),
    )


def _is_ours(kind: Any) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def _read_tagged(data: Any, kinds: dict[str, Any]) -> Any:
    fields = dict(_expect(data, dict))
    name = fields.pop("is", None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise NotOfThisKind(f"{name!r} is none of {', '.join(kinds)}")
    return form_of(kind).read(fields)


def _array(each: Form, made: type[list[Any]] | type[tuple[Any, ...]]) -> Form:
    return Form(
        lambda value: [each.write(item) for item in value],
        lambda data: made([each.read(item) for item in _expect(data, list)]),
    )


def _row(places: list[Form]) -> Form:
    def made(data: Any) -> tuple[Any, ...]:
        if len(_expect(data, list)) != len(places):
            raise NotOfThisKind(f"{data!r:.60} has not {len(places)} items")
        return tuple(place.read(item) for place, item in zip(places, data, strict=True))

    return Form(
        lambda value: [place.write(item) for place, item in zip(places, value, strict=True)],
        made,
    )


def _object(each: Form) -> Form:
    return Form(
        lambda value: {name: each.write(item) for name, item in value.items()},
        lambda data: {name: each.read(item) for name, item in _expect(data, dict).items()},
    )


class _Field(NamedTuple):
    name: str
    form: Form
    default: Any


_REQUIRED = object()


def _dataclass(kind: Any) -> Form:
    hints = hints_of(kind)
    plan = [
        _Field(field.name, form_of(hints[field.name]), _default(field)) for field in dataclasses.fields(kind)
    ]
    forms = {field.name: field.form for field in plan}

    def written(value: Any) -> dict[str, Any]:
        out = {}
        for name, form, default in plan:
            part = getattr(value, name)
            if part is not default and part != default:
                out[name] = form.write(part)
        return out

    def made(data: Any) -> Any:
        fields = _expect(data, dict)
        if unknown := fields.keys() - forms.keys():
            raise NotOfThisKind(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        try:
            return kind(**{name: _within(name, forms[name], part) for name, part in fields.items()})
        except TypeError as missing:
            raise NotOfThisKind(f"{kind.__name__}: {missing}") from None

    return Form(written, made)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _REQUIRED if field.default is dataclasses.MISSING else field.default


def _within(name: str, form: Form, data: Any) -> Any:
    try:
        return form.read(data)
    except NotOfThisKind as wrong:
        raise NotOfThisKind(f"{name}: {wrong}") from None


def _model(kind: type[BaseModel]) -> Form:
    def made(data: Any) -> Any:
        try:
            return kind.model_validate_json(to_json(data))
        except ValidationError as refused:
            first = refused.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise NotOfThisKind(f"{kind.__name__}{f'.{where}' if where else ''}: {first['msg']}") from None

    return Form(lambda value: value.model_dump(mode="json", by_alias=True, exclude_defaults=True), made)


def _write_error(error: ModelConnectionError) -> dict[str, Any]:
    known = next(kind for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
    out: dict[str, Any] = {"error": known.__name__, "message": str(error)}
    if error.code is not None:
        out["code"] = error.code
    if error.reason:
        out["reason"] = error.reason
    if error.retryable is not known.__dict__.get("retryable", known.retryable):
        out["retryable"] = error.retryable
    return out


def _read_error(data: Any) -> ModelConnectionError:
    fields = _expect(data, dict)
    kind = getattr(errors, str(fields.get("error")), None)
    if not (isinstance(kind, type) and issubclass(kind, ModelConnectionError)):
        raise NotOfThisKind(f"there is no error {fields.get('error')!r}")
    code = fields.get("code")
    words, reason = _expect(fields.get("message"), str), _expect(fields.get("reason", ""), str)
    error = kind(words, code=None if code is None else _expect(code, int), reason=reason)
    if "retryable" in fields:
        error.retryable = _expect(fields["retryable"], bool)
    return error


def _expect(data: Any, *kinds: type) -> Any:
    if not isinstance(data, kinds) or (isinstance(data, bool) and bool not in kinds):
        raise NotOfThisKind(f"{data!r:.60} is no {' or '.join(kind.__name__ for kind in kinds)}")
    return data


def _one_of(data: Any, known: tuple[Any, ...]) -> Any:
    if data not in known:
        raise NotOfThisKind(f"{data!r:.60} is none of {', '.join(map(repr, known))}")
    return data


def _made(kind: type[Enum], data: Any) -> Any:
    try:
        return kind(data)
    except ValueError:
        raise NotOfThisKind(f"{data!r:.60} is no {kind.__name__}") from None


def _bytes(data: Any) -> bytes:
    try:
        return b64decode(_expect(data, str), validate=True)
    except ValueError as bad:
        if isinstance(bad, NotOfThisKind):
            raise
        raise NotOfThisKind(f"no base64: {bad}") from None
