"""`python -m benchmarks.voice_report`: measures the local voice and writes docs/local-voice.md's figures.

What stands between the markers there is written anew; all else of the page stays. Takes a quarter of an hour
and wants the machine for itself; `--quick` takes three minutes, and shows figures instead of writing them;
`--answers` measures whole conversations alone, six minutes, and writes the tables of these anew; `--turns`
those in the sound's own time, four minutes of computing, on a machine that may be busy.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import hearing, local_voice, turn_taking
from benchmarks.markdown import BEGIN, END, inserted, table
from benchmarks.processes import ROOT
from benchmarks.report import machine
from benchmarks.sounds import SPEEDS, VOICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.hearing import Heard
    from benchmarks.local_voice import Timed
    from benchmarks.turn_taking import Turns

__all__ = ["figures"]

PAGE = ROOT / "docs" / "local-voice.md"
TURNS = "### When a turn is over"
ANSWERS = "### From the end of speech to the first sound"


def figures(heard: Heard, turns: Turns, timed: Sequence[Timed], facts: Mapping[str, object]) -> str:
    """All tables, each with its heading."""
    where = (
        f"{facts['cpu']}, {facts['cpus']} CPUs (virtual), {facts['system']}, {str(facts['made'])[:10]}; "
        f"load {facts['load_before']} before, {facts['load_after']} after."
    )
    return "\n\n".join([where, *words(heard), *taking(turns), *answers(timed)])


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
    yield TURNS
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


def answers(timed: Sequence[Timed]) -> Iterator[str]:
    """Parts of the first and the last, which are the least and the most at once; figures of all."""
    yield ANSWERS
    names = [f"{each.conversations} at once, {cores(each)}" for each in timed]
    kinds = ("all", "middle fifth", "slowest tenth")
    head = ["mean of", *(f"{name}: {what}" for name in (names[0], names[-1]) for what in kinds)]
    ends = (timed[0], timed[-1])
    parts = [each.stages(*ranks) for each in ends for ranks in ((0.0, 1.0), (0.4, 0.6), (0.9, 1.0))]
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
            *spreads("end of speech → first sound", [each.waits for each in timed]),
            *spreads("onset of an interruption → silence", [each.silences for each in timed]),
            ["silent within 300 ms", *(f"{each.prompt} of {len(each.silences)}" for each in timed)],
            *spreads("onset → `interrupted`", [each.cuts for each in timed]),
            ["answered in a pause of theirs, before their end", *(str(each.hasty) for each in timed)],
            ["unanswered, or without effect", *(str(each.missed) for each in timed)],
            ["errors", *(str(each.errors) for each in timed)],
            ["of a core, each conversation", *(percent(each.core / each.conversations) for each in timed)],
            ["the event loop was late by, p95", *(milliseconds(each.late) for each in timed)],
        ],
    )


def spreads(name: str, columns: Sequence[Sequence[float]]) -> list[list[str]]:
    """A row each of p50, of p95, and of how many they are."""
    found = [(*spread(values), str(len(values))) for values in columns]
    return [
        [title, *row]
        for title, row in zip((f"{name}, p50", "p95", "of"), zip(*found, strict=True), strict=True)
    ]


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


def conversations(*, quick: bool) -> list[Timed]:
    """One alone, four, and eight on one core."""
    return [
        local_voice.apart(1, 2 if quick else 10, 0),
        local_voice.apart(4, 1 if quick else 4, 0),
        local_voice.apart(8, 1 if quick else 4, 1),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice_report", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, shown instead of written")
    parser.add_argument("--answers", action="store_true", help="whole conversations alone")
    parser.add_argument("--turns", action="store_true", help="turns and interruptions alone")
    chosen = parser.parse_args()
    quick = chosen.quick
    if chosen.turns:
        anew = taking(turn_taking.measure(quick=quick))
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)[2].partition(END)[0].partition(TURNS)
        after = ANSWERS + rest.partition(ANSWERS)[2]
        PAGE.write_text(inserted(page, "\n\n".join([before.strip(), *anew, after.strip()])), encoding="utf-8")
        return
    load = os.getloadavg()[0]
    timed = conversations(quick=quick)
    if chosen.answers:
        page = PAGE.read_text(encoding="utf-8")
        others = page.partition(BEGIN)[2].partition(ANSWERS)[0].strip()
        PAGE.write_text(inserted(page, "\n\n".join([others, *answers(timed)])), encoding="utf-8")
        return
    heard, turns = hearing.measure(quick=quick), turn_taking.measure(quick=quick)
    found = figures(heard, turns, timed, machine(load))
    if quick:
        print(found)
        return
    PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    print(f"Written to {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
