import assert from "node:assert/strict";
import { test } from "node:test";

import { Inbox } from "../src/inbox.js";

const frame = (stream, number, ms = 20) => ({ stream, number, at: 0, rate: 1000, pcm: new Int16Array(ms) });

test("a control message is taken once, and a gap is seen (protocol 4.1)", () => {
  const inbox = new Inbox();
  assert.deepEqual([1, 1, 2, 1, 4, 3].map((seq) => inbox.control(seq)), ["take", "skip", "take", "skip", "gap", "take"]);
  assert.equal(inbox.seq, 3);
  assert.equal(inbox.unacknowledged, 3);
  assert.equal(inbox.acknowledge(), 3);
  assert.equal(inbox.unacknowledged, 0);
});

test("sound comes once, with its place in its answer", () => {
  const inbox = new Inbox();
  const places = [frame(1, 0), frame(1, 1), frame(1, 0), frame(1, 1), frame(1, 2), frame(2, 0), frame(1, 3)].map(
    (each) => inbox.media(each)?.position ?? null,
  );
  assert.deepEqual(places, [0, 20, null, null, 40, 0, null]);
  assert.deepEqual(inbox.audio, [2, 0]);
});

test("sound that was shed takes its time in the answer all the same (protocol 5.4)", () => {
  const inbox = new Inbox();
  inbox.media(frame(1, 0));
  assert.equal(inbox.media(frame(1, 5))?.position, 100);
  assert.equal(inbox.media(frame(2, 3))?.position, 60, "at the beginning of an answer too");
});

test("what was flushed never comes, nor what is before it (protocol 4.3)", () => {
  const inbox = new Inbox();
  inbox.media(frame(2, 0));
  inbox.flush(2);
  assert.equal(inbox.media(frame(2, 1)), null);
  assert.equal(inbox.media(frame(3, 0))?.position, 0);
});

test("the ticket tells what was received, and with a player what was heard", () => {
  const inbox = new Inbox();
  inbox.media(frame(1, 0));
  assert.deepEqual(inbox.ticket("r"), { resume: "r", seq: 0, audio: [1, 0], position: 20 });
  inbox.ear.listens = true;
  inbox.ear.heard(1, 5);
  assert.equal(inbox.ticket("r").audio, null, "nothing of it was heard whole");
  [1, 2, 3].forEach((number) => inbox.media(frame(1, number)));
  inbox.media(frame(2, 0));
  inbox.ear.heard(1, 65);
  assert.deepEqual(inbox.ticket("r"), { resume: "r", seq: 0, audio: [1, 2], position: 60 });
  inbox.ear.heard(2, 5);
  assert.deepEqual(inbox.ticket("r").audio, [1, 3], "the answer before is over");
  inbox.ear.heard(2, 20);
  assert.deepEqual(inbox.ticket("r"), { resume: "r", seq: 0, audio: [2, 0], position: 20 });
});

test("a ticket goes on where it was", () => {
  const inbox = new Inbox({ resume: "r", seq: 41, audio: [3, 120], position: 2420 });
  assert.equal(inbox.control(41), "skip");
  assert.equal(inbox.control(42), "take");
  assert.equal(inbox.media(frame(3, 120)), null);
  assert.equal(inbox.media(frame(3, 121))?.position, 2420);
});
