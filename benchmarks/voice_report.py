"""`python -m benchmarks.voice_report`: measures the local voice and writes docs/local-voice.md's figures.

What stands between the markers there is written anew; all else of the page stays. Takes ten minutes and wants
the machine for itself; `--quick` takes two, and shows the figures instead of writing them; `--answers`
measures whole conversations alone, and writes the tables of these anew.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import hearing, local_voice, turn_taking
from benchmarks.processes import ROOT
from benchmarks.report import machine
from benchmarks.sounds import SPEEDS, VOICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.hearing import Heard
    from benchmarks.local_voice import Timed
    from benchmarks.turn_taking import Turns

__all__ = ["figures", "inserted", "table"]

PAGE = ROOT / "docs" / "local-voice.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
ANSWERS = "### From the end of speech to the first sound"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; the first column to the left, figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def inserted(page: str, figures: str) -> str:
    """The page with these between its markers. Raises `ValueError` where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page needs a line {BEGIN!r} and, after it, a line {END!r}.")
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def figures(heard: Heard, turns: Turns, alone: Timed, crowd: Timed, facts: Mapping[str, object]) -> str:
    """All tables, each with its heading."""
    where = (
        f"{facts['cpu']}, {facts['cpus']} CPUs (virtual), {facts['system']}, {str(facts['made'])[:10]}; "
        f"load {facts['load_before']} before, {facts['load_after']} after."
    )
    return "\n\n".join([where, *words(heard), *taking(turns), *answers(alone, crowd)])


def words(heard: Heard) -> Iterator[str]:
    yield "### Words that are heard wrong"
    head = ["word error rate, noise below the speech by", *hearing.NOISES]
    kinds = [*hearing.SENTENCES, hearing.PEOPLE]
    yield table(
        head,
        (
            [kind, *(percent(heard.where(kind, noise=noise).rate) for noise in hearing.NOISES)]
            for kind in kinds
            if heard.where(kind).words
        ),
    )
    if not heard.where(hearing.PEOPLE).words:
        yield "The recordings of people are not in this `moonshine-voice`, and were left out."
    yield "Synthetic voices one by one, all kinds of sentences together:"
    yield table(
        head,
        (
            [
                f"{voice}, {speed} words a minute",
                *(percent(heard.where(None, voice, speed, noise).rate) for noise in hearing.NOISES),
            ]
            for voice in VOICES
            for speed in SPEEDS
            if heard.where(None, voice, speed).words
        ),
    )
    kinds_of_all = [heard.where(kind) for kind in hearing.SENTENCES]
    spent, sound = sum(each.spent for each in kinds_of_all), sum(each.sound for each in kinds_of_all)
    people = heard.where(hearing.PEOPLE)
    takes = np.percentile([take for each in kinds_of_all for take in each.takes], [50, 95]) * 1e3
    asked = f" People, asked about at every pause: {percent(people.spent / people.sound)}." * bool(
        people.words
    )
    yield (
        f"Recognition takes {percent(spent / sound)} of a core for what is spoken: {takes[0]:.0f} ms for an "
        f"utterance (p50; p95 {takes[1]:.0f} ms).{asked} Loading the model took {heard.load:.1f} s and "
        f"{heard.memory:.0f} MB, once in a process."
    )


def taking(turns: Turns) -> Iterator[str]:
    yield "### When a turn is over"
    yield table(
        ["from the end of speech until it is over", "p50", "p95", "of", "ended too soon"],
        (
            [name, *spread(values), str(len(values)), str(turns.cut_in[name])]
            for name, values in turns.ends.items()
        ),
    )
    yield table(
        ["a pause in the middle of a sentence (“book a table for … two people”)", "stays one turn"],
        (
            [f"{pause * 1e3:.0f} ms", f"{whole} of {all_}"]
            for pause, (whole, all_) in turns.hesitations.items()
        ),
    )
    yield "### What interrupts the agent"
    yield table(
        ["from the onset over the agent's speech", "p50", "p95", "of"],
        (
            [name, *spread(values), str(len(values))]
            for name, values in (
                ("until it is held (nothing more is sent)", turns.holds),
                ("until it is interrupted", turns.interrupts),
            )
        ),
    )
    yield table(
        ["what is no interruption", "not noticed", "held, then went on", "interrupted", "held for (p50)"],
        (
            [
                name,
                *(str(counts[what]) for what in ("unnoticed", "went on", "interrupted")),
                spread(turns.stops[name])[0],
            ]
            for name, counts in turns.intrusions.items()
        ),
    )
    yield table(
        ["an hour of", "false starts (held, went on)", "false interruptions", "taken for a turn"],
        (
            [name, *(f"{each[what]:.0f}" for what in ("resumed", "interrupted", "taken for a turn"))]
            for name, each in turns.noises.items()
        ),
    )
    yield table(
        ["the agent's own voice at the microphone, half a minute", "held", "interrupted"],
        ([f"{down} dB down", str(held), str(cut)] for down, (held, cut) in turns.echo.items()),
    )
    yield table(["of a core", ""], ([name, f"{share:.2%}"] for name, share in turns.costs.items()))


def answers(alone: Timed, crowd: Timed) -> Iterator[str]:
    yield ANSWERS
    both = (alone, crowd)
    names = [f"{each.conversations} at once, {cores(each)}" for each in both]
    head = [
        "mean of",
        *(f"{name}: {what}" for name in names for what in ("all", "middle fifth", "slowest tenth")),
    ]
    parts = [each.stages(*ranks) for each in both for ranks in ((0.0, 1.0), (0.4, 0.6), (0.9, 1.0))]
    stages = zip(local_voice.STAGES, *parts, strict=True)
    yield table(
        head,
        [
            *([name, *(milliseconds(value) for value in values)] for name, *values in stages),
            ["**all of it**", *(f"**{milliseconds(sum(column))}**" for column in parts)],
        ],
    )
    yield table(
        ["", *names],
        [
            ["end of speech → first sound, p50", *(spread(each.waits)[0] for each in both)],
            ["the same, p95", *(spread(each.waits)[1] for each in both)],
            ["onset of an interruption → silence, p50", *(spread(each.silences)[0] for each in both)],
            ["the same, p95", *(spread(each.silences)[1] for each in both)],
            ["onset → `interrupted`, p50", *(spread(each.cuts)[0] for each in both)],
            ["questions answered", *(str(len(each.answers)) for each in both)],
            ["answered in a pause of theirs, before their end", *(str(each.hasty) for each in both)],
            ["unanswered, or without effect", *(str(each.missed) for each in both)],
            ["errors", *(str(each.errors) for each in both)],
            ["of a core, each conversation", *(percent(each.core / each.conversations) for each in both)],
            ["the event loop was late by, p95", *(milliseconds(each.late) for each in both)],
        ],
    )


def cores(timed: Timed) -> str:
    return f"{timed.cores} core{'s' * (timed.cores != 1)}"


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms"


def spread(values: Sequence[float]) -> tuple[str, str]:
    """p50 and p95 of those that are known."""
    known = [value for value in values if value == value]
    if not known:
        return "–", "–"
    middle, high = np.percentile(known, [50, 95])
    return milliseconds(float(middle)), milliseconds(float(high))


def conversations(*, quick: bool) -> tuple[Timed, Timed]:
    return local_voice.apart(1, 3 if quick else 10, 0), local_voice.apart(8, 1 if quick else 4, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice_report", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, shown instead of written")
    parser.add_argument("--answers", action="store_true", help="whole conversations alone")
    chosen = parser.parse_args()
    quick = chosen.quick
    load = os.getloadavg()[0]
    alone, crowd = conversations(quick=quick)
    if chosen.answers:
        page = PAGE.read_text(encoding="utf-8")
        others = page.partition(BEGIN)[2].partition(ANSWERS)[0].strip()
        PAGE.write_text(inserted(page, "\n\n".join([others, *answers(alone, crowd)])), encoding="utf-8")
        return
    heard, turns = hearing.measure(quick=quick), turn_taking.measure(quick=quick)
    found = figures(heard, turns, alone, crowd, machine(load))
    if quick:
        print(found)
        return
    PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(f"Written to {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
