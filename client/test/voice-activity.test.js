import assert from "node:assert/strict";
import { test } from "node:test";

import { toPcm } from "../src/pcm.js";
import { VoiceActivity } from "../src/voice-activity.js";
import { FakePlayer } from "./fakes.js";
import { tone } from "./spectrum.js";

const RATE = 16000;
const FRAME = 320; // 20 ms

let seed = 7;
const noise = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5;

/** `ms` of noise, and of a tone in it, by their amplitudes: what it says and when. */
function fed(activity, ms, { hiss = 0.002, voice = 0 }) {
  const samples = tone(300, RATE, ms / 1000).map((sample) => 2 * voice * sample + 2 * hiss * noise());
  const pcm = toPcm(samples);
  const said = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    const what = activity.feed(pcm.subarray(at, at + FRAME), RATE);
    if (what) {
      said.push([what, (at + FRAME) / 16]);
    }
  }
  return said;
}

test("speech begins and ends, a little later than it does", () => {
  const activity = new VoiceActivity();
  assert.deepEqual(fed(activity, 1000, {}), []);
  assert.deepEqual(fed(activity, 1000, { voice: 0.1 }), [["start", 60]]);
  assert.ok(activity.speaking);
  assert.deepEqual(fed(activity, 1000, {}), [["end", 500]]);
});

test("a click is no speech, and a breath does not end it", () => {
  const activity = new VoiceActivity();
  assert.deepEqual(fed(activity, 40, { voice: 0.5 }), []);
  fed(activity, 500, {});
  fed(activity, 200, { voice: 0.1 });
  assert.deepEqual(fed(activity, 300, {}), []);
  assert.deepEqual(fed(activity, 200, { voice: 0.1 }), []);
});

test("noise is learnt: a fan is not speech for ever, and a voice above it is", () => {
  const activity = new VoiceActivity();
  const fan = { hiss: 0.02 };
  fed(activity, 60_000, fan);
  assert.equal(activity.speaking, false);
  assert.deepEqual(fed(activity, 200, { ...fan, voice: 0.3 }), [["start", 60]]);
});

test("silence in numbers is silence", () => {
  const activity = new VoiceActivity();
  assert.equal(activity.feed(new Int16Array(FRAME), RATE), null);
  assert.equal(activity.feed(new Int16Array(0), RATE), null);
  assert.equal(activity.level, -90);
});

test("it feeds itself from a microphone, and ends with it", () => {
  const activity = new VoiceActivity();
  const microphone = new FakePlayer();
  const said = [];
  activity.on("start", () => said.push("start"));
  activity.on("end", () => said.push("end"));
  const off = activity.watch(microphone);
  const pcm = toPcm(tone(300, RATE, 0.02));
  const speak = () => [1, 2, 3].forEach(() => microphone.tells("audio", { pcm, rate: RATE }));
  speak();
  microphone.tells("muted", { muted: true });
  speak();
  microphone.tells("stopped", { reason: "stopped" });
  assert.deepEqual(said, ["start", "end", "start", "end"]);
  off();
  speak();
  assert.equal(activity.speaking, false);
});
