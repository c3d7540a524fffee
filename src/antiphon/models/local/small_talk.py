"""What is said to anybody: greetings, thanks, "repeat that", "count to ten". Pure, and English only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from antiphon.models.local.numerals import in_words, number_at, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.models.local.tokens import Token

__all__ = ["COUNTS_TO", "Remark", "counting", "echo", "remark"]

COUNTS_TO: Final = 100
"""As far as it counts."""

Remark = Literal[
    "greeting", "farewell", "thanks", "yes", "no", "stop", "repeat", "abilities", "how_are_you", "who", "done"
]

_REMARKS: Final[tuple[tuple[Remark, str, str, str], ...]] = (  # what may lead in, what it is, what may follow
    ("how_are_you", "hello|hi|hey", "how are you( doing)?|how( is|'s) it going", "today"),
    ("greeting", "", "hello|hi|hey|good (morning|afternoon|evening|day)|greetings", "there|again|everyone"),
    ("farewell", "ok|okay|thanks", "good ?bye|bye( bye)?|see you( later)?|good night|so long", "now|then"),
    ("thanks", "ok|okay|great|perfect", "thanks|thank you|cheers", "a lot|so much|very much"),
    (
        "stop",
        "please|ok",
        "stop( it| that)?|(be )?quiet|shut up|enough|that( is|'s) enough|wait|hold on|pause|silence",
        "please|now",
    ),
    (
        "no",
        "oh",
        "no|nope|nah|never ?mind|forget (it|that)|no thank you|no thanks|cancel( that)?|don't|do not",
        "please",
    ),
    (
        "yes",
        "oh",
        "yes|yeah|yep|yup|sure|of course|correct|right|ok|okay|please do|do it|go ahead|exactly|that's right",
        "please",
    ),
    (
        "repeat",
        "(can|could|would) you( please)?|please|sorry",
        "repeat( that| it)?|say (that|it) again|what did you say|once more|one more time|pardon( me)?|what",
        "please",
    ),
    (
        "abilities",
        "so|and|ok|okay|please",
        "what (can|could|do|else can) (you|i) (do|ask|ask you|say|help( me)? with)|how can you help( me)?|"
        "what are (you able to do|your (abilities|skills|functions|options))|help( me)?|i need help|options",
        "for me|here|please",
    ),
    ("who", "", "(who|what) are you|what( is|'s) your name|who am i (talking|speaking) (to|with)", ""),
    (
        "done",
        "no|ok|okay|thanks",
        "(that|that will|that would|that'll) be all|that( is|'s) (all|it)|nothing else|"
        "(i'm|i am|we're|all) done|(i'm )?finished",
        "for (now|today)|thanks|thank you",
    ),
)
_COMPILED: Final = tuple(
    (
        kind,
        re.compile(rf"((?:{lead}) )*?(?:{core})(?: (?:{tail}))*" if lead else rf"(?:{core})(?: (?:{tail}))*"),
    )
    for kind, lead, core, tail in _REMARKS
)
_FILLERS: Final = re.compile(r"^(?:um+|uh+|er+|well|so)\s+|\s+(?:um+|uh+)$")
_ECHO: Final = re.compile(
    r"^(?:please )?(?:repeat after me|say after me)[ ,:]*(.+)$", re.IGNORECASE | re.DOTALL
)


def remark(words: Sequence[Token]) -> Remark | None:
    """What the whole sentence is, if it is nothing more than that."""
    said = _FILLERS.sub("", " ".join(word.low for word in words))
    greeted = re.match(r"(?:hello|hi|hey)(?: there)? (?=\w)", said)
    for text in (said, said[greeted.end() :] if greeted else ""):
        for kind, pattern in _COMPILED:
            if text and pattern.fullmatch(text):
                return kind
    return None


def echo(text: str) -> str | None:
    """What is to be said after the user."""
    found = _ECHO.match(text.strip())
    return found[1] if found else None


def counting(words: Sequence[Token]) -> str | None:
    """The count that is asked for, one number in a sentence, so that it can be cut off between any two."""
    low = [word.low for word in words]
    if "count" not in low:
        return None
    start = low.index("count") + 1
    following = words[start:]
    down = "down" in low[start:]
    backwards = down or "backwards" in low[start:]
    ends = [int(each.value) for each in numbers(following) if each.value >= 0]
    leads = {
        "to",
        "from",
        "up",
        "down",
        "for",
        "me",
        "till",
        "until",
        "aloud",
        "backwards",
        "out",
        "loud",
        "by",
    }
    if not ends or not (low[start] in leads or number_at(words, start)):
        return None
    if len(ends) > 1:
        first, last = ends[0], ends[1]
    elif backwards:
        first, last = ends[0], 1
    elif "from" in low[start:]:
        first, last = ends[0], COUNTS_TO
    else:
        first, last = 1, ends[0]
    if max(first, last) > COUNTS_TO:
        return f"I only count to {in_words(COUNTS_TO)}."
    row = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return " ".join(f"{in_words(number).capitalize()}." for number in row)
