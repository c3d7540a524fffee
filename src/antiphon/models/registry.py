"""From a model's name to the model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from antiphon.errors import UnknownModel
from antiphon.models.base import LiveModel
from antiphon.models.gemini import Gemini

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["known_models", "register_model", "resolve"]

_makers: dict[str, Callable[[str], LiveModel]] = {
    r"(models/|publishers/google/models/)?gemini-.+": Gemini,
    r"projects/[^/]+/locations/[^/]+/.*": Gemini,
    r"(models/)?robotics-er-.+": Gemini,
}


def register_model(pattern: str, make: Callable[[str], LiveModel]) -> None:
    """Lets names that match the regular expression `pattern` as a whole resolve to `make(name)`.

    Of several patterns that match, the one registered last wins.
    """
    re.compile(pattern)  # a mistake shows here, not when a model is asked for
    _makers.pop(pattern, None)
    _makers[pattern] = make


def known_models() -> list[str]:
    """The patterns names are matched against."""
    return list(_makers)


def resolve(model: str | LiveModel) -> LiveModel:
    """The model of that name; a `LiveModel` is itself. Raises `UnknownModel` listing what is known."""
    if isinstance(model, LiveModel):
        return model
    for pattern, make in reversed(_makers.items()):
        if re.fullmatch(pattern, model):
            return make(model)
    known = ", ".join(known_models())
    raise UnknownModel(
        f"No model answers to the name {model!r}. Known names match: {known}. "
        "Pass a model object, or register one with antiphon.models.register_model()."
    )
