"""The microphone and the player in a real browser."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser.sounds import decibels_at, samples_of, serving, wav
from tests.chromium import Page, chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

FULL = 0.25  # amplitude of what is played


@asynccontextmanager
async def browser(folder: Path, microphone: Path | None = None, *flags: str) -> AsyncIterator[Page]:
    async with serving() as address, chromium(folder, microphone, *flags) as page:
        await page.open(address)
        await page.until("window.ready")
        for device in ("microphone", "camera"):
            await page.permit(device, "granted", address)
        yield page
        assert page.errors == []


async def heard(page: Page, options: str) -> tuple[dict[str, Any], Any]:
    """A second of the microphone, after its first half second."""
    told = await page.run(f"""(async () => {{
      const plain = {{ echoCancellation: false, noiseSuppression: false, autoGainControl: false }};
      const microphone = new Microphone({{ ...plain, ...({options}) }});
      let started;
      const frames = [];
      microphone.on("started", (detail) => (started = detail));
      microphone.on("audio", ({{ pcm }}) => frames.push(pcm));
      await microphone.start();
      await until(() => frames.length >= 75);
      const {{ level }} = microphone;
      microphone.stop();
      const lengths = [...new Set(frames.map((frame) => frame.length))];
      const pcm = new Int16Array(50 * 320);
      frames.slice(25, 75).forEach((frame, index) => pcm.set(frame, 320 * index));
      const [{{ deviceId, label }}] = await Microphone.devices();
      return {{ ...started, lengths, level, pcm: base64(pcm), known: Boolean(deviceId && label) }};
    }})()""")
    return told, samples_of(told.pop("pcm"))


async def test_the_microphone_gives_16_khz_of_what_it_hears(tmp_path: Path) -> None:
    speech = wav(tmp_path / "tones.wav", 48000, 30, 500, 3000, 10000)
    async with browser(tmp_path, speech) as page:
        # The browser's own resampling, and ours where the context has another rate.
        for options, resampled in (
            ("{}", False),
            ("{ context: new AudioContext({ sampleRate: 48000 }) }", True),
        ):
            told, samples = await heard(page, options)
            assert told["resampled"] is resampled
            assert told["lengths"] == [320]
            assert told["known"]
            # A busy machine drops sound now and then: the cleanest quarter tells what the client does.
            quarters = np.split(samples, 4)
            for hertz in (500, 3000):
                loudest = max(decibels_at(hertz, quarter, 16000) for quarter in quarters)
                assert loudest == pytest.approx(-20, abs=1.5), (options, hertz)
            folded = min(decibels_at(6000, quarter, 16000) for quarter in quarters)
            assert folded < -65, "10 kHz folded down"
            assert told["level"] == pytest.approx(0.1, abs=0.02), "RMS of two tones"


async def test_a_muted_microphone_gives_nothing_but_its_level(tmp_path: Path) -> None:
    async with browser(tmp_path, wav(tmp_path / "tone.wav", 48000, 30, 500)) as page:
        told = await page.run(
            """(async () => {
              const microphone = new Microphone({ muted: true });
              let frames = 0, levels = 0;
              microphone.on("audio", () => (frames += 1));
              microphone.on("level", () => (levels += 1));
              await Promise.all([microphone.start(), microphone.start()]);
              await until(() => levels >= 10);
              const quiet = frames;
              microphone.muted = false;
              await until(() => frames >= 5);
              const [track] = microphone.stream.getAudioTracks();
              microphone.stop();
              return { quiet, running: microphone.running, track: track.readyState };
            })()"""
        )
        assert told == {"quiet": 0, "running": False, "track": "ended"}


async def test_a_refused_microphone_says_what_to_do(tmp_path: Path) -> None:
    async with browser(tmp_path) as page:
        await page.permit("microphone", "denied", await page.run("location.origin"))
        told = await page.run(
            "new Microphone().start().catch(({ name, code, message }) => ({ name, code, message }))"
        )
        assert (told["name"], told["code"]) == ("DeviceError", "refused")
        assert "site settings" in told["message"]
        chosen = await page.run(
            "new Microphone({ deviceId: 'gone' }).start().then(() => null, ({ code }) => code)"
        )
        assert chosen in ("refused", "no_device")


async def test_the_player_plays_an_answer_whole(tmp_path: Path) -> None:
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const player = new Player();
              const events = [];
              for (const type of ["playing", "played", "idle", "underrun"]) {
                player.on(type, (detail) => events.push({ type, at: player.context.currentTime, ...detail }));
              }
              play(player, 1, tone(1000)); // before it is started: kept
              player.end(1);
              await player.start();
              const recording = await record(player);
              await until(() => events.some(({ type }) => type === "idle"));
              await wait(50);
              play(player, 2, tone(1000));
              player.end(2);
              await until(() => events.filter(({ type }) => type === "idle").length === 2);
              await wait(50);
              const { rate } = recording;
              const all = recording.all().samples;
              const end = all.findLastIndex((sample) => sample !== 0) + 1;
              // The second answer, which was recorded whole.
              const samples = Int16Array.from(all.slice(end - rate, end), (sample) => 32768 * sample);
              const { blocked, underruns } = player;
              return { events, rate, blocked, underruns, pcm: base64(samples) };
            })()"""
        )
        samples = samples_of(told["pcm"])
        assert told["blocked"] is False
        assert decibels_at(500, samples, told["rate"]) == pytest.approx(-12, abs=0.3)
        middle = samples[1000:-1000]
        window = told["rate"] // 100
        rms = [(middle[at : at + window] ** 2).mean() ** 0.5 for at in range(0, len(middle) - window, window)]
        assert min(rms) > 0.15, "no gap"
        for stream in (1, 2):
            reports = [
                each for each in told["events"] if each["type"] == "played" and each["stream"] == stream
            ]
            assert reports[-1]["played"] == pytest.approx(1000, abs=2)
            assert len(reports) in (2, 3), "after 250 ms, then every 500 ms (protocol 3.3)"
            assert [each["played"] for each in reports] == sorted(each["played"] for each in reports)
        assert told["underruns"] == 0


async def test_a_flush_is_silence_within_one_render_quantum(tmp_path: Path) -> None:
    # contract 8.5; protocol 4.3
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const player = new Player();
              await player.start();
              const recording = await record(player);
              const flushed = [];
              player.on("flushed", (detail) => flushed.push(detail));
              const cuts = [];
              for (let stream = 1; stream <= 5; stream += 1) {
                const before = recording.peaks().length;
                play(player, stream, tone(3000));
                await until(() => player.stream === stream);
                await wait(200 + 37 * stream);
                const called = player.context.currentTime;
                player.flush(stream);
                await until(() => flushed.length >= stream);
                await wait(250);
                cuts.push({ called, peaks: recording.peaks().slice(before), ...flushed.at(-1) });
              }
              return { cuts, rate: recording.rate };
            })()"""
        )
        for cut in told["cuts"]:
            sounding = [at for at, peak in cut["peaks"] if peak > 0]
            loud = [at for at, peak in cut["peaks"] if peak > FULL / 2]
            assert sounding[-1] - cut["called"] <= 0.1, "silent 100 ms after the call at the latest"
            assert sounding[-1] - loud[-1] <= 1.5 * 128 / told["rate"], "one quantum from loud to silent"
            left = 1000 * (loud[-1] + 128 / told["rate"] - loud[0])
            assert cut["played"] == pytest.approx(left, abs=20)


async def test_played_follows_the_audio_clock(tmp_path: Path) -> None:
    # contract 8.5; protocol 3.3
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const player = new Player();
              await player.start();
              const recording = await record(player);
              play(player, 1, tone(2000));
              await until(() => player.stream !== null);
              const looks = [];
              for (let look = 0; look < 20; look += 1) {
                await wait(53);
                const { outputLatency, baseLatency, currentTime } = player.context;
                const latency = outputLatency || baseLatency;
                looks.push({ at: currentTime, played: player.played(1), latency });
              }
              return { looks, start: recording.all().start };
            })()"""
        )
        for look in told["looks"]:
            expected = 1000 * (look["at"] - told["start"] - look["latency"])
            assert look["played"] == pytest.approx(max(0, expected), abs=20)


async def test_running_dry_is_counted_and_another_conversation_begins_clean(tmp_path: Path) -> None:
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const player = new Player();
              await player.start();
              let idle = 0;
              player.on("idle", () => (idle += 1));
              play(player, 7, tone(100));
              await until(() => idle >= 1);
              player.enqueue({ stream: 7, pcm: tone(100), rate: 24000, position: 100 });
              await until(() => idle >= 2);
              const dry = { underruns: player.underruns, played: player.played(7) };
              player.flush();
              player.reset();
              player.enqueue({ stream: 1, pcm: tone(100, 500, 16000), rate: 16000 });
              await until(() => idle >= 3);
              const again = player.played(1);
              await player.close();
              return { dry, again, context: player.context };
            })()"""
        )
        assert told["dry"]["underruns"] == 1
        assert told["dry"]["played"] == pytest.approx(200, abs=3)
        assert told["again"] == pytest.approx(100, abs=3)
        assert told["context"] is None


async def test_the_camera_gives_images_as_often_as_it_is_told(tmp_path: Path) -> None:
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const camera = new Camera({ perSecond: 5, size: 160 });
              const images = [];
              camera.on("image", ({ bytes, ...detail }) => {
                images.push({ at: performance.now(), begin: [...bytes.slice(0, 3)], ...detail });
              });
              await camera.start();
              await until(() => images.length >= 4);
              const live = camera.stream.active;
              camera.stop();
              return { images, live, running: camera.running };
            })()"""
        )
        assert told["live"] and not told["running"]
        for image in told["images"]:
            assert image["begin"] == [0xFF, 0xD8, 0xFF], "JPEG"
            assert image["mimeType"] == "image/jpeg"
            assert max(image["width"], image["height"]) == 160
        times = [image["at"] for image in told["images"]]
        assert times[-1] - times[0] > 0.7 * 200 * (len(times) - 1), "not more often"


async def test_the_screen_is_a_camera_too(tmp_path: Path) -> None:
    async with browser(tmp_path, None, "--use-fake-ui-for-media-stream") as page:
        told = await page.run(
            """(async () => {
              const camera = new Camera({ source: "screen" });
              const events = [];
              for (const type of ["started", "image", "stopped"]) {
                camera.on(type, ({ source, reason }) => events.push([type, source ?? reason ?? ""]));
              }
              await camera.start();
              await until(() => events.some(([type]) => type === "image"));
              const [track] = camera.stream.getVideoTracks();
              track.stop();
              track.dispatchEvent(new Event("ended")); // what the browser's own "stop sharing" does
              return events;
            })()"""
        )
        assert [told[0], told[1], told[-1]] == [["started", "screen"], ["image", ""], ["stopped", "ended"]]


async def test_another_microphone_may_be_chosen_while_it_runs(tmp_path: Path) -> None:
    async with browser(tmp_path) as page:
        told = await page.run(
            """(async () => {
              const microphone = new Microphone();
              const started = [];
              let frames = 0;
              microphone.on("started", ({ deviceId }) => started.push(deviceId));
              microphone.on("audio", () => (frames += 1));
              microphone.on("stopped", ({ reason }) => started.push(reason));
              await microphone.start();
              await until(() => frames > 2);
              const { deviceId } = (await Microphone.devices()).at(-1);
              const before = microphone.stream;
              await microphone.choose(deviceId);
              const seen = frames;
              await until(() => frames > seen + 2);
              const silent = !before.active;
              const [track] = microphone.stream.getAudioTracks();
              track.dispatchEvent(new Event("ended")); // what pulling the plug does
              return { deviceId, started, silent, running: microphone.running };
            })()"""
        )
        assert told["silent"] and not told["running"]
        assert told["started"][1:] == [told["deviceId"], "unplugged"]
