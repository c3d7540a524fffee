"""The tape: one conversation in one file, exactly (docs: contract, section 9).

JSON Lines in UTF-8, gzipped if the name ends in `.gz`. The first line is the `Header`, each other one a
record, in the order in which things happened. `now` is the conversation's own clock, in seconds. Whatever
reached the conversation is `Fed`, the chance it drew is `Drawn`: from these alone it can be held again. What
it said to models (`Dialled`, `Begun`, `Told`, `HungUp`) is there for those who play a model's half.

A version of the format is never read as another: a reader takes the versions it knows, and refuses the rest.
New kinds of records, signals and fields may come within a version; a reader that does not know one says so.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from antiphon.config import RunConfig
from antiphon.core.handover import Cast
from antiphon.core.messages import Message
from antiphon.core.signals import Signal
from antiphon.errors import TapeUnusable
from antiphon.models.tape_codec import NotOfThisKind, form_of
from antiphon.types import Content, GenerateContentConfig, Tool

__all__ = [
    "VERSION",
    "Begun",
    "Dialled",
    "Drawn",
    "Fed",
    "Finished",
    "Header",
    "HungUp",
    "Record",
    "Started",
    "Tape",
    "Told",
    "as_json",
    "blank",
]

VERSION: Final = 1
_FORMAT: Final = "antiphon"
_PIECE: Final = 64
"""Bytes of a zipped tape that are read at once; damage loses those it is in, and what comes after."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a conversation begins with."""

    tape: str
    """`antiphon`, always."""
    version: int
    antiphon: str
    """The version of the package that recorded it."""
    recorded: float
    """Seconds since the epoch, at `now`."""
    invocation: str
    note: str
    now: float
    """When the conversation was made."""
    cast: Cast
    config: RunConfig


@dataclass(frozen=True, slots=True)
class Started:
    """The conversation was started."""

    now: float


@dataclass(frozen=True, slots=True)
class Fed:
    """Something happened."""

    now: float
    signal: Signal


@dataclass(frozen=True, slots=True)
class Drawn:
    """The conversation drew a number by chance, about what is on the line before that is `Fed`."""

    chance: float


@dataclass(frozen=True, slots=True)
class Dialled:
    """A link to an agent's model was asked for."""

    now: float
    link: int
    agent: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A session was set up: a `Setup`, without the configuration, which is in the header."""

    now: float
    link: int
    instruction: str = ""
    tools: Sequence[Tool] = ()
    generation: GenerateContentConfig | None = None
    handle: str | None = None
    history: Sequence[Content] = ()
    pending: Content | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A message was said to a model."""

    now: float
    link: int
    message: Message


@dataclass(frozen=True, slots=True)
class HungUp:
    """A link was closed from this side."""

    now: float
    link: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The conversation has ended, and the tape with it. `error`: recording ended before, by this."""

    now: float
    error: str | None = None


Record = Started | Fed | Drawn | Dialled | Begun | Told | HungUp | Finished


@dataclass(frozen=True, slots=True)
class Tape:
    """One that was read. `lines` numbers each record's line in the file, from 1."""

    header: Header
    records: Sequence[Record]
    lines: Sequence[int]
    name: str = field(default="tape", compare=False)
    truncated: bool = False
    """The last line was cut off, as by a crash; everything before it is here."""

    @property
    def complete(self) -> bool:
        """Whether it holds the conversation to its end."""
        last = self.records[-1] if self.records else None
        return isinstance(last, Finished) and last.error is None

    @classmethod
    def load(cls, path: str | Path) -> Tape:
        """The tape in a file. Raises `TapeUnusable`."""
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise TapeUnusable(f"{path} cannot be read: {error.strerror or error}.") from error
        return cls.read(data, path.name)

    @classmethod
    def read(cls, data: bytes, name: str = "tape") -> Tape:
        """The tape in these bytes, gzipped or not. Raises `TapeUnusable`.

        A last line that is cut off is left out; anything else that is wrong is refused.
        """
        cut = False
        if data[:2] == b"\x1f\x8b":
            data, cut = _unzipped(data)
        *whole, rest = data.split(b"\n")
        if not whole:
            raise TapeUnusable(f"{name} is no tape: it has no first line. Record one: run_live(tape=…).")
        header = _header(whole[0], name)
        records, lines = [], []
        for number, line in enumerate(whole[1:], 2):
            try:
                records.append(_RECORD.read(_parsed(line)))
            except NotOfThisKind as wrong:
                raise TapeUnusable(
                    f"{name}, line {number}: {wrong}. It was recorded by antiphon {header.antiphon}: it "
                    "is damaged, or needs that version."
                ) from None
            lines.append(number)
        return cls(header, records, lines, name, cut or bool(rest))


_HEADER = form_of(Header)
_RECORD = form_of(Record)


def blank(cast: Cast, config: RunConfig, **facts: Any) -> Header:
    """A header of this version of the format."""
    return Header(_FORMAT, VERSION, cast=cast, config=config, **facts)


def as_json(line: Header | Record) -> dict[str, Any]:
    """One line, as JSON can hold it. Raises what Pydantic does for values that JSON has no word for."""
    form = _HEADER if isinstance(line, Header) else _RECORD
    written: dict[str, Any] = form.write(line)
    return written


def _header(line: bytes, name: str) -> Header:
    try:
        data = _parsed(line)
        if not isinstance(data, dict) or data.get("tape") != _FORMAT:
            raise TapeUnusable(f"{name} is no tape: its first line is not the header of one.")
        if data.get("version") != VERSION:
            raise TapeUnusable(
                f"{name} is a tape of version {data.get('version')!r:.20}, recorded by antiphon "
                f"{data.get('antiphon')!r:.20}; this one reads version {VERSION}: replay it with that one."
            )
        header: Header = _HEADER.read(data)
        if header.cast.first not in header.cast.roles:
            raise NotOfThisKind(f"cast: there is no role {header.cast.first!r}")
    except NotOfThisKind as wrong:
        raise TapeUnusable(f"{name} is no tape: line 1: {wrong}.") from None
    return header


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as bad:
        raise NotOfThisKind(f"no JSON ({bad})") from None


def _unzipped(data: bytes) -> tuple[bytes, bool]:
    """What can be read of it, and whether that was not all."""
    out = bytearray()
    member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece:
            if member.eof:
                member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            try:
                out += member.decompress(piece)
            except zlib.error:
                return bytes(out), True
            piece = member.unused_data
    return bytes(out), not member.eof
