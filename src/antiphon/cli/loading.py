"""From what the user wrote for APP to a runner."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

import antiphon
from antiphon.agents import Agent, BaseAgent, SequentialAgent
from antiphon.cli.exits import ended, sentence
from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.runtime import InMemoryRunner, Runner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel

__all__ = ["adapted", "load_app", "load_setting", "load_to_serve", "runner_for"]

_T = TypeVar("_T")

_NAMES: Final = ("root_agent", "app")
_LIBRARIES: Final = (
    str(Path(antiphon.__file__).parent),
    *(path for name in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))),
)
_FORMS: Final = (
    "Give a file (agent.py), a module (package.module), or either with a name (agent.py:my_agent)."
)


def load_app(app: str) -> BaseAgent | Runner:
    """The agent or runner that `app` stands for: a file or module, `:name` or `root_agent` or `app` in it.

    A folder stands for the `agent.py` in it. Raises `ConfigurationError`, which says what to change.
    """
    return _load(app, _NAMES)[0]


def load_to_serve(app: str) -> tuple[BaseAgent | Runner, ModuleType]:
    """The same to be served, and the module it is in; there, a `runner` comes before all else."""
    return _load(app, ("runner", *_NAMES))


def load_setting(module: ModuleType, name: str, kind: type[_T]) -> _T | None:
    """What the module has under this name; raises `ConfigurationError` for something else."""
    found = getattr(module, name, None)
    if found is None or isinstance(found, kind):
        return found
    raise ConfigurationError(
        f"{module.__name__}:{name} is no {kind.__name__} but {found!r:.40}: make it one, or rename it."
    )


def _load(app: str, names: Sequence[str]) -> tuple[BaseAgent | Runner, ModuleType]:
    place, colon, name = app.rpartition(":")
    if not colon or "/" in name or "\\" in name:
        place, name = app, ""
    module = _module(place)
    for candidate in [name] if name else names:
        if hasattr(module, candidate):
            return _checked(getattr(module, candidate), f"{place}:{candidate}"), module
    wanted = repr(name) if name else " or ".join(names)
    raise ConfigurationError(
        f"{place} has no {wanted}. Define it there (an Agent), or name another: {place}:NAME."
    )


def runner_for(
    app: BaseAgent | Runner, *, model: str | LiveModel | ChatModel | None, instruction: str | None
) -> Runner:
    """A runner for the agent; one with in-memory sessions unless `app` brings its own.

    `model` replaces those of all agents, `instruction` that of the one that speaks first.
    """
    if isinstance(app, Runner):
        if model is None and instruction is None:
            return app
        return Runner(
            app_name=app.app_name,
            agent=adapted(app.agent, model, instruction),
            session_service=app.session_service,
            artifact_service=app.artifact_service,
            tapes=app.tapes,
        )
    return InMemoryRunner(adapted(app, model, instruction), app_name=app.name)


def adapted(
    agent: BaseAgent, model: str | LiveModel | ChatModel | None, instruction: str | None
) -> BaseAgent:
    """A copy of the agents, all with another model, and another instruction for the one that speaks first."""
    sequential = isinstance(agent, SequentialAgent)
    below = [
        adapted(sub, model, instruction if sequential and position == 0 else None)
        for position, sub in enumerate(agent.sub_agents)
    ]
    changes: dict[str, Any] = {"sub_agents": below}
    if isinstance(agent, Agent):
        if model is not None:
            changes["model"] = model
        if instruction is not None:
            changes["instruction"] = instruction
    return agent.model_copy(update=changes)


def _module(place: str) -> ModuleType:
    path = Path(place)
    if path.is_dir():
        path = path / "agent.py"
    elif path.suffix != ".py" and not place.replace(".", "_").isidentifier():
        raise ConfigurationError(f"{place!r} is neither a Python file nor a module's name. {_FORMS}")
    if path.suffix == ".py":
        if not path.is_file():
            raise ConfigurationError(f"There is no file {str(path)!r}. {_FORMS}")
        return _executed(path)
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as missing:
        if missing.name is not None and (place == missing.name or place.startswith(f"{missing.name}.")):
            raise ConfigurationError(
                f"There is no module {missing.name!r} here or installed. {_FORMS}"
            ) from None
        raise _broken(place, missing) from missing
    except Exception as error:
        raise _broken(place, error) from error


def _executed(path: Path) -> ModuleType:
    """Runs the file as a module of its own, able to import what lies beside it, and its package."""
    path = path.resolve()
    root = path.parent
    parts = [path.stem]
    while (root / "__init__.py").is_file() and root.parent != root:
        parts.insert(0, root.name)
        root = root.parent
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    name = ".".join(parts)
    try:
        if len(parts) > 1:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(name, module)
        spec.loader.exec_module(module)
    except Exception as error:
        if sys.modules.get(name) is locals().get("module"):
            sys.modules.pop(name, None)
        raise _broken(str(path.name), error) from error
    return module


def _broken(place: str, error: Exception) -> ConfigurationError:
    if isinstance(error, SyntaxError):
        where = f"{Path(error.filename or place).name}, line {error.lineno}"
        return ConfigurationError(f"{where}: {ended(str(error.msg))} Correct it and try again.")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_of_the_app(frame.filename)]
    where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else place
    if isinstance(error, AntiphonError | ValidationError):
        return ConfigurationError(f"{where}: {sentence(error)}")
    said = f"{type(error).__name__}: {error}"
    return ConfigurationError(f"{where}: {ended(said)} ANTIPHON_DEBUG=1 shows the traceback.")


def _is_of_the_app(filename: str) -> bool:
    return not filename.startswith(("<frozen", *_LIBRARIES))


def _checked(found: object, where: str) -> BaseAgent | Runner:
    if isinstance(found, BaseAgent | Runner):
        return found
    inner = getattr(found, "root_agent", None) or getattr(found, "agent", None)
    if isinstance(inner, BaseAgent | Runner):
        return inner
    raise ConfigurationError(
        f"{where} is no agent but {found!r:.40}; it must be an Agent, a SequentialAgent or a Runner."
    )
