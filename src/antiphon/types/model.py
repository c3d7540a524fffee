"""The base of every public data class: how it reads, writes and refuses.

Rules, for every class that derives from `Model`:

1. Python names are snake_case, JSON names camelCase; both are read, in any mixture.
2. An object of the same name from `google.genai.types` is read as if it were ours, without importing it.
3. A field that is set and not known is refused by name. A field that is not set is never refused.
4. `bytes` are base64 in JSON: written in the URL-safe alphabet, read in either, padded or not.
5. An enum the user sets (`ClosedEnum`) refuses unknown values; one the model sends (`OpenEnum`) keeps them.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from enum import Enum
from functools import lru_cache, partial
from importlib import import_module
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError

from antiphon.types.forms import former, put_together

__all__ = ["ClosedEnum", "Model", "OpenEnum", "later"]

_UNCHANGING = frozenset({bool, bytes, float, int, str, type(None)})


class ClosedEnum(str, Enum):  # noqa: UP042 - str() must give "Modality.TEXT", as it does in google.genai
    """An enum the user sets. Case does not matter; an unknown value is a `ValueError` listing the known."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        member = cls.__members__.get(value.upper()) if isinstance(value, str) else None
        if member is None:
            raise ValueError(f"{value!r} is no {cls.__name__}; known are {', '.join(m.value for m in cls)}")
        return member


class OpenEnum(str, Enum):  # noqa: UP042 - as above
    """An enum the model sends. Case does not matter; an unknown string is kept as a value beside the members.

    `FinishReason("NEW_REASON")` equals `"NEW_REASON"` and is written out as it came in.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        if value.upper() in cls.__members__:
            return cls.__members__[value.upper()]
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = str(value)
        return unknown


class Plan(NamedTuple):
    """What `Model.trusted` needs to know of a class."""

    blank: dict[str, Any]
    """Every field, in order, with its default."""
    width: int
    required: frozenset[str]
    factories: tuple[tuple[str, Callable[[], Any]], ...]


class Kinship(NamedTuple):
    """What a class of another package has in common with the class of ours that it is named like."""

    known: frozenset[str]
    made: frozenset[str]
    """Fields with a default of the instance's own: they say something even when nobody set them."""


@lru_cache(maxsize=1024)
def _kinship(ours: "type[Model]", theirs: type) -> Kinship | None:
    if not issubclass(theirs, BaseModel):
        return None
    names = {base.__name__ for base in theirs.__mro__}
    if names.isdisjoint((ours.__name__, *ours._foreign_names)):
        return None
    made = frozenset(name for name, field in theirs.model_fields.items() if field.default_factory)
    return Kinship(frozenset(ours.model_fields), made)


class Model(BaseModel):
    """The base class; see the rules above. Built with keywords, or from a mapping by `model_validate`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        protected_namespaces=(),
        defer_build=True,
    )

    _foreign_names: ClassVar[tuple[str, ...]] = ()
    """Names, besides the class's own, under which `google.genai.types` has this class."""

    _plan: ClassVar[Plan] = Plan({}, 0, frozenset(), ())

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        fields = cls.model_fields
        blank = {name: field.get_default() for name, field in fields.items()}
        required = frozenset(name for name, field in fields.items() if field.is_required())
        factories: list[tuple[str, Any]] = []
        for name, field in fields.items():
            made = field.default_factory
            if isinstance(made, type) and issubclass(made, Model):
                made = made.form()
            if made is not None:
                factories.append((name, made))
            elif isinstance(blank[name], list | dict | set):
                factories.append((name, partial(deepcopy, blank[name])))
        cls._plan = Plan(blank, len(blank), required, tuple(factories))

    @classmethod
    def trusted(cls, /, **fields: Any) -> Self:
        """Build an instance without validation, in under a microsecond.

        The caller's duty: names are field names (not aliases), values already are of the declared types,
        and whatever a validator of the class checks holds. Fields left out take their defaults. The
        instance is then like any other, also in what counts as set. For classes that declare private
        attributes or `model_post_init`, build instances the ordinary way.

        Raises:
            TypeError: a name is no field, or a required field is missing.
        """
        blank, width, required, factories = cls._plan
        values = blank | fields
        if len(values) != width or (required and not required <= fields.keys()):
            wrong = sorted((values.keys() - blank.keys()) | (required - fields.keys()))
            raise TypeError(f"{cls.__name__}.trusted(): unknown or missing {', '.join(wrong)}")
        if factories:
            for name, factory in factories:
                if name not in fields:
                    values[name] = factory()
        built: Self = put_together(cls, values, set(fields))
        return built

    @classmethod
    def form(cls, /, *names: str) -> Callable[..., Self]:
        """What builds instances in which exactly these fields are set, at two thirds of what `trusted` costs.

        It takes them by name, every one of them, and checks nothing: for what is made with every frame.
        """
        blank, _, _, factories = cls._plan
        cls.trusted(**dict.fromkeys(names))  # which says what is wrong with them
        made = tuple((name, factory) for name, factory in factories if name not in names)
        return former(cls, blank, frozenset(names), made)

    def set_trusted(self, /, **fields: Any) -> None:
        """Set fields without validation; the caller's duty is that of `trusted`, names included."""
        self.__dict__.update(fields)
        self.__pydantic_fields_set__.update(fields)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """As pydantic's, at a third of the cost: values that nobody can change need no copy."""
        memo = {} if memo is None else memo
        copied = memo[id(self)] = self.__copy__()
        parts = (copied.__dict__, copied.__pydantic_extra__, copied.__pydantic_private__)
        for values in filter(None, parts):
            for name, value in values.items():
                if type(value) not in _UNCHANGING:
                    values[name] = deepcopy(value, memo)
        return copied

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [(name, value) for name, value in super().__repr_args__() if value is not None]

    @model_validator(mode="before")
    @classmethod
    def _read_foreign(cls, value: Any) -> Any:
        """Turn an equally named object of another package into a mapping of what is set in it."""
        theirs: type = type(value)
        if theirs is dict or (kinship := _kinship(cls, theirs)) is None:
            return value
        known, made = kinship
        fields = {name: getattr(value, name) for name in value.model_fields_set | made}
        for name in sorted(fields.keys() - known):
            content = fields.pop(name)
            if content is not None and name not in made and cls.model_config.get("extra") == "forbid":
                raise PydanticCustomError(
                    "unknown_field",
                    "{theirs} has {field} set, which antiphon does not have in its {ours}: leave it unset",
                    {"theirs": f"{theirs.__module__}.{theirs.__name__}", "field": name, "ours": cls.__name__},
                )
        return fields


class _Later(NamedTuple):
    module: str
    name: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(getattr(import_module(self.module), self.name))


def later(module: str, name: str) -> Any:
    """The type of a field whose class is imported when the class that has the field is first used."""
    return Annotated[Any, _Later(module, name)]
