"""A function's parameters, as Python has them: which the model fills in, and which the runtime does."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from antiphon.errors import ToolDeclarationError
from antiphon.queue import LiveRequestQueue
from antiphon.tools.context import ToolContext

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["MISSING", "Hole", "Signature", "innermost", "read_signature"]

MISSING: Any = inspect.Parameter.empty
"""No default: the model must give the argument."""

_Kind = inspect.Parameter
_VARIADIC = (_Kind.VAR_POSITIONAL, _Kind.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Hole:
    """A parameter that the model fills in."""

    name: str
    annotation: Any
    default: Any = MISSING
    field: FieldInfo | None = None
    """Pydantic's `Field(…)`, whose default counts when Python has none."""
    description: str = ""
    """What the hint itself says: `Annotated[str, "…"]` or `Field(description=…)`."""

    @property
    def required(self) -> bool:
        return self.default is MISSING and (self.field is None or self.field.is_required())

    def make_default(self) -> Any:
        """What to give for an argument that was left out; new each time if `Field` has a factory."""
        if self.default is MISSING and self.field is not None:
            return self.field.get_default(call_default_factory=True, validated_data={})
        return self.default


@dataclass(frozen=True, slots=True)
class Signature:
    """`holes` are the model's; `contexts` and `stream` name the parameters that the runtime fills in."""

    holes: tuple[Hole, ...]
    contexts: tuple[str, ...]
    stream: str | None
    python: inspect.Signature

    def arrange(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Values by name as positional and keyword arguments; what is not among them takes its default."""
        bound = inspect.BoundArguments(self.python, OrderedDict(values))
        bound.apply_defaults()
        return bound.args, bound.kwargs


def innermost(func: Callable[..., Any]) -> Any:
    """The function under partials, `functools.wraps`, bound methods and `__call__`."""
    found: Any = func
    while True:
        if isinstance(found, functools.partial | functools.partialmethod):
            found = found.func
        elif hasattr(found, "__wrapped__"):
            found = found.__wrapped__
        elif inspect.ismethod(found):
            found = found.__func__
        elif callable(found) and not inspect.isroutine(found) and not inspect.isclass(found):
            found = type(found).__call__
        else:
            return found


def read_signature(func: Callable[..., Any], name: str) -> Signature:
    """Reads the parameters of the function that is to be the tool `name`.

    `*args` and `**kwargs` are left empty. What `functools.partial` gave by keyword is settled, and not
    offered to the model. A parameter without hint takes the type of its default if that is a plain value,
    else it is a `str`. A default of `None` makes it nullable.

    Raises:
        ToolDeclarationError: there is no signature, a hint cannot be resolved, or nothing but `*args`
            and `**kwargs` is there.
    """
    try:
        python = inspect.signature(func)
    except (TypeError, ValueError) as error:
        raise ToolDeclarationError(
            f"{name}: Python does not know its parameters ({error}); wrap it in a def with type hints."
        ) from error
    parameters = [each for each in python.parameters.values() if each.kind not in _VARIADIC]
    if python.parameters and not parameters:
        raise ToolDeclarationError(
            f"{name} takes only *args or **kwargs, so the model could give it nothing: name its parameters, "
            "or put functools.wraps(func) on the decorator that hides them."
        )
    settled = _settled(func)
    names = _names_known_to(func)
    holes: list[Hole] = []
    contexts: list[str] = []
    stream: str | None = None
    for parameter in parameters:
        annotation = _resolved(parameter, names, name)
        if _is(annotation, ToolContext) or (parameter.name == "tool_context" and annotation is MISSING):
            contexts.append(parameter.name)
        elif _is(annotation, LiveRequestQueue) or (
            parameter.name == "input_stream" and annotation is MISSING
        ):
            if stream is not None:
                raise ToolDeclarationError(
                    f"{name}: {stream} and {parameter.name} both take media; keep one."
                )
            stream = parameter.name
        elif parameter.name not in settled:
            holes.append(_hole(parameter.name, annotation, parameter.default))
    return Signature(tuple(holes), tuple(contexts), stream, python)


def _hole(name: str, annotation: Any, default: Any) -> Hole:
    if isinstance(default, FieldInfo):
        annotation = Annotated[Any if annotation is MISSING else annotation, default]
        default = MISSING
    elif annotation is MISSING:
        annotation = type(default) if type(default) in (bool, int, float, str, list, dict) else str
    extras = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    field = next((extra for extra in extras if isinstance(extra, FieldInfo)), None)
    if default is None:
        annotation = typing.Optional[annotation]  # noqa: UP045 - `|` is not for every hint
    return Hole(name, annotation, default, field, _said_in(extras))


def _said_in(extras: Iterable[Any]) -> str:
    for extra in extras:
        if isinstance(extra, str):
            return extra
        for attribute in ("description", "documentation"):  # pydantic's Field, typing's Doc
            if isinstance(text := getattr(extra, attribute, None), str):
                return text
    return ""


def _is(annotation: Any, wanted: type) -> bool:
    """Whether the hint is that class, or it or `None`."""
    if get_origin(annotation) is Annotated:
        return _is(get_args(annotation)[0], wanted)
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_is(each, wanted) for each in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, wanted)


def _resolved(parameter: inspect.Parameter, names: dict[str, Any], tool: str) -> Any:
    """The hint with its strings evaluated; one by one, so that only those of parameters matter."""
    if parameter.annotation is MISSING:
        return MISSING
    holder: Any = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return typing.get_type_hints(holder, names, names, include_extras=True)[parameter.name]
    except Exception as error:  # a string hint is code, and may raise anything
        raise ToolDeclarationError(
            f"{tool}: the hint {parameter.annotation!r} of parameter {parameter.name!r} cannot be resolved "
            f"({type(error).__name__}: {error}); its names must be known in the function's module at run "
            "time, so import them outside `if TYPE_CHECKING:` and define classes at the top level."
        ) from error


def _names_known_to(func: Callable[..., Any]) -> dict[str, Any]:
    inner = innermost(func)
    free = getattr(getattr(inner, "__code__", None), "co_freevars", ())
    cells = getattr(inner, "__closure__", None) or ()
    closed: dict[str, Any] = {}
    for name, cell in zip(free, cells, strict=True):
        try:
            closed[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    # These two are often imported for type checking only.
    ours: dict[str, Any] = {"ToolContext": ToolContext, "LiveRequestQueue": LiveRequestQueue}
    return ours | getattr(inner, "__globals__", {}) | closed


def _settled(func: Callable[..., Any]) -> set[str]:
    found: set[str] = set()
    inner: Any = func
    while isinstance(inner, functools.partial):
        found |= inner.keywords.keys()
        inner = inner.func
    return found
