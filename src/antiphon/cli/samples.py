"""Agents to begin with: the one `talk` starts without an APP, and the demo's."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon.agents import Agent

if TYPE_CHECKING:
    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel

__all__ = ["HINT", "SUGGESTIONS", "City", "demo_agent", "friendly_agent"]

HINT: Final = (
    "Ask “What is the weather in Paris?”, “What time is it in Tokyo?”, “Set a timer for five seconds.”, "
    "or say “Count to twenty.” and cut in."
)

SUGGESTIONS: Final = (
    "What is the weather in Paris?",
    "What time is it in Tokyo?",
    "Set a timer for five seconds.",
    "Count to twenty.",
)
"""What the page proposes to say: the last is long enough to cut in."""

City = Literal["Berlin", "Cairo", "Lima", "London", "New York", "Paris", "Sydney", "Tokyo"]
"""Those of which the demo knows; named in the type, so that models and recognisers know them as well."""

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


def friendly_agent(model: str | LiveModel | ChatModel | None, instruction: str | None = None) -> Agent:
    """The agent of `antiphon talk` without an APP."""
    told = (
        "You are a friendly companion in a terminal. Be brief, and use your tools for the time and for dice."
    )
    return Agent(
        name="antiphon", model=model, instruction=instruction or told, tools=[current_time, roll_dice]
    )


def get_weather(city: City) -> dict[str, Any]:
    """Tells the weather of a city; for the demo it is made up."""
    sky, degrees = _WEATHER[_known(city, _WEATHER)]
    return {"city": city, "sky": sky, "celsius": degrees}


def get_time(city: City) -> dict[str, str]:
    """Tells what time it is in a city."""
    return {"city": city, "time": current_time(_ZONES[_known(city, _ZONES)])["time"]}


async def timer(seconds: int) -> str:
    """Sets a timer for some seconds."""
    if not 0 < seconds <= 600:
        raise ValueError("A timer takes 1 to 600 seconds.")
    await asyncio.sleep(seconds)
    return f"{seconds} seconds are over"


def demo_agent(model: LiveModel | ChatModel) -> Agent:
    """The agent of `antiphon demo`."""
    told = "You are the guide of a demo. Answer in one short sentence, and use your tools where they help."
    return Agent(
        name="antiphon",
        model=model,
        description=(
            "A guide that knows the weather and the time of a few cities, sets timers, and counts. "
            "Cut in whenever you like."
        ),
        instruction=told,
        tools=[get_weather, get_time, timer],
    )


def _known(city: str, cities: dict[str, Any]) -> str:
    name = city.strip().lower()
    if name not in cities:
        known = ", ".join(known.title() for known in cities)
        raise ValueError(f"I know nothing of {city}; ask about one of {known}.")
    return name
