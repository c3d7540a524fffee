import assert from "node:assert/strict";
import { test } from "node:test";

import { JitterBuffer } from "../src/playback-worklet.js";

const RATE = 12_800; // a quantum of 128 samples is 10 ms
const QUANTUM = 128;

function stage(options = {}) {
  const notices = [];
  const buffer = new JitterBuffer({ rate: RATE, jitter: 60, longest: 300, capacity: 10, ...options }, (notice) => notices.push(notice));
  return {
    buffer,
    notices,
    of: (type) => notices.filter((notice) => notice.type === type).map(({ stream, played }) => [stream, played]),
    /** `ms` of sound of which every sample is `value`. */
    push(stream, position, ms, value = 0.5) {
      buffer.push({ stream, position, samples: new Float32Array((RATE * ms) / 1000).fill(value) });
    },
    /** The first and last sample of each quantum. */
    pull(quanta = 1) {
      return Array.from({ length: quanta }, () => {
        const out = new Float32Array(QUANTUM).fill(9);
        buffer.pull(out);
        return out;
      });
    },
  };
}

const loud = (quantum) => quantum.every((sample) => sample === 0.5);
const silent = (quantum) => quantum.every((sample) => sample === 0);

test("an answer begins when enough waits", () => {
  const { push, pull, of } = stage();
  assert.ok(pull(3).every(silent));
  push(1, 0, 40);
  assert.ok(pull(3).every(silent));
  push(1, 40, 40);
  assert.ok(pull(8).every(loud));
  assert.deepEqual(of("begin"), [[1, 0]]);
});

test("it begins too when nothing more comes in time, or at all", () => {
  const late = stage();
  late.push(1, 0, 20);
  assert.deepEqual(late.pull(7).map(loud), [false, false, false, false, false, true, true]);
  const whole = stage();
  whole.push(1, 0, 20);
  whole.buffer.end(1);
  assert.deepEqual(whole.pull(2).map(loud), [true, true]);
});

test("played is told in milliseconds of the answer, by what left", () => {
  const { push, pull, of, notices } = stage();
  push(3, 1000, 200);
  pull(20);
  assert.deepEqual(of("tick"), [[3, 1050], [3, 1100], [3, 1150]]);
  assert.deepEqual(of("dry"), [[3, 1200]]);
  assert.equal(notices.length, 5);
});

test("answers follow each other without a gap", () => {
  const { push, pull, notices } = stage();
  push(1, 0, 65);
  push(2, 0, 65);
  assert.ok(pull(13).every(loud));
  const about = notices.filter(({ type, done }) => type === "begin" || done).map(({ type, stream, played }) => [type, stream, played]);
  assert.deepEqual(about, [["begin", 1, 0], ["tick", 1, 65], ["begin", 2, 0]]);
});

test("a flush is silence in the next quantum, without a click", () => {
  const { push, pull, of, buffer } = stage();
  push(1, 0, 500);
  pull(10);
  buffer.flush(1);
  const [cut, after] = pull(2);
  const steps = [...cut].map((sample, at) => Math.abs(sample - (at ? cut[at - 1] : 0.5)));
  assert.ok(Math.max(...steps) < 0.02, "it fades");
  assert.ok(silent(cut.subarray(32)));
  assert.ok(silent(after));
  assert.deepEqual(of("flushed"), [[1, 100]]);
  push(1, 500, 100);
  assert.ok(pull(20).every(silent), "what comes late is not played");
  assert.deepEqual(of("dry"), []);
});

test("a flush leaves later answers, and tells that earlier ones were not heard", () => {
  const { push, pull, of, buffer } = stage();
  push(1, 0, 100);
  push(2, 0, 100);
  push(3, 0, 100, 0.25);
  pull(5);
  buffer.flush(2);
  assert.deepEqual(of("flushed"), [[1, 50], [2, 0]]);
  assert.ok(pull(10).every((quantum) => quantum.every((sample) => sample === 0.25)));
  assert.deepEqual(of("dry"), [[3, 100]]);
});

test("a flush of what is over is nothing", () => {
  const { push, pull, buffer, of } = stage();
  push(1, 0, 100);
  pull(12);
  buffer.flush(1);
  assert.deepEqual(of("flushed"), []);
  push(2, 0, 100);
  assert.ok(loud(pull(1)[0]));
});

test("running dry inside an answer counts, and lets it wait longer next time", () => {
  const { push, pull, of, buffer } = stage();
  push(1, 0, 60);
  pull(8);
  assert.deepEqual(of("underrun"), []);
  push(1, 60, 80);
  assert.deepEqual(of("underrun"), [[1, 60]]);
  assert.equal(buffer.jitter.now, 90);
  assert.ok(pull(8).every(silent), "80 ms are not enough now");
  push(1, 140, 20);
  assert.ok(pull(10).every(loud));
});

test("the end of an answer is no running dry, nor is the next one's late beginning", () => {
  const { push, pull, of, buffer } = stage();
  push(1, 0, 60);
  pull(8);
  buffer.end(1);
  push(1, 60, 1); // what the resampler still had
  push(2, 0, 60);
  pull(8);
  assert.deepEqual(of("underrun"), []);
  assert.equal(buffer.jitter.now, 60);
});

test("what was learnt of a bad network is forgotten in quiet times", () => {
  const { push, pull, buffer } = stage({ capacity: 60 });
  buffer.jitter.now = 300;
  push(1, 0, 45_000);
  pull(4100);
  assert.ok(buffer.jitter.now < 130, String(buffer.jitter.now));
  assert.ok(buffer.jitter.now >= 60);
});

test("sound that ends is not cut off with a click", () => {
  const { push, pull } = stage();
  push(1, 0, 65);
  const last = pull(7).at(-1);
  const steps = [...last].map((sample, at) => Math.abs(sample - (at ? last[at - 1] : 0.5)));
  assert.ok(Math.max(...steps) < 0.02);
});

test("what is over its capacity is left out and told", () => {
  const { push, of, buffer } = stage({ capacity: 1 });
  push(1, 0, 900);
  push(1, 900, 200);
  assert.equal(of("full").length, 1);
  assert.equal(buffer.ms(buffer.waiting), 900);
});

test("another conversation numbers its answers anew", () => {
  const { push, pull, buffer } = stage();
  push(5, 0, 100);
  pull(3);
  buffer.flush(5);
  buffer.reset();
  push(1, 0, 100);
  assert.ok(pull(3).slice(1).every(loud));
});
