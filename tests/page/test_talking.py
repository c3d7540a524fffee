"""The page by voice, by text and by pictures, in a real browser (contract 8.2, 8.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from antiphon import Agent, InMemoryRunner
from antiphon.core.messages import Media
from tests.models.local.speaking import spoken
from tests.page.scene import RATE, heard_by_page, microphone, received_by_page, scene, share_heard
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("browser")]

# How long after the interruption reached the page the answer went on to sound, by the audio clock. The user
# still talks, so that the next answer comes much later.
SILENCE = """(() => {
  let last = cutAt;
  for (const { at, samples } of ear.blocks) {
    if (at < cutAt || !samples?.some((one) => Math.abs(one) > 0.003)) continue;
    if (at - last > 150) break;
    last = at;
  }
  return last - cutAt;
})()"""


async def test_a_question_by_voice_is_shown_worked_on_and_answered_aloud(tmp_path: Path) -> None:
    sound = microphone(tmp_path, 4.0, spoken("What is the weather in Paris?"), 60.0)
    async with scene(tmp_path, sound) as talk:
        page = talk.page
        await talk.listen()
        await page.click("#start")
        await page.until("antiphon.talk.conversation")
        await talk.receive()
        await talk.said("user", "Paris")
        await page.until("document.querySelector('.card.done[data-name=get_weather]')")
        card = await page.run("document.querySelector('.card').innerText")
        assert "city: Paris" in card and "sky: sunny, celsius: 22" in card and " s" in card
        await talk.said("agent", "sunny.*Celsius")
        await talk.state("listening")
        received, heard = await received_by_page(page), await heard_by_page(page)
        assert len(received) > 2 * RATE and np.abs(heard).max() > 0.05
        assert share_heard(received, heard) > 0.8
        assert share_heard(np.random.default_rng(1).permutation(received), heard) == 0, "nor is it noise"
        figures = await page.run("antiphon.talk.story.figures.firstSounds")
        assert len(figures) == 1 and 0.05 < figures[0] < 5
        assert await page.run("antiphon.talk.story.lanes.levels.some(({ level }) => level > 0.05)")


async def test_cutting_in_silences_the_player_at_once_and_is_marked(tmp_path: Path) -> None:
    sound = microphone(tmp_path, 2.5, spoken("What is the weather in Lima, and what time is it there?"), 60.0)
    async with scene(tmp_path, sound) as talk:
        page = talk.page
        await talk.listen()
        await talk.connected()
        await page.run("void antiphon.talk.conversation.on('flush', () => (globalThis.cutAt ??= ear.now()))")
        await page.click("#suggestions li:last-child button")  # Count to twenty.
        await talk.state("speaking")
        await page.click("#mic")
        await page.until("globalThis.cutAt")
        await page.until("document.querySelector('.agent.cut .cutmark')?.textContent === 'cut off'")
        after = await page.run(f"new Promise((done) => setTimeout(() => done({SILENCE}), 150))")
        assert after < 100, f"{after} ms after the interruption there was still sound"
        counted = await page.run("document.querySelector('.agent .words .heard').textContent")
        assert counted.startswith("One.") and "Twenty" not in counted
        figures = await page.run("antiphon.talk.story.figures.flushes")
        assert figures and figures[0] < 0.1
        assert await page.run("antiphon.talk.story.lanes.cuts.length") >= 1


async def test_what_is_typed_is_answered_and_escape_stops_the_answer(tmp_path: Path) -> None:
    async with scene(tmp_path) as talk:
        page = talk.page
        assert await page.run("document.querySelector('h1').textContent") == "Talk with antiphon"
        await talk.say("What time is it in Tokyo?")
        await talk.said("user", "What time is it in Tokyo")
        await talk.said("agent", "Tokyo")
        await page.until("document.querySelector('.card.done[data-name=get_time]')")
        await talk.listen()
        await page.run("void antiphon.talk.conversation.on('flush', () => (globalThis.cutAt = ear.now()))")
        await talk.say("Count to twenty.")
        await talk.said("agent", "One. Two")
        await talk.state("speaking")
        await page.key("Escape")
        await page.until("document.querySelector('.agent.cut .cutmark')")
        await page.until("antiphon.talk.player.stream === null")
        after = await page.run(f"new Promise((done) => setTimeout(() => done({SILENCE}), 300))")
        assert after < 100, f"{after} ms after the answer was stopped there was still sound"
        assert await page.run(
            "ear.blocks.filter(({ at }) => at > cutAt - 500 && at < cutAt)"
            ".some(({ samples }) => samples?.some((one) => one > 0.003))"
        )


async def test_push_to_talk_listens_while_space_is_held(tmp_path: Path) -> None:
    sound = microphone(tmp_path, 1.5, spoken("What is the weather in Paris?"), 60.0)
    async with scene(tmp_path, sound) as talk:
        page = talk.page
        await page.run("localStorage.setItem('antiphon.talking', 'push')")
        await talk.connected()
        await page.run("document.activeElement.blur()")
        await page.key(" ", "Space", kinds=("keyDown",))
        await page.until("document.getElementById('mic').getAttribute('aria-pressed') === 'true'")
        await talk.state("hearing")
        await page.until("!antiphon.talk.activity.speaking")
        await page.key(" ", "Space", kinds=("keyUp",))
        assert await page.run("antiphon.talk.microphone.muted")
        await talk.said("user", "Paris")
        await page.until("document.querySelector('.card.done[data-name=get_weather]')")


async def test_the_camera_is_shown_to_the_agent_and_to_the_user(tmp_path: Path) -> None:
    model = NearModel()
    runner = InMemoryRunner(Agent(name="eye", model=model), app_name="demo")
    async with scene(tmp_path, None, runner=runner) as talk:
        page = talk.page
        await page.permit("camera", "granted", talk.site.address)
        await talk.say("What do you see?")
        await page.until("!document.getElementById('camera').hidden")
        await page.click("#camera")
        await page.until("!document.getElementById('preview').hidden")
        await page.until("document.querySelector('.user img')?.naturalWidth > 0")
        connection = model.connections[0]
        await until(lambda: [one for one in connection.heard if isinstance(one, Media)])
        await page.click("#camera")
        await page.until("document.getElementById('preview').hidden")


async def test_a_refused_microphone_is_explained(tmp_path: Path) -> None:
    async with scene(tmp_path) as talk:
        page = talk.page
        await page.permit("microphone", "denied", talk.site.address)
        await page.click("#start")
        told = await page.until("document.querySelector('#trouble:not([hidden])')?.innerText")
        assert "may not use the microphone" in told and "You can type meanwhile" in told
        await talk.say("What time is it in Lima?")
        await talk.said("agent", "Lima")
