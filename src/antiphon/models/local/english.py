"""What `KeywordBrain` knows of English, as plain tables: words that say little, words that mean the same."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIONS",
    "GROUPS",
    "HUNDRED",
    "MONTHS",
    "ORDINALS",
    "SCALES",
    "SMALL_NUMBERS",
    "STOP_WORDS",
    "UNITS",
    "WEAK_WORDS",
    "WEEKDAYS",
]

STOP_WORDS: Final = frozenset(
    """
    a an the this that these those some any it its it's i i'm i'd i'll i've me my mine we us our you your
    yours he she they them their his her is are was were be been being am do does did done can could will
    would shall should may might must have has had having to of in on at for from by with about into onto
    as and or but if then so than too very just really please kindly thanks thank hey hi hello ok okay
    well now there here what what's which who whom whose when where how why not no yes let let's want
    wants wanted need needs like love gonna going go got get gets give gives tell tells know say says
    think uh um er hmm oh ah right also again more much many one's per each other another only out up off
    down over back through new own same such sure maybe perhaps current given using use used via based e.g
    eg i.e etc optional default required it'll we'd we're don't didn't doesn't won't can't cannot
    you're that's there's today's around looking wondering wonder hear between during until before after
    because while both all every something anything somebody someone whats wheres hows whos im ive id ill
    dont lets thats isnt cant wont anyone user's user users value values returned return returns string
    name's able possible quick quickly look looks see sees find finds show shows bring question
    questions happen happens ones
    help
    """.split()
)
"""Words that say nothing of what is meant."""

WEAK_WORDS: Final = frozenset(
    """
    set make makes start starts put puts add adds create creates read reads list lists check checks take
    takes run runs turn turns ask asks call calls update updates fetch fetches do new info information
    details detail data status result results number numbers time times day days hour hours minute minutes
    second seconds week weeks month months year years date today tomorrow tonight yesterday morning
    afternoon evening noon midnight good name thing things kind way lot bit good great nice fine double
    triple persons people
    person next last first left
    """.split()
)
"""Words that help to choose between tools, but are no reason to call one."""

GROUPS: Final[tuple[tuple[str, ...], ...]] = tuple(
    tuple(line.split())
    for line in """
    weather whether forecast temperature rain raining rainy sunny umbrella snow snowing windy cloudy storm
    timer countdown egg
    alarm wake
    cancel delete remove abort drop scrap clear
    stop halt end quit
    book booking reserve reservation
    appointment meeting slot visit
    change update modify move reschedule edit switch alter postpone shift
    pay payment settle
    bill invoice bills invoices
    balance owe owing due debt account outstanding money
    buy purchase order
    parcel package delivery shipment shipping ship deliver order
    track trace where
    send mail email message text write
    remind reminder remember
    note memo jot
    light lights lamp lamps bulb
    play song music track tune
    volume loud louder quiet quieter
    flight plane fly flying airline
    hotel room accommodation stay
    table restaurant dinner lunch meal
    refund reimburse reimbursement
    phone dial ring
    calculate compute sum plus minus times divided calculator
    convert conversion exchange
    translate translation
    price cost costs expensive fee
    heating thermostat heat radiator
    door lock unlock
    search lookup
    clock o'clock hour time
    calendar agenda diary schedule
    joke funny laugh
    news headline headlines
    stock stocks share shares quote
    technical broken error bug problem issue trouble support
    sales sell buying purchase pricing
    doctor physician clinic
    car vehicle
    open opening hours opened
    address location
    people guests persons guest party seats
    """.strip().splitlines()
)
"""Words that mean the same, or point to the same thing. A word may stand in several groups."""

ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    kind: tuple(words.split())
    for kind, words in {
        "show": "get show list check find read what what's when where how is are see view tell look lookup "
        "fetch search which who query describe track give",
        "create": "set create make add start book reserve order buy schedule new remind send pay place put "
        "open play reservation booking appointment note write turn",
        "change": "change update modify move reschedule edit set alter postpone shift switch turn adjust",
        "cancel": "cancel delete remove abort drop stop clear end scrap unsubscribe cancellation",
    }.items()
}
"""What is to be done with a thing: a tool that does something else to it is not what is meant."""

SMALL_NUMBERS: Final[dict[str, int]] = {
    word: at
    for at, word in enumerate(
        """
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen
        """.split()
    )
} | {
    word: at * 10
    for at, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
HUNDRED: Final = "hundred"
SCALES: Final[dict[str, int]] = {"thousand": 1_000, "million": 1_000_000}
ORDINALS: Final[dict[str, int]] = {
    word: at
    for at, word in enumerate(
        """
        first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
        fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
        """.split(),
        1,
    )
} | {"thirtieth": 30}

WEEKDAYS: Final = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
MONTHS: Final = tuple(
    "january february march april may june july august september october november december".split()
)
UNITS: Final[dict[str, int]] = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3_600,
    "hr": 3_600,
    "day": 86_400,
    "week": 604_800,
}
"""Units of time, in seconds."""
