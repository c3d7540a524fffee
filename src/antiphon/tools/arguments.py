"""The model's arguments against a function's hints (contract 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from antiphon.errors import ToolDeclarationError
from antiphon.tools.hints import adapter_of, has_spelt, json_schema_of, unspell
from antiphon.tools.schema import UnusableType, to_schema
from antiphon.tools.tool import BadArguments, Problem
from antiphon.types import Schema, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from antiphon.tools.signature import Hole

__all__ = ["Argument", "Arguments"]

LONGEST_SHOWN = 40
"""Characters of a wrong value that are quoted back."""

_OBJECT_WANTED = {"dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"}


class Argument:
    """One parameter: `schema` is what the model is told, `read` checks what it gives.

    Raises:
        ToolDeclarationError: its type cannot be described; the message names tool, parameter and cure.
    """

    def __init__(self, tool: str, hole: Hole, description: str | None = None) -> None:
        self.name = hole.name
        self.required = hole.required
        self.default = hole.make_default
        try:
            if not (hole.name.isascii() and hole.name.isidentifier() and len(hole.name) <= 64):
                raise UnusableType("a model takes names of up to 64 ASCII letters, digits and underscores")
            self._adapter = adapter_of(hole.annotation)
            self._json = json_schema_of(self._adapter)
            if said := hole.description or description:
                self._json["description"] = said
            self.schema = to_schema(self._json)
            self._spelt = has_spelt(self._json)
        except UnusableType as error:
            raise ToolDeclarationError(f"{tool}: parameter {hole.name!r}: {error}.") from error

    def read(self, value: Any) -> Any:
        """The value as the hint has it. Raises Pydantic's `ValidationError`."""
        return self._adapter.validate_python(unspell(value, self._json) if self._spelt else value)

    def problems(self, value: Any, error: ValidationError) -> Iterator[Problem]:
        """What is wrong with the value, in words that go on where the argument's name ends."""
        for each in error.errors(include_url=False):
            where, schema = _place(self.name, self.schema, value, each["loc"], each["type"] == "missing")
            choices = schema.enum if schema else None
            yield Problem(where, _in_words(each["type"], each["msg"], each["input"], choices))


class Arguments:
    """All parameters of one tool that the model fills in."""

    def __init__(self, tool: str, holes: Sequence[Hole], described: Mapping[str, str]) -> None:
        self._tool = tool
        self._known = {hole.name: Argument(tool, hole, described.get(hole.name)) for hole in holes}

    def schema(self) -> Schema | None:
        """An object of all parameters; `None` if there is none, since an object without any is refused."""
        if not self._known:
            return None
        required = [each.name for each in self._known.values() if each.required]
        return Schema(
            type=Type.OBJECT,
            properties={name: each.schema for name, each in self._known.items()},
            required=required or None,
        )

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, as the hints have them, and the defaults of those not given or `null`.

        Raises:
            BadArguments: some are missing, unknown or of the wrong type; it tells of all of them.
        """
        read: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, argument in self._known.items():
            if name not in given and argument.required:
                problems.append(Problem(name, "is missing"))
                continue
            try:
                read[name] = argument.read(given[name]) if name in given else argument.default()
            except ValidationError as error:
                if given[name] is None and not argument.required:  # how many models leave out an argument
                    read[name] = argument.default()
                else:
                    problems += argument.problems(given[name], error)
        known = f"the arguments are {', '.join(self._known)}" if self._known else "it takes no arguments"
        unknown = [name for name in given if name not in self._known]
        problems += [Problem(_shown(name), f"is unknown, {known}") for name in unknown]
        if problems:
            raise BadArguments(self._tool, problems)
        return read


def _place(
    name: str, schema: Schema | None, value: Any, location: Sequence[int | str], missing: bool
) -> tuple[str, Schema | None]:
    """`orders[0].city`, and its schema. Steps that lead nowhere in the value name a union's branches."""
    path = name
    for at, step in enumerate(location):
        if isinstance(value, dict) and step in value:
            path, value = f"{path}.{_shown(step)}", value[step]
            schema = (schema.properties or {}).get(str(step)) if schema else None
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path, value = f"{path}[{step}]", value[step]
            schema = schema.items if schema else None
        elif missing and at == len(location) - 1:
            path = f"{path}.{step}"
    return path, schema


def _in_words(kind: str, message: str, value: Any, choices: Sequence[str] | None) -> str:
    if kind == "missing":
        return "is missing"
    if choices and kind in ("enum", "literal_error"):
        return f"must be one of {', '.join(choices)}, not {_shown(value)}"
    if kind in _OBJECT_WANTED:
        return f"must be an object, not {_shown(value)}"
    if message.startswith("Input should be "):
        return f"must be {message.removeprefix('Input should be ')}, not {_shown(value)}"
    if kind in ("value_error", "assertion_error"):
        return f"is refused: {message.partition(', ')[2]}"
    return f"is refused: {message[:1].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = value if value.isprintable() else ascii(value)
    elif isinstance(value, dict | list):
        text = "an object" if isinstance(value, dict) else "a list"
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
