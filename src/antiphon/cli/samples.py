"""Agents to begin with: the one `talk` starts without an APP, and the demo's, with the words of its model."""

from __future__ import annotations

import asyncio
import random
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon.agents import Agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.models import LiveModel
    from antiphon.testing.live_reply import Item, Prompt

__all__ = ["HINT", "demo_agent", "demo_reply", "friendly_agent"]

HINT: Final = 'Try "weather in Paris", "time in Tokyo", "timer for 3 seconds" or "count to 20".'

_WEATHER: Final = {
    "berlin": ("cloudy", 17),
    "cairo": ("sunny", 34),
    "lima": ("misty", 19),
    "london": ("rainy", 14),
    "new york": ("windy", 21),
    "paris": ("sunny", 22),
    "sydney": ("clear", 18),
    "tokyo": ("humid", 27),
}
_ZONES: Final = {
    "berlin": "Europe/Berlin",
    "cairo": "Africa/Cairo",
    "lima": "America/Lima",
    "london": "Europe/London",
    "new york": "America/New_York",
    "paris": "Europe/Paris",
    "sydney": "Australia/Sydney",
    "tokyo": "Asia/Tokyo",
}
_GREETING: Final = re.compile(
    r"\s*(hi|hello|hey|good (morning|day|evening)|help|what can you do)\b", re.IGNORECASE
)


def current_time(zone: str = "UTC") -> dict[str, str]:
    """Tells the date and time in a time zone.

    Args:
        zone: Its IANA name, such as Europe/Paris or America/New_York.
    """
    try:
        now = datetime.now(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"There is no time zone {zone!r}; use an IANA name such as Europe/Paris.") from None
    return {"zone": zone, "time": now.strftime("%H:%M"), "date": now.strftime("%A, %d %B %Y")}


def roll_dice(sides: int = 6, count: int = 1) -> list[int]:
    """Rolls dice and tells what each shows.

    Args:
        sides: Sides of each of the dice.
        count: How many are rolled, at most 100.
    """
    if sides < 2 or not 1 <= count <= 100:
        raise ValueError("Dice have 2 sides or more, and 1 to 100 are rolled at a time.")
    return [random.randint(1, sides) for _ in range(count)]


def friendly_agent(model: str | LiveModel | None, instruction: str | None = None) -> Agent:
    """The agent of `antiphon talk` without an APP."""
    told = (
        "You are a friendly companion in a terminal. Be brief, and use your tools for the time and for dice."
    )
    return Agent(
        name="antiphon", model=model, instruction=instruction or told, tools=[current_time, roll_dice]
    )


def get_weather(city: str) -> dict[str, Any]:
    """Tells the weather of a city."""
    sky, degrees = _WEATHER[_known(city, _WEATHER)]
    return {"city": city, "sky": sky, "celsius": degrees}


def get_time(city: str) -> dict[str, str]:
    """Tells what time it is in a city."""
    return {"city": city, "time": current_time(_ZONES[_known(city, _ZONES)])["time"]}


async def timer(seconds: int) -> str:
    """Waits, and tells when the time is over; one may talk on meanwhile."""
    if not 0 < seconds <= 600:
        raise ValueError("A timer takes 1 to 600 seconds.")
    await asyncio.sleep(seconds)
    return f"{seconds} seconds are over"


def demo_agent(model: LiveModel) -> Agent:
    """The agent of `antiphon demo`."""
    return Agent(name="antiphon", model=model, tools=[get_weather, get_time, timer])


def demo_reply(prompt: Prompt) -> Iterable[Item]:
    """What the demo's model answers: it has no wits of its own, but calls the tools that are named."""
    from antiphon.testing.live_reply import Say, echo  # an extra, loaded when the demo runs

    if prompt.responses:
        for answer in prompt.responses:
            yield Say(_sentence(answer.output, answer.response))
    elif prompt.text and _GREETING.match(prompt.text):
        yield Say(f"Hello! {HINT} Type while I speak to cut in.")
    else:
        yield from echo(prompt)


def _sentence(output: Any, response: Any) -> str:
    if isinstance(response, dict) and "error" in response:
        error = response["error"]
        said = str(error.get("message", error) if isinstance(error, dict) else error)
        return re.sub(r"^\w+Error: ", "", said)
    match output:
        case {"city": city, "sky": sky, "celsius": celsius}:
            return f"It is {sky} in {city}, {celsius} degrees."
        case {"city": city, "time": time}:
            return f"In {city} it is {time}."
        case _:
            return f"{output}."


def _known(city: str, cities: dict[str, Any]) -> str:
    name = city.strip().lower()
    if name not in cities:
        known = ", ".join(known.title() for known in cities)
        raise ValueError(f"I know nothing of {city}; ask about one of {known}.")
    return name
