import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { JPEG, Malformed, PCM, PNG, decode, encodeControl, encodeMedia } from "../src/wire.js";

const file = new URL("../../tests/server/vectors.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8"));

const bytesOf = (hex) => Uint8Array.from(hex.split(" "), (each) => parseInt(each, 16));
const hexOf = (buffer) => [...new Uint8Array(buffer)].map((each) => each.toString(16).padStart(2, "0")).join(" ");
const frameOf = ({ text, hex }) => text ?? bytesOf(hex).buffer;

/** The message as the vectors write it. */
function written(message, expected) {
  if (message.type === "audio") {
    const { type, pcm, ...header } = message;
    const payload = hexOf(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
    return { type: "media", kind: PCM, ...header, payload };
  }
  if (expected.type === "unknown") {
    const seq = Number.isInteger(message.seq) ? { seq: message.seq } : {};
    return { type: "unknown", name: message.type, ...seq };
  }
  return Object.fromEntries(Object.keys(expected).map((field) => [field, message[field]]));
}

test("the vectors hold something for both directions", () => {
  for (const direction of ["up", "down"]) {
    assert.ok(vectors.filter((vector) => vector.direction === direction).length > 10);
  }
});

for (const vector of vectors.filter(({ direction }) => direction === "down")) {
  test(`down: ${vector.name}`, () => {
    if (vector.error) {
      assert.throws(() => decode(frameOf(vector)), Malformed);
    } else {
      assert.deepEqual(written(decode(frameOf(vector)), vector.message), vector.message);
    }
  });
}

for (const vector of vectors.filter(({ direction, canonical }) => direction === "up" && canonical)) {
  test(`up: ${vector.name}`, () => {
    const { message } = vector;
    if (vector.text === undefined) {
      const data = bytesOf(message.payload);
      const media = { ...message, data: message.kind === PCM ? new Int16Array(data.buffer) : data };
      assert.equal(hexOf(encodeMedia({ stream: 0, number: 0, at: 0, ...media })), vector.hex);
    } else {
      assert.equal(encodeControl(message), vector.text);
    }
  });
}

test("sound that lies inside a larger buffer is sent alone", () => {
  const data = Int16Array.of(1, 2, 3, 4).subarray(1, 3);
  const frame = new Uint8Array(encodeMedia({ kind: PCM, rate: 16000, number: 7, at: 140, data }));
  assert.deepEqual([...frame.subarray(16)], [2, 0, 3, 0]);
  assert.deepEqual([...frame.subarray(0, 16)], [1, 0, 0, 160, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 140]);
});

test("images have no rate", () => {
  for (const kind of [JPEG, PNG]) {
    const frame = new Uint8Array(encodeMedia({ kind, number: 0, at: 0, data: Uint8Array.of(9) }));
    assert.deepEqual([...frame.subarray(0, 4), frame.at(-1)], [kind, 0, 0, 0, 9]);
  }
});

test("a rate that the header has no number for is refused", () => {
  const media = { kind: PCM, rate: 22050, number: 0, at: 0, data: new Int16Array(1) };
  assert.throws(() => encodeMedia(media), /resample/);
});

test("chance never makes it fail otherwise than by Malformed", () => {
  let seed = 1;
  const chance = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const texts = vectors.filter(({ text }) => text).map(({ text }) => text);
  for (let round = 0; round < 3000; round += 1) {
    const text = texts[chance(texts.length)];
    const at = chance(text.length);
    const frames = [
      text.slice(0, at) + String.fromCharCode(32 + chance(90)) + text.slice(at + chance(3)),
      Uint8Array.from({ length: chance(40) }, () => chance(256)).buffer,
    ];
    for (const frame of frames) {
      try {
        assert.equal(typeof decode(frame).type, "string");
      } catch (error) {
        assert.ok(error instanceof Malformed, String(error));
      }
    }
  }
});
