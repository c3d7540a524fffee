"""Compiles the hot path into the wheel when `ANTIPHON_COMPILE=1` asks for it; else the wheel is pure Python.

Which modules, and by what versions of the tools, `pyproject.toml` says. Whatever does not succeed ends the
build: a wheel that claims to be compiled is compiled whole.
"""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "ANTIPHON_COMPILE"


def asked() -> bool:
    """Whether a compiled wheel is wanted. Raises `ValueError` when that cannot be told."""
    value = os.environ.get(SWITCH, "0")
    if value not in ("", "0", "1"):
        raise ValueError(f"{SWITCH} is {value!r}: set it to 1 to compile, to 0 or not at all for pure Python")
    return value == "1"


class CompilingHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """What compiling needs in the environment of the build: mypy reads the types of what is imported."""
        return [*self.config["toolchain"], *self.metadata.core.dependencies] if asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not asked():
            return
        if version == "editable":
            raise ValueError(f"editable installs run the sources as they are: unset {SWITCH}")
        source = Path(self.root, "src")
        modules = sources_of(source / "antiphon", self.config["compiled"])
        self.__scratch = TemporaryDirectory()  # until `finalize`: the wheel is written in between
        scratch = Path(self.__scratch.name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for path in compiled(source, modules, scratch):
            build_data["force_include"][str(path)] = path.relative_to(scratch / "lib").as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if asked():
            self.__scratch.cleanup()


def sources_of(package: Path, patterns: list[str]) -> list[Path]:
    """The modules that are compiled, in order. Packages themselves, which bind names late, stay Python."""
    found: set[Path] = set()
    for pattern in patterns:
        matching = {path for path in package.glob(f"{pattern}.py") if path.name != "__init__.py"}
        if not matching:
            raise ValueError(f"pyproject.toml: nothing to compile is called {pattern}.py in {package}")
        found |= matching
    return sorted(found)


def compiled(source: Path, modules: list[Path], scratch: Path) -> list[Path]:
    """The extension modules, under `lib` in `scratch`: one for each, and one that holds the code of all."""
    from mypyc.build import mypycify  # here, since a pure wheel needs neither
    from setuptools import Distribution

    names = [path.relative_to(source) for path in modules]
    library = scratch / "lib"
    with chdir(source):  # paths in tracebacks, and in what is compiled, begin at the package
        extensions = mypycify(
            [
                f"--config-file={source.parent / 'pyproject.toml'}",
                f"--cache-dir={scratch / 'cache'}",
                "--follow-imports=silent",  # other modules are for `make types`, with all that they import
                *map(str, names),
            ],
            opt_level="2",
            debug_level="0",
            target_dir=str(scratch / "c"),
            group_name="antiphon",
        )
        build = Distribution({"name": "antiphon", "ext_modules": extensions}).get_command_obj("build_ext")
        build.build_lib, build.build_temp = str(library), str(scratch / "objects")
        build.ensure_finalized()
        build.run()
        expected = [build.get_ext_filename(extension.name) for extension in extensions]
    built = sorted(path for path in library.rglob("*") if path.is_file())
    ours = {name.with_suffix("").as_posix().replace("/", ".") for name in names}
    missing = ours - {extension.name for extension in extensions}
    if missing or built != sorted(library / name for name in expected):
        raise RuntimeError(f"not compiled: {', '.join(sorted(missing)) or expected}; there is {built}")
    return built
