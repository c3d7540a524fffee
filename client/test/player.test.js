import assert from "node:assert/strict";
import { test } from "node:test";

import { Player } from "../src/index.js";

test("what waits for the first click is bounded", () => {
  const player = new Player({ capacity: 1 });
  for (let count = 0; count < 60; count += 1) {
    player.enqueue({ stream: 1, pcm: new Int16Array(480), rate: 24000 });
  }
  assert.equal(player.dropped, 200);
  player.reset();
  player.enqueue({ stream: 1, pcm: new Int16Array(480), rate: 24000 });
  assert.equal(player.dropped, 200);
});

test("without an audio thread it says so", async () => {
  await assert.rejects(new Player().start(), (error) => error.code === "unsupported" && error.device === "loudspeaker");
});

test("before it was started nothing was heard, and closing it is fine", async () => {
  const player = new Player();
  assert.deepEqual([player.played(), player.stream, player.buffered, player.level, player.blocked], [0, null, 0, 0, false]);
  await player.close();
});
