import assert from "node:assert/strict";
import { test } from "node:test";

import { Blocks } from "../src/capture-worklet.js";
import { Framer, loudness, toFloat, toPcm } from "../src/pcm.js";
import { tone } from "./spectrum.js";

test("samples are whole numbers of 16 bits, clipped and not wrapped", () => {
  assert.deepEqual([...toPcm(Float32Array.of(0, 0.5, -1, 1, 3, -3))], [0, 16384, -32768, 32767, 32767, -32768]);
  const samples = Int16Array.of(0, 1, -1, 32767, -32768);
  assert.deepEqual(toPcm(toFloat(samples)), samples);
});

test("frames have one length, whatever comes", () => {
  const framer = new Framer(4);
  const frames = [[1, 2, 3], [4, 5, 6, 7, 8, 9], []].map((piece) => framer.push(Float32Array.from(piece)));
  assert.deepEqual(frames.map((some) => some.map((frame) => [...frame])), [[], [[1, 2, 3, 4], [5, 6, 7, 8]], []]);
});

test("loudness is RMS and peak", () => {
  const { rms, peak } = loudness(tone(100, 16000, 1));
  assert.ok(Math.abs(rms - 0.5 / Math.SQRT2) < 0.001);
  assert.ok(Math.abs(peak - 0.5) < 0.001);
  assert.deepEqual(loudness(new Float32Array(0)), { rms: 0, peak: 0 });
});

test("the audio thread hands over mono blocks, each of its own", () => {
  const given = [];
  const blocks = new Blocks(3);
  const give = (block) => given.push(block);
  blocks.push([Float32Array.of(1, 1, 1, 1), Float32Array.of(3, 3, 3, 5)], give);
  blocks.push([], give);
  blocks.push([Float32Array.of(7, 8)], give);
  assert.deepEqual(given.map((block) => [...block]), [[2, 2, 2], [3, 7, 8]]);
  assert.notEqual(given[0], given[1]);
});
