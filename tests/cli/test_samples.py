from __future__ import annotations

from typing import get_args

import pytest

from antiphon.cli import samples
from antiphon.models import resolve


def test_the_agents_have_their_tools() -> None:
    model = resolve("gemini-3.8-live")
    assert [tool.name for tool in samples.friendly_agent(model).tools] == ["current_time", "roll_dice"]
    assert [tool.name for tool in samples.demo_agent(model).tools] == ["get_weather", "get_time", "timer"]
    assert samples.friendly_agent(None, "Rhyme.").instruction == "Rhyme."


def test_the_time_in_a_zone() -> None:
    assert samples.current_time("Europe/Paris").keys() == {"zone", "time", "date"}
    with pytest.raises(ValueError, match="no time zone 'Nowhere'"):
        samples.current_time("Nowhere")


def test_dice_show_what_they_can() -> None:
    assert set(samples.roll_dice(sides=2, count=100)) <= {1, 2}
    with pytest.raises(ValueError, match="2 sides or more"):
        samples.roll_dice(sides=1)
    with pytest.raises(ValueError, match="100"):
        samples.roll_dice(count=1000)


def test_cities_the_demo_knows() -> None:
    assert samples.get_weather("New York")["celsius"] == 21
    assert samples.get_time("Tokyo").keys() == {"city", "time"}
    with pytest.raises(ValueError, match="nothing of Oz; ask about one of Berlin"):
        samples.get_weather("Oz")  # type: ignore[arg-type]
    for city in get_args(samples.City):  # what models are told that there is, there is
        assert samples.get_weather(city)["city"] == samples.get_time(city)["city"] == city


@pytest.mark.virtual_clock
async def test_the_timer_waits() -> None:
    assert await samples.timer(30) == "30 seconds are over"
    with pytest.raises(ValueError, match="600"):
        await samples.timer(0)
