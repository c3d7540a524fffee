"""From a model's name to the model."""

from __future__ import annotations

import re
from collections.abc import Callable

from antiphon.errors import UnknownModel
from antiphon.models.base import LiveModel
from antiphon.models.gemini import Gemini

__all__ = ["known_models", "register_model", "resolve"]


_makers: dict[str, Callable[[str], LiveModel]] = {
    r"(models/)?gemini-.+": Gemini,
    r"projects/[^/]+/locations/[^/]+/.*": Gemini,
    r"robotics-er-.+": Gemini,
}


def register_model(pattern: str, make: Callable[[str], LiveModel]) -> None:
    """Lets names that match the regular expression `pattern` as a whole resolve to `make(name)`; the latest wins."""
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
