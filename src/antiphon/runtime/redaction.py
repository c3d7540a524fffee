"""What is kept off a tape (contract 9.2).

Rule 1  What the models were given as `secrets` is replaced by `[secret]` wherever it appears.
Rule 2  A resumption handle opens a session: it is replaced by `handle-1`, `handle-2`, … as they appear.
Rule 3  A peer's words about an error may repeat an address or a header: what looks like a credential in them
        is replaced as well, known or not.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from antiphon.core.signals import HandleUpdate, LinkLost, ModelError, Received
from antiphon.models.tape import Begun, Fed, Header, Record, as_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.config import RunConfig
    from antiphon.core.signals import ModelSignal
    from antiphon.errors import ModelConnectionError

__all__ = ["HANDLES", "SECRET", "SHORTEST", "Redaction"]

SECRET: Final = "[secret]"
SHORTEST: Final = 8
"""Characters of a secret at least; a shorter one is no secret, and would be found in ordinary words."""
HANDLES: Final = 256
"""Handles of one conversation that are known again; models go on by the newest."""

_LOOKS_SECRET: Final = (
    (re.compile(r"([\w-]*(?:key|token|secret|password)=)[^&\s\"')]+", re.IGNORECASE), rf"\1{SECRET}"),
    (re.compile(r"(\bbearer\s+)[^\s\"')]+", re.IGNORECASE), rf"\1{SECRET}"),
    (re.compile(r"(\w+://)[^/\s@]+@"), rf"\1{SECRET}@"),
    (re.compile(r"AIza[\w-]{16,}|ya29\.[\w.-]+|auth_tokens/[\w-]+"), SECRET),
)
_OURS: Final = frozenset({"is", "tape", "error"})
"""Names of words that are the tape's own."""


class Redaction:
    """One conversation's."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({each for each in secrets if len(each) >= SHORTEST}, key=len, reverse=True)
        self._secrets = [(each, to_json(each)[1:-1]) for each in known]
        self._handles: OrderedDict[str, str] = OrderedDict()
        self._met = 0

    def written(self, line: Header | Record) -> bytes:
        """The line, cleaned, without its end. Raises what `as_json` raises."""
        data = as_json(self._without_credentials(line))
        out = to_json(data)
        if any(escaped in out for _, escaped in self._secrets):
            out = to_json(self._cleaned(data))
        return out

    def cleaned(self, text: str) -> str:
        """Words about an error, without what is secret in them."""
        words: str = self._cleaned(self._words(text))
        return words

    def _without_credentials(self, line: Header | Record) -> Header | Record:
        """Rules 2 and 3."""
        match line:
            case Header(config=config):
                return replace(line, config=self._config(config))
            case Begun(handle=str(handle)):
                return replace(line, handle=self._placeholder(handle))
            case Fed(signal=LinkLost(error=error) as lost) if error is not None:
                return replace(line, signal=replace(lost, error=self._error(error)))
            case Fed(signal=Received(said=said) as received):
                if any(isinstance(each, HandleUpdate | ModelError) for each in said):
                    return replace(line, signal=replace(received, said=tuple(map(self._said, said))))
        return line

    def _said(self, said: ModelSignal) -> ModelSignal:
        match said:
            case HandleUpdate(handle=str(handle)):
                return replace(said, handle=self._placeholder(handle))
            case ModelError():
                return replace(said, message=self._words(said.message))
        return said

    def _config(self, config: RunConfig) -> RunConfig:
        resumption = config.session_resumption
        if resumption is None or resumption.handle is None:
            return config
        hidden = resumption.model_copy(update={"handle": self._placeholder(resumption.handle)})
        return config.model_copy(update={"session_resumption": hidden})

    def _placeholder(self, handle: str) -> str:
        if handle not in self._handles:
            self._met += 1
            self._handles[handle] = f"handle-{self._met}"
            if len(self._handles) > HANDLES:
                self._handles.popitem(last=False)
        self._handles.move_to_end(handle)
        return self._handles[handle]

    def _error(self, error: ModelConnectionError) -> ModelConnectionError:
        """Another of its kind, since the first is the application's."""
        told, reason = self._words(str(error)), self._words(error.reason)
        if (told, reason) == (str(error), error.reason):
            return error
        cleaned = error.__class__.__new__(error.__class__, told)
        cleaned.__dict__.update(error.__dict__, reason=reason)
        return cleaned

    def _words(self, text: str) -> str:
        for pattern, instead in _LOOKS_SECRET:
            text = pattern.sub(instead, text)
        for handle, instead in self._handles.items():
            text = text.replace(handle, instead)
        return text

    def _cleaned(self, data: Any) -> Any:
        """Rule 1; the tape's own words stay."""
        match data:
            case str():
                for secret, _ in self._secrets:
                    data = data.replace(secret, SECRET)
                return data
            case list():
                return [self._cleaned(each) for each in data]
            case dict():
                return {
                    name if name.replace("_", "").isalpha() else self._cleaned(name): value
                    if name in _OURS and isinstance(value, str)
                    else self._cleaned(value)
                    for name, value in data.items()
                }
        return data
