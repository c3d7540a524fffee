"""Instances of the public data classes, made with every frame without being validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["former", "put_together"]

_new: Final = object.__new__
_set_dict: Final = BaseModel.__dict__["__dict__"].__set__
_set_fields_set: Final = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Final = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Final = BaseModel.__dict__["__pydantic_private__"].__set__


def put_together(kind: type[Any], values: dict[str, Any], fields_set: set[str]) -> Any:
    """An instance that has these values, of which these count as set."""
    made = _new(kind)
    _set_dict(made, values)
    _set_fields_set(made, fields_set)
    _set_extra(made, None)
    _set_private(made, None)
    return made


def former(
    kind: type[Any], blank: dict[str, Any], names: frozenset[str], made: Sequence[tuple[str, Any]]
) -> Callable[..., Any]:
    """What builds instances in which exactly `names` are set, which it takes by name.

    `blank` has all values of an empty one; `made` are factories of those that instances may not share.
    """

    def build(**fields: Any) -> Any:
        values = blank | fields
        for name, factory in made:
            values[name] = factory()
        return put_together(kind, values, set(names))

    return build
