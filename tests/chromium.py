"""A headless Chromium for tests, driven over the DevTools protocol: no driver program, no extra package."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

__all__ = ["Page", "chromium", "found"]

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
    "--window-size=1280,820",
)


def found() -> str:
    """The path of a Chromium; skips the test where there is none. `CHROMIUM` names one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    path = os.environ.get("CHROMIUM") or next((way for name in names if (way := shutil.which(name))), None)
    if path is None:
        pytest.skip("There is no Chromium here: apt-get install chromium, or set CHROMIUM to one.")
    return path


@dataclass
class Page:
    """A tab. `errors` collects what the page's console complains of."""

    socket: ClientConnection
    errors: list[str] = field(default_factory=list)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _number: int = 0

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        async with asyncio.timeout(20):
            return await answer

    async def listen(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            if (number := message.get("id")) is not None:
                answer = self._answers.pop(number)
                if answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(RuntimeError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])
            elif message["method"] == "Runtime.exceptionThrown":
                told = message["params"]["exceptionDetails"]
                self.errors.append(told.get("exception", {}).get("description") or told["text"])
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                entry = message["params"]["entry"]
                self.errors.append(f"{entry['text']} {entry.get('url', '')}".strip())
            elif message["method"] == "Runtime.consoleAPICalled" and message["params"]["type"] == "error":
                said = [one.get("description") or one.get("value") for one in message["params"]["args"]]
                self.errors.append(" ".join(map(str, said)))

    async def open(self, address: str) -> None:
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str) -> Any:
        """The value of an expression, awaited, as JSON."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if told := answer.get("exceptionDetails"):
            raise RuntimeError(told.get("exception", {}).get("description") or told["text"])
        return answer["result"].get("value")

    async def until(self, script: str, seconds: float = 15) -> Any:
        """Waits, in the page, until an expression is true; gives its value."""
        waiting = (
            "new Promise((done) => { const look = () => { let value; "
            f"try {{ value = ({script}); }} catch {{}} "
            "if (value) done(value); else setTimeout(look, 20); }; look(); })"
        )
        try:
            async with asyncio.timeout(seconds):
                while True:
                    with contextlib.suppress(RuntimeError):  # the page went elsewhere meanwhile
                        return await self.run(waiting)
        except TimeoutError:
            seen = await self.run("document.body.innerText")
            raise AssertionError(f"not within {seconds} s: {script}\n{seen}\n{self.errors}") from None

    async def click(self, selector: str) -> None:
        """With the pointer, as a user does it, which lets the page sound."""
        where = (
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        x, y = await self.run(where)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def key(self, key: str, code: str = "", *, kinds: tuple[str, ...] = ("keyDown", "keyUp")) -> None:
        codes = {"Space": 32, "Enter": 13, "Escape": 27, "Tab": 9}
        text = {"Space": " ", "Enter": "\r"}.get(code or key)
        for kind in kinds:
            more = {"text": text} if text and kind == "keyDown" else {}
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code or key,
                windowsVirtualKeyCode=codes.get(code or key, 0),
                **more,
            )

    async def write(self, selector: str, text: str) -> None:
        await self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def picture(self, path: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(_keep, path, base64.b64decode(shot["data"]))

    async def sized(self, width: int, height: int, *, scale: float = 1, mobile: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=mobile,
        )

    async def coloured(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def permit(self, kind: str, setting: str, origin: str) -> None:
        """Answers what the browser asks about `microphone` or `camera`: `granted` or `denied`."""
        await self.call(
            "Browser.setPermission", permission={"name": kind}, setting=setting, origin=origin.rstrip("/")
        )


@contextlib.asynccontextmanager
async def chromium(folder: Path, microphone: Path | None = None, *flags: str) -> AsyncIterator[Page]:
    """A browser of its own with one tab, which `microphone`, a WAV, speaks to; its profile is in `folder`."""
    profile = folder / "profile"
    heard = () if microphone is None else (f"--use-file-for-fake-audio-capture={microphone}%noloop",)
    process = await asyncio.create_subprocess_exec(
        found(),
        *FLAGS,
        *heard,
        *flags,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        address = await _address(profile, process)
        async with connect(address, max_size=None, proxy=None, compression=None) as socket:
            page = Page(socket)
            listening = asyncio.get_running_loop().create_task(page.listen())
            try:
                for domain in ("Page", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                yield page
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(profile: Path, process: asyncio.subprocess.Process) -> str:
    """The tab's own socket, from the file that Chromium writes when it listens."""
    import httpx

    told = profile / "DevToolsActivePort"
    loop = asyncio.get_running_loop()
    end = loop.time() + 20
    async with httpx.AsyncClient(trust_env=False) as http:
        while loop.time() < end and process.returncode is None:
            with contextlib.suppress(OSError, IndexError, ValueError, httpx.HTTPError, StopIteration):
                port = int(await asyncio.to_thread(_first_line, told))
                tabs = (await http.get(f"http://127.0.0.1:{port}/json/list")).json()
                return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
            wake = asyncio.Event()
            loop.call_later(0.05, wake.set)
            await wake.wait()
    raise RuntimeError("Chromium did not start: look at what it says when started by hand.")


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _first_line(path: Path) -> str:
    return path.read_text().split()[0]
