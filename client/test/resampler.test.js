import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../src/resampler.js";
import { decibelsAt, tone } from "./spectrum.js";

/** All of a sound, in pieces of odd lengths. */
function resampled(samples, from, to) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0, length = 1; at < samples.length; at += length, length = (length * 7 + 3) % 500) {
    out.push(...resampler.push(samples.subarray(at, at + length)));
  }
  out.push(...resampler.end());
  return Float32Array.from(out);
}

const WAYS = [
  [48000, 16000],
  [44100, 16000],
  [24000, 48000],
  [24000, 44100],
  [16000, 24000],
  [8000, 48000],
  [22050, 16000],
];

for (const [from, to] of WAYS) {
  test(`${from} to ${to} Hz: as long, as loud, in place`, () => {
    const samples = tone(1000, from, 1);
    const out = resampled(samples, from, to);
    assert.equal(out.length, Math.ceil((samples.length * to) / from));
    assert.ok(Math.abs(decibelsAt(1000, out, to) + 6.02) < 0.1);
    const expected = tone(1000, to, 1);
    for (let at = 200; at < out.length - 200; at += 1) {
      assert.ok(Math.abs(out[at] - expected[at]) < 0.005, `sample ${at}: ${out[at]} for ${expected[at]}`);
    }
  });
}

test("speech passes: flat up to 6 kHz at 16 kHz", () => {
  for (const hertz of [100, 1000, 3000, 6000]) {
    const out = resampled(tone(hertz, 48000, 0.5), 48000, 16000);
    assert.ok(Math.abs(decibelsAt(hertz, out, 16000) + 6.02) < 0.5, `${hertz} Hz`);
  }
});

test("what 16 kHz cannot hold is gone, not folded down", () => {
  for (const hertz of [8500, 9000, 12000, 15000, 20000]) {
    for (const from of [48000, 44100]) {
      const out = resampled(tone(hertz, from, 0.5), from, 16000);
      const folded = Math.abs(hertz - 16000 * Math.round(hertz / 16000));
      assert.ok(decibelsAt(folded, out, 16000) < -70, `${hertz} Hz from ${from}: ${decibelsAt(folded, out, 16000)} dB`);
    }
  }
});

test("raising the rate adds no images", () => {
  const out = resampled(tone(3000, 24000, 0.5), 24000, 48000);
  assert.ok(decibelsAt(21000, out, 48000) < -70);
});

test("one rate is left as it is, and another sound begins clean", () => {
  const samples = tone(440, 16000, 0.1);
  assert.deepEqual(resampled(samples, 16000, 16000), samples);
  const resampler = new Resampler(48000, 16000);
  resampler.push(tone(440, 48000, 0.1));
  resampler.end();
  const again = Float32Array.from([...resampler.push(samples), ...resampler.end()]);
  assert.deepEqual(again, resampled(samples, 48000, 16000));
});
