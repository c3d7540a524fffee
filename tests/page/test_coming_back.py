"""The page comes back: after a reload, when the server was away, to what was said before (contract 8.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from websockets import Subprotocol
from websockets.asyncio.client import connect

from antiphon import InMemoryRunner
from antiphon.cli.samples import demo_agent
from antiphon.models.local.voice import LocalVoice
from antiphon.server.limits import ServerLimits
from tests.models.local.speaking import spoken
from tests.page.scene import READY, heard_by_page, microphone, scene

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("browser")]

V1 = [Subprotocol("antiphon.v1")]
LOUD_AT_ONCE = "--autoplay-policy=no-user-gesture-required"


async def test_a_reload_in_the_middle_of_an_answer_goes_on_with_it(tmp_path: Path) -> None:
    async with scene(tmp_path, None, LOUD_AT_ONCE) as talk:
        page = talk.page
        await talk.say("Count to twenty.")
        await talk.said("agent", "Three")
        conversation = await page.run("antiphon.talk.conversation.hello.conversation")
        await page.run("void (document.documentElement.dataset.ready = '')")
        await page.call("Page.reload")
        await page.until(READY)
        await talk.listen()
        await talk.said("user", "Count to twenty")
        await talk.said("agent", "One. Two. Three.*Seven")
        assert await page.run("antiphon.talk.conversation.hello.conversation") == conversation
        assert await page.run("antiphon.talk.conversation.hello.resumed")
        assert await page.run("document.querySelectorAll('.entry.agent').length") == 1, "one answer, not two"
        assert await page.run("document.querySelectorAll('.notice').length") == 0
        samples = await heard_by_page(page)
        assert np.abs(samples).max() > 0.05


async def test_a_server_that_is_started_anew_is_survived_with_a_word(tmp_path: Path) -> None:
    async with scene(tmp_path) as talk:
        page = talk.page
        await talk.say("What time is it in Lima?")
        await talk.said("agent", "Lima")
        await talk.site.stop()
        await talk.state("reconnecting")
        told = await page.until("document.querySelector('#trouble:not([hidden])')?.innerText", 18)
        assert "The server is away" in told and "kept and sent when it is back" in told
        await talk.say("What time is it in Tokyo?")
        talk.site.runner = InMemoryRunner(demo_agent(LocalVoice()), app_name="demo")
        await talk.site.start()
        await page.until("document.getElementById('trouble').hidden", 18)
        await page.until(
            "[...document.querySelectorAll('.notice')].some((one) => /started anew/.test(one.textContent))"
        )
        await talk.said("agent", "Tokyo", 18)
        assert await page.run("antiphon.talk.story.lanes.gaps.every(({ to }) => to !== null)")


async def test_an_earlier_session_is_looked_at_and_heard_again(tmp_path: Path) -> None:
    sound = microphone(tmp_path, 3.0, spoken("What is the weather in Paris?"), 60.0)
    async with scene(tmp_path, sound) as talk:
        page = talk.page
        await talk.connected()
        await page.click("#start")
        await talk.said("agent", "Celsius")
        await talk.state("listening")
        await page.click("#settings-open")
        await page.click("#end")
        await page.until("document.getElementById('state-text').textContent === 'Ended'")
        await page.until(
            "/Look back at it/.test(document.querySelector('#trouble:not([hidden])')?.innerText)"
        )
        await page.click("#history-open")
        titles = "[...document.querySelectorAll('#sessions .open span')].map((one) => one.textContent)"
        title = await page.until(f"{titles}.find((one) => /Paris/.test(one))")
        assert "Paris" in title
        await page.click("#sessions .open")
        await page.until("!document.getElementById('past').hidden")
        await talk.said("agent", "Celsius")
        await page.until("document.querySelector('.card.done[data-name=get_weather]')")
        await page.until("!document.getElementById('play').hidden")
        assert await page.run("antiphon.timeline.lanes().levels.some(({ level }) => level > 0.02)"), (
            "the user"
        )
        assert await page.run("antiphon.timeline.lanes().agent.some(({ bins }) => bins.length > 10)"), (
            "the agent"
        )
        await page.click("#play")
        await page.until("antiphon.timeline.head > 0.5")
        await page.click("#past-leave")
        await page.until("document.getElementById('past').hidden")


async def test_in_line_the_place_is_told_and_the_conversation_begins_by_itself(tmp_path: Path) -> None:
    limits = ServerLimits(places=1)
    async with scene(tmp_path, limits=limits) as talk:
        page = talk.page
        address = f"ws://127.0.0.1:{talk.site.port}/ws/other/one"
        async with connect(address, subprotocols=V1, proxy=None) as other:
            await other.send('{"type": "hello"}')
            assert '"hello"' in str(await other.recv())
            await talk.say("What time is it in Lima?")
            await talk.state("waiting")
            told = await page.run("document.querySelector('#trouble:not([hidden])').innerText")
            assert "You are in line: You are next" in told
            assert "place 1 of 1" in await page.run("document.getElementById('state-text').textContent")
            await other.send('{"type": "close", "n": 1}')
        await talk.said("agent", "Lima")
        assert await page.run("document.getElementById('trouble').hidden")


async def test_another_window_takes_over_and_the_first_may_take_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as talk:
        page = talk.page
        await talk.say("What time is it in Lima?")
        await talk.said("agent", "Lima")
        hello = await page.run("antiphon.talk.conversation.hello")
        address = f"ws://127.0.0.1:{talk.site.port}/ws/{hello['user']}/{hello['session']}"
        async with connect(address, subprotocols=V1, proxy=None, close_timeout=0.1) as other:
            await other.send('{"type": "hello"}')
            await page.until(
                "/Another window talks/.test(document.querySelector('#trouble:not([hidden])')?.innerText)"
            )
            await page.until("document.getElementById('state-text').textContent === 'Watching'")
            await page.click("#trouble button")
            await page.until("document.getElementById('trouble').hidden")
            await page.until("antiphon.talk.conversation.role === 'speaker'")
            await talk.say("What time is it in Tokyo?")
            await talk.said("agent", "Tokyo")
