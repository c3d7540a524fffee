"""The command line: `antiphon talk`, `serve`, `demo`, `replay`, `doctor` and `db`."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The entry point: runs the command in `sys.argv` and ends the process with its exit code.

    0: done. 1: the conversation failed. 2: usage or configuration. 130: interrupted.
    """
    from antiphon.cli.commands import run

    raise SystemExit(run())
