import assert from "node:assert/strict";
import { test } from "node:test";

import { fitted } from "../src/camera.js";
import { DeviceError, deviceError, explain, mediaDevices } from "../src/device-error.js";
import { FakePlayer, stage } from "./fakes.js";

const refusals = [
  ["NotAllowedError", {}, "dismissed", /choose "Allow"/],
  ["NotAllowedError", { denied: true }, "refused", /site settings/],
  ["NotFoundError", {}, "no_device", /connect one/],
  ["OverconstrainedError", {}, "no_device", /choose another/],
  ["NotReadableError", {}, "busy", /close the program/],
  ["SecurityError", {}, "insecure", /https/],
  ["WhateverError", {}, "failed", /try again/],
];

for (const [name, permission, code, advice] of refusals) {
  test(`${name} ${JSON.stringify(permission)} is ${code}, and says what to do`, () => {
    const cause = Object.assign(new Error("x"), { name });
    const error = explain(cause, "microphone", permission);
    assert.ok(error instanceof DeviceError);
    assert.equal(error.code, code);
    assert.equal(error.device, "microphone");
    assert.match(error.message, advice);
    assert.equal(error.cause, cause);
    assert.equal(explain(error, "camera"), error, "once is enough");
  });
}

test("a browser without the means says so", () => {
  assert.throws(() => mediaDevices("screen", "getDisplayMedia"), /screen.*recent Chrome/);
  globalThis.isSecureContext = false;
  try {
    assert.throws(() => mediaDevices("camera", "getUserMedia"), (error) => error.code === "insecure");
  } finally {
    delete globalThis.isSecureContext;
  }
  assert.equal(deviceError("busy", "camera").device, "camera");
});

test("images fit, and keep their shape", () => {
  assert.deepEqual(fitted(1920, 1080, 768), { width: 768, height: 432 });
  assert.deepEqual(fitted(1080, 1920, 768), { width: 432, height: 768 });
  assert.deepEqual(fitted(320, 240, 768), { width: 320, height: 240 });
});

test("a muted or stopped microphone is told, once (protocol 3.2)", async () => {
  const { conversation, socket, begin } = stage();
  const microphone = new FakePlayer();
  const detach = conversation.attach({ microphone });
  await begin();
  const speak = () => microphone.tells("audio", { pcm: new Int16Array(320), rate: 16000 });
  microphone.tells("muted", { muted: true });
  speak();
  microphone.tells("muted", { muted: true });
  microphone.tells("stopped", { reason: "stopped" });
  speak();
  microphone.tells("muted", { muted: false });
  microphone.tells("stopped", { reason: "unplugged" });
  assert.deepEqual(socket().got("audio_end").map(({ n }) => n), [1, 2]);
  assert.equal(socket().media.length, 2);
  detach();
  assert.equal(microphone.listeners.size, 0);
});

test("where the client tells the ends of speech, a muted microphone is nothing to tell", async () => {
  const { conversation, socket, begin } = stage({ config: { manual_activity: true } });
  const microphone = new FakePlayer();
  conversation.attach({ microphone });
  await begin();
  microphone.tells("audio", { pcm: new Int16Array(320), rate: 16000 });
  microphone.tells("muted", { muted: true });
  assert.deepEqual(socket().got("audio_end"), []);
});

test("a camera's images are sent", async () => {
  const { conversation, socket, begin } = stage();
  const camera = new FakePlayer();
  conversation.attach({ camera });
  await begin();
  camera.tells("image", { bytes: Uint8Array.of(1, 2), mimeType: "image/jpeg", width: 1, height: 1 });
  assert.deepEqual([...new Uint8Array(socket().media[0])].filter((_, at) => at === 0 || at > 15), [2, 1, 2]);
});
