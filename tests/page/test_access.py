"""The page for everybody: axe-core finds nothing, by keyboard, in all colours and widths; with pictures."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.server.access import Access, BearerTokens
from tests.models.local.speaking import spoken
from tests.page.scene import READY, microphone, scene

if TYPE_CHECKING:
    from tests.chromium import Page

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]

AXE = "axe-core@4.14.1"
PICTURES = Path(os.environ.get("ANTIPHON_PICTURES") or Path(__file__).parents[2] / "build" / "pictures")


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    """The source of axe-core, by npm, once: then from pytest's cache."""
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir("axe-core")
    if (npm := shutil.which("npm")) is None:
        pytest.skip("There is no npm here, which brings axe-core: install Node.js.")
    kept = folder / f"{AXE}.js"
    if not kept.exists():
        packed = subprocess.run(
            [npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, timeout=60
        )
        if packed.returncode:
            pytest.skip(f"npm does not bring {AXE}: {packed.stderr.strip()[-200:]}")
        with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
            found = archive.extractfile("package/axe.min.js")
            assert found is not None
            kept.write_bytes(found.read())
    return kept.read_text(encoding="utf-8")


async def complaints(page: Page) -> list[str]:
    """What axe-core finds wrong with what is shown now."""
    found: list[dict[str, Any]] = await page.run("axe.run(document).then(({ violations }) => violations)")
    return [
        f"{one['id']}: {node['html'][:120]} {str(node.get('failureSummary'))[:300]}"
        for one in found
        for node in one["nodes"][:3]
    ]


async def test_nothing_stands_in_anybodys_way(tmp_path: Path, axe: str) -> None:
    sound = microphone(tmp_path, 3.0, spoken("What is the weather in Paris?"), 60.0)
    async with scene(tmp_path, sound) as talk:
        page = talk.page
        await page.call("Runtime.evaluate", expression=axe)

        async def seen(name: str) -> None:
            for scheme in ("light", "dark"):
                features = [
                    {"name": "prefers-color-scheme", "value": scheme},
                    {"name": "prefers-reduced-motion", "value": "reduce"},
                ]
                await page.call("Emulation.setEmulatedMedia", features=features)
                assert await complaints(page) == [], f"{name}, {scheme}"
                await page.picture(PICTURES / f"{name}-{scheme}.png")
            await page.sized(390, 844, scale=2, mobile=True)
            assert await complaints(page) == [], f"{name}, narrow"
            assert await page.run("document.documentElement.scrollWidth") == 390, (
                "nothing is wider than a phone"
            )
            await page.picture(PICTURES / f"{name}-narrow.png")
            await page.call("Emulation.clearDeviceMetricsOverride")

        await seen("welcome")
        await talk.connected()
        await page.click("#start")
        await page.until("antiphon.talk.listening")
        await seen("listening")
        await talk.said("agent", "Celsius", 18)
        await talk.say("Count to twenty.")
        await talk.said("agent", "One. Two. Three")
        await page.key("Escape")
        await page.until("document.querySelector('.cutmark:not(:empty)')")
        await seen("talking")
        await page.click("#inspect")
        await seen("figures")
        await page.click("#tab-events")
        await page.until("document.querySelectorAll('.log details').length > 5")
        await seen("events")
        await page.click("#inspect")
        await page.click("#settings-open")
        await seen("settings")
        await page.key("Escape")
        await page.click("#history-open")
        await page.until("document.querySelector('#sessions .open')")
        await seen("history")
        await page.key("Escape")


async def test_all_can_be_done_by_the_keyboard(tmp_path: Path) -> None:
    async with scene(tmp_path) as talk:
        page = talk.page
        reached = []
        for _ in range(14):
            await page.key("Tab")
            reached.append(await page.run("document.activeElement.id || document.activeElement.textContent"))
        wanted = {
            "history-open",
            "inspect",
            "settings-open",
            "start",
            "What is the weather in Paris?",
            "mic",
            "message",
            "send",
        }
        assert wanted <= set(reached), reached
        await page.run("document.querySelector('#suggestions button').focus()")
        await page.key("Enter")
        await talk.said("user", "What is the weather in Paris")
        assert await page.run("document.activeElement.id") == "message", "where one goes on"
        await talk.said("agent", "sunny")
        told = await page.run("document.getElementById('said').textContent")
        assert "Calls get_weather" in told and "get_weather is done" in told


async def test_a_token_says_who_talks_and_stays_out_of_the_address(tmp_path: Path) -> None:
    access = Access(authenticator=BearerTokens({"secret-of-ann": "ann"}))
    async with scene(tmp_path, access=access, fragment="#token=secret-of-ann&user=ann") as talk:
        page = talk.page
        assert "secret" not in await page.run("location.href")
        await talk.say("What time is it in Lima?")
        await talk.said("agent", "Lima")
        assert await page.run("antiphon.talk.conversation.hello.user") == "ann"
        await page.click("#history-open")
        await page.until("document.querySelector('#sessions .open')")
        await page.run("void (document.documentElement.dataset.ready = '')")
        await page.call("Page.reload")
        await page.until(READY)
        await page.until("antiphon.talk.conversation.hello?.user === 'ann'")


async def test_without_a_good_token_it_is_said(tmp_path: Path) -> None:
    access = Access(authenticator=BearerTokens({"secret-of-ann": "ann"}))
    async with scene(tmp_path, access=access, fragment="#token=another&user=ann") as talk:
        await talk.say("What time is it in Lima?")
        told = await talk.page.until("document.querySelector('#trouble:not([hidden])')?.innerText")
        assert "does not let you in" in told
        talk.page.errors.clear()  # the browser's console tells of the refusal, too
