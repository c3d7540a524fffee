"""Tools of four example agents, and what a brain is asked about them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from antiphon.models.local.abilities import abilities
from antiphon.models.local.understanding import Reply, understand
from antiphon.tools import FunctionTool
from antiphon.tools.builtin import task_completed_tool, transfer_tool
from antiphon.types import Content, Part, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.models.local.abilities import Ability

__all__ = ["BILLING", "BOOKING", "HOME", "NOW", "WEATHER", "able", "ask", "calls", "model", "user"]

NOW = datetime(2026, 11, 21, 13, 0)  # a Saturday


def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius", date: str = "") -> None:
    """Current weather in a city.

    Args:
        city: The city to look up.
        unit: The unit of temperature.
        date: The day, as YYYY-MM-DD.
    """


def set_timer(minutes: float, label: str = "") -> None:
    """Sets a timer.

    Args:
        minutes: How long, in minutes.
        label: What the timer is for.
    """


def cancel_timer() -> None:
    """Cancels the running timer."""


def remind_me(text: str, when: datetime) -> None:
    """Reminds the user of something at a time.

    Args:
        text: What to remind of.
        when: Date and time.
    """


def book_table(guests: int, date: str, time: str, name: str = "", outdoors: bool = False) -> None:
    """Books a table at the restaurant.

    Args:
        guests: How many people.
        date: The date (YYYY-MM-DD).
        time: The time (HH:MM).
        name: In whose name.
        outdoors: Whether to sit outdoors.
    """


def cancel_booking(name: str) -> None:
    """Cancels a booking.

    Args:
        name: In whose name it was booked.
    """


def get_balance() -> None:
    """Tells the balance of the customer's account."""


def pay_invoice(invoice_number: str, amount: float | None = None) -> None:
    """Pays an invoice.

    Args:
        invoice_number: The invoice's number.
        amount: How much to pay, in euros.
    """


def order_status(order_id: str) -> None:
    """Where an order is.

    Args:
        order_id: The number of the order.
    """


def set_light(room: Literal["kitchen", "living_room", "bedroom"], state: Literal["on", "off"]) -> None:
    """Switches the light of a room."""


def play_music(volume: int, genre: Literal["jazz", "classical", "rock"] = "jazz") -> None:
    """Plays music.

    Args:
        volume: From 0 to 10.
        genre: The kind of music.
    """


def add_items(items: list[str]) -> None:
    """Adds items to the shopping list.

    Args:
        items: What to buy.
    """


def send_email(to: str, message: str) -> None:
    """Sends an email.

    Args:
        to: The recipient.
        message: What to write.
    """


def able(
    *functions: Callable[..., Any], targets: dict[str, str] | None = None, ends: bool = False
) -> list[Ability]:
    tools: list[Any] = [FunctionTool(function) for function in functions]
    tools += [transfer_tool(targets)] if targets else []
    tools += [task_completed_tool()] if ends else []
    return abilities([Tool(function_declarations=[tool.declaration() for tool in tools])])


WEATHER = able(get_weather, set_timer, cancel_timer, remind_me)
BOOKING = able(book_table, cancel_booking)
BILLING = able(
    get_balance,
    pay_invoice,
    order_status,
    targets={
        "support": "Solves technical problems with the router and the internet connection.",
        "sales": "New contracts and prices.",
    },
)
HOME = able(set_light, play_music, add_items, send_email)


def user(text: str) -> Content:
    return Content(role="user", parts=[Part(text=text)])


def model(text: str) -> Content:
    return Content(role="model", parts=[Part(text=text)])


def ask(who: list[Ability], *lines: str) -> Reply:
    """What is replied to the last of these lines, each of which was replied to."""
    contents: list[Content] = []
    reply = Reply()
    for line in lines:
        contents.append(user(line))
        reply = understand(contents, who, NOW)
        contents.append(model(reply.text))
    return reply


def calls(who: list[Ability], *lines: str) -> list[tuple[str, dict[str, Any]]]:
    return list(ask(who, *lines).calls)
