import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox } from "../src/outbox.js";

test("messages are numbered from 1 and kept until they are acknowledged (protocol 3.1)", () => {
  const outbox = new Outbox();
  assert.deepEqual(outbox.add({ type: "text", text: "a" }), { type: "text", text: "a", n: 1 });
  outbox.add({ type: "activity_start" });
  outbox.add({ type: "activity_end" });
  outbox.received(2);
  assert.deepEqual(outbox.waiting, [{ type: "activity_end", n: 3 }]);
});

test("after coming back only what the server has not is sent again", () => {
  const outbox = new Outbox();
  ["a", "b", "c"].forEach((text) => outbox.add({ type: "text", text }));
  assert.deepEqual(outbox.resume(1).map(({ n }) => n), [2, 3]);
  assert.equal(outbox.add({ type: "take" }).n, 4);
});

test("a page that is loaded again numbers on from what the server has", () => {
  const outbox = new Outbox();
  outbox.add({ type: "text", text: "early" });
  assert.deepEqual(outbox.renumber(7), [{ type: "text", text: "early", n: 8 }]);
  assert.equal(outbox.add({ type: "take" }).n, 9);
});

test("in another conversation typed text is said anew, and what belonged to the old one is not", () => {
  const outbox = new Outbox();
  outbox.add({ type: "activity_end" });
  outbox.add({ type: "text", text: "a" });
  outbox.add({ type: "stop", stream: 3, played: 10 });
  assert.deepEqual(outbox.restart(0), [{ type: "text", text: "a", n: 1 }]);
  assert.equal(outbox.last, 1);
});

test("what was refused is not sent again", () => {
  const outbox = new Outbox();
  outbox.add({ type: "text", text: "a" });
  outbox.add({ type: "text", text: "b" });
  outbox.refused(1);
  assert.deepEqual(outbox.resume(0).map(({ n }) => n), [2]);
});

test("it is bounded", () => {
  const outbox = new Outbox();
  for (let count = 0; count < 1000; count += 1) {
    outbox.add({ type: "take" });
  }
  assert.throws(() => outbox.add({ type: "take" }), /wait for the connection/);
});
