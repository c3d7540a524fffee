"""`State`: a session's key-value store, as a tool or callback sees it.

Keys may be scoped by prefix (contract 4.6): `app:` is shared by all users of the application, `user:`
by all sessions of the user, `temp:` lives for one invocation and is never stored; a key without prefix
belongs to the session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

__all__ = ["APP_PREFIX", "TEMP_PREFIX", "USER_PREFIX", "State"]

APP_PREFIX = "app:"
USER_PREFIX = "user:"
TEMP_PREFIX = "temp:"


class State(MutableMapping[str, Any]):
    """A view of session state that records what was written.

    Reads see `value` overlaid with `delta`; writes go to `delta` only, which travels with the next event
    (`EventActions.state_delta`). Deleting a key writes `None`: that is how a deletion is stored. Lists and
    dicts are read as copies; what is changed in them, in place, counts as written (`settle`).
    """

    APP_PREFIX = APP_PREFIX
    USER_PREFIX = USER_PREFIX
    TEMP_PREFIX = TEMP_PREFIX

    def __init__(self, value: Mapping[str, Any], delta: dict[str, Any]) -> None:
        self._value = value
        self._delta = delta
        self._lent: dict[str, tuple[Any, Any]] = {}
        """Containers that were handed out, each with what it held when it was last told or read."""

    def __getitem__(self, key: str) -> Any:
        found = self._delta[key] if key in self._delta else self._lend(key)
        if found is None:
            raise KeyError(key)
        return found

    def _lend(self, key: str) -> Any:
        lent, held = self._lent.get(key, (None, None))
        if lent is not None and (lent != held or held == self._value.get(key)):
            return lent
        found = self._value[key]
        if not _is_container(key, found):
            return found
        lent = deepcopy(found)
        self._lent[key] = lent, found
        return lent

    def settle(self) -> None:
        """Writes to the delta what was changed in place; to be called before the delta is told.

        What was written is watched from now on, so that it may be changed in place after it was told.
        """
        for key, (lent, held) in self._lent.items():
            if key not in self._delta and lent != held:
                self._delta[key] = lent
        for key, value in self._delta.items():
            self._lent.pop(key, None)
            if _is_container(key, value):
                with suppress(Exception):  # what cannot be copied cannot be stored: whoever stores it says so
                    self._lent[key] = value, deepcopy(value)

    def __setitem__(self, key: str, value: Any) -> None:
        self._delta[key] = value

    def __delitem__(self, key: str) -> None:
        self[key]  # raises KeyError when there is nothing to delete
        self._delta[key] = None

    def __iter__(self) -> Iterator[str]:
        return (key for key, value in {**self._value, **self._delta}.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"State({self.to_dict()!r})"

    @property
    def delta(self) -> dict[str, Any]:
        """What was written through this view; deletions are `None`."""
        self.settle()
        return self._delta

    def has_delta(self) -> bool:
        return bool(self.delta)

    def to_dict(self) -> dict[str, Any]:
        return {key: self[key] for key in self}


def _is_container(key: object, value: Any) -> bool:
    """Whether the value may be changed in place. What is not stored is not watched: it may be anything."""
    return isinstance(value, dict | list) and not (isinstance(key, str) and key.startswith(TEMP_PREFIX))
