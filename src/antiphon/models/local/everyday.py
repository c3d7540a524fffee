"""What people say to any agent, as data: phrases, and what may stand in their slots. American English."""

from __future__ import annotations

from typing import Final

from antiphon.models.local.spelling import said

__all__ = ["PHRASES", "SLOTS", "WORDS"]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


PHRASES: Final = _lines("""
    hello
    hello there
    hi
    hi there
    hey
    good {part_of_day}
    how are you
    how are you doing today
    nice to meet you
    my name is {name}
    i am {name}
    i'm {name}
    what is your name
    who are you
    what are you
    yes
    yes please
    yeah
    yep
    sure
    okay
    ok
    all right
    of course
    that's right
    that's fine
    correct
    exactly
    no
    no thanks
    no thank you
    nope
    not now
    not really
    that's wrong
    that's not what i said
    maybe
    i don't know
    i'm not sure
    stop
    stop it
    please stop
    stop talking
    be quiet
    wait
    wait a minute
    wait a second
    one moment
    hold on
    never mind
    cancel
    cancel that
    forget it
    go on
    continue
    go ahead
    start again
    start over
    next
    again
    say that again
    repeat that {please}
    {ask} repeat that {please}
    {ask} say that again {please}
    {ask} repeat after me
    pardon
    sorry
    excuse me
    what
    what did you say
    what was that
    i didn't understand
    i can't hear you
    can you hear me
    are you there
    {ask} speak up
    {ask} speak more slowly
    {ask} speak louder
    slower {please}
    louder {please}
    thanks
    thank you
    thank you very much
    thanks a lot
    thank you that's all
    that's all
    that is all
    great
    perfect
    cool
    goodbye
    bye
    bye bye
    see you later
    good night
    help
    help me {please}
    {ask} help me {please}
    i need help
    i need some help
    i have a question
    i have another question
    i have a problem
    what can you do
    what can you do for me
    how can you help me
    what else can you do
    {ask} count to {number}
    {ask} count from {number} to {number}
    {ask} tell me a joke
    {ask} tell me a story
    {ask} tell me more
    {ask} tell me more about that
    what time is it
    what's the time
    what time is it in {place}
    {ask} tell me the time
    what day is it {day}
    what's the date {day}
    what is the date {day}
    how much is {number} {operation} {number}
    what is {number} {operation} {number}
    what's {number} {operation} {number}
    {number}
    {number} please
    {day}
    on {weekday}
    at {clock}
    at {clock} {please}
    {clock} {day}
    {day} at {clock}
    {place}
    in {place}
    {name}
    {number} {unit}
    in {number} {unit}
    and in {place}
    and {day}
    and {place}
    what about {place}
    what about {day}
    how about {place}
    how about {day}
    i would like that
    i would like to know
    i want that
    why
    why not
    why is that
    how
    when
    where
    who
    which one
    how much
    how many
    how long does it take
    how does it work
    what does that mean
    what do you mean
    what do you think
    do you understand
    is that right
    is that all
    where are you
    where are you from
    what's up
    talk to me
    i love you
    well done
    good
    bad
    a b c d e f g
    testing one two three
""")
"""Each a way to say something. Slots are in braces."""

WORDS: Final = tuple(
    """
    the a an and or but not in on at to of for from with about by is are was were be been have has had do
    does did can could will would should may might must i you he she it we they me him her us them my your
    his its our their this that these those here there now then today what when where who which why how if
    so than too very more most less least much many few some any all no every each other another one ones
    something anything nothing someone anyone everything please thanks give get find show tell make take
    put set open close start stop turn play pause send call read write look search check change add remove
    delete cancel book buy order pay cost price need want like know think say said ask answer mean see hear
    come go going back up down out off over under again also just only still already yet soon later before
    after until since while first second third last next previous new old good bad better best big small
    long short high low early late right left wrong same different free full empty ready done
    day week month year hour minute second morning afternoon evening night time date
    name number word thing way place home house work city country people person man woman friend
    it's i'm i'd i'll i've you're that's what's where's who's how's there's let's don't doesn't didn't
    can't couldn't won't wouldn't isn't aren't wasn't
    """.split()
)
"""Words that may stand anywhere."""

_NUMBERS: Final = tuple(said(str(value)).strip() for value in (*range(101), *range(110, 1000, 10), 1000))
_SMALL: Final = tuple(said(str(value)).strip() for value in range(1, 21))
_HOURS: Final = tuple(said(str(hour)).strip() for hour in range(1, 13))

SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "number": (*_NUMBERS, *_SMALL * 6),
    "digit": _SMALL[:9],
    "ask": (
        *[""] * 6,
        *_lines("""
            please
            can you
            can you please
            could you
            could you please
            would you
            will you
            i want you to
            i'd like you to
        """),
    ),
    "want": _lines("""
        i want to
        i would like to
        i'd like to
        i need to
        let's
        can i
        could i
        help me
        let me
    """),
    "please": ("", "", "", "please"),
    "part_of_day": ("morning", "afternoon", "evening", "day"),
    "weekday": tuple("monday tuesday wednesday thursday friday saturday sunday".split()),
    "day": (
        *("today", "tomorrow", "tonight", "yesterday", "now", "right now", "this morning", "this afternoon"),
        *("this evening", "this week", "next week", "this weekend", "on the weekend", "tomorrow morning"),
        *("tomorrow evening", "the day after tomorrow", "monday", "tuesday", "wednesday", "thursday"),
        *("friday", "saturday", "sunday", "on monday", "on tuesday", "on wednesday", "on thursday"),
        *("on friday", "on saturday", "on sunday", "next monday", "next friday"),
    ),
    "month": tuple(
        "january february march april may june july august september october november december".split()
    ),
    "date": tuple(said(f"{day}th").strip() for day in range(1, 32)),
    "clock": (
        *_HOURS,
        *(f"{hour} o'clock" for hour in _HOURS),
        *(f"{hour} {minutes}" for hour in _HOURS for minutes in ("thirty", "fifteen", "forty five")),
        *(f"half past {hour}" for hour in _HOURS),
        *(f"quarter {side} {hour}" for hour in _HOURS for side in ("past", "to")),
        *(f"{hour} {half}" for hour in _HOURS for half in ("p m", "a m")),
        *("noon", "midnight"),
    ),
    "unit": tuple("second seconds minute minutes hour hours day days week weeks".split()),
    "operation": ("plus", "minus", "times", "divided by", "and"),
    "name": tuple(
        """
        ada alan alex alice amy andrew anna ben bob carlos carol charlie chris daniel david diana emily emma
        eric eva frank george grace hannah henry jack james jane jennifer jessica jim joe john jose julia
        karen kate kevin laura lisa lucas maria mark martin mary max michael mike nick nina oliver olivia
        paul peter rachel richard robert sam sarah simon sofia sophie steve susan thomas tim tom victor
        """.split()
    ),
    "place": _lines("""
        amsterdam
        athens
        atlanta
        bangkok
        barcelona
        beijing
        berlin
        boston
        brussels
        budapest
        buenos aires
        cairo
        cape town
        chicago
        copenhagen
        dallas
        delhi
        denver
        dubai
        dublin
        edinburgh
        frankfurt
        geneva
        hamburg
        helsinki
        hong kong
        houston
        istanbul
        jakarta
        johannesburg
        kyiv
        lagos
        las vegas
        lima
        lisbon
        london
        los angeles
        madrid
        manchester
        melbourne
        mexico city
        miami
        milan
        montreal
        moscow
        mumbai
        munich
        nairobi
        new york
        oslo
        paris
        philadelphia
        prague
        reykjavik
        rio de janeiro
        rome
        san diego
        san francisco
        santiago
        seattle
        seoul
        shanghai
        singapore
        stockholm
        sydney
        tel aviv
        tokyo
        toronto
        vancouver
        venice
        vienna
        warsaw
        washington
        zurich
        america
        australia
        austria
        brazil
        canada
        china
        england
        france
        germany
        india
        ireland
        italy
        japan
        mexico
        spain
        switzerland
    """),
}
"""What may stand for a name in braces; said twice is twice as likely, and "" is nothing."""
