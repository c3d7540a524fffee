// What the page makes of events, without a page: run by test_story.py, beside a copy of the page's modules.

import assert from "node:assert/strict";
import { test } from "node:test";

import { retold } from "./history.js";
import { Story, reached, spoken } from "./story.js";

const says = (text, more = {}) => ({ author: "guide", partial: true, outputTranscription: { text, finished: false }, ...more });
const said = (text, more = {}) => ({ author: "guide", partial: false, outputTranscription: { text, finished: true }, ...more });
const heard = (text, finished) => ({ author: "user", partial: !finished, inputTranscription: { text, finished } });
const call = (id, name, args = {}, more = {}) => ({ author: "guide", content: { parts: [{ functionCall: { id, name, args } }] }, ...more });
const result = (id, name, response) => ({ author: "guide", content: { role: "user", parts: [{ functionResponse: { id, name, response } }] } });
const OVER = { author: "guide", turnComplete: true };
const sound = (milliseconds) => new Int16Array(24 * milliseconds).fill(3000);
const kinds = (story) => story.entries.map(({ kind }) => kind);

test("captions go with the voice, word by word", () => {
  const story = new Story();
  story.event(says("One. "), 10);
  const [answer] = story.entries;
  assert.equal(reached(answer), 0);
  story.audio(1, 0, sound(500), 24_000, 10.1);
  story.event(says("Two. "), 10.5);
  story.audio(1, 500, sound(500), 24_000, 10.6);
  story.playing(1, 10.2);
  story.played(1, 500, 10.7);
  assert.equal(reached(answer), "One. ".length);
  story.played(1, 750, 10.9);
  const half = reached(answer);
  assert.ok(half > 5 && half < 10);
  story.event(said("One. Two. "), 11);
  story.event(OVER, 11);
  story.idle(1, 11.2);
  assert.equal(reached(answer), "One. Two. ".length);
});

test("an answer that is cut off says what was heard, and keeps what was not", () => {
  const told = [];
  const story = new Story({ announced: (text) => told.push(text) });
  story.event(says("One. Two. Three."), 1);
  story.audio(1, 0, sound(900), 24_000, 1);
  story.event({ author: "guide", interrupted: true }, 2);
  story.event(said("One. ", { interrupted: true }), 2);
  story.event({ ...OVER, interrupted: true }, 2);
  const [answer] = story.entries;
  assert.equal(spoken(answer), "One. ");
  assert.equal(answer.pieces.map(({ text }) => text).join(""), "One. Two. Three.");
  assert.ok(answer.cut && answer.done);
  assert.equal(story.figures.interruptions, 1);
  assert.equal(story.lanes.cuts.length, 1);
  assert.deepEqual(told, ["guide, cut off: One. "]);
});

test("a transcript that was told as whole is put right by what amends it", () => {
  const story = new Story();
  story.event(said("One. Two.", { id: "a" }), 1);
  story.event(OVER, 1);
  story.event(said("One.", { id: "b", amends: "a", interrupted: true }), 2);
  assert.equal(story.entries.length, 1);
  assert.equal(spoken(story.entries[0]), "One.");
  assert.ok(story.entries[0].cut);
});

test("what is said after a call stands below its card, in the same sound", () => {
  const story = new Story();
  story.event(says("Let me see. "), 1);
  story.audio(1, 0, sound(400), 24_000, 1);
  story.event(call("c", "look", { at: "it" }), 1.5);
  story.event(result("c", "look", { seen: 1 }), 2);
  story.event(says("Seen."), 2.1);
  assert.deepEqual(kinds(story), ["agent", "tool", "agent"]);
  const [, card, after] = story.entries;
  assert.deepEqual([card.status, card.ended - card.at, card.result], ["done", 0.5, { seen: 1 }]);
  assert.equal(after.stream, 1);
  assert.ok(Math.abs(after.pieces[0].at - 400) < 1);
});

test("calls fail, are cancelled, and take long", () => {
  const story = new Story();
  story.event(call("a", "one"), 1);
  story.event(result("a", "one", { error: { code: "TIMEOUT" } }), 2);
  story.event(call("b", "two"), 3);
  story.event({ author: "guide", lifecycle: { kind: "tool_cancelled", callIds: ["b", "unknown"] } }, 4);
  story.event(call("c", "three", {}, { longRunningToolIds: ["c"] }), 5);
  story.event(result("c", "three", { status: "pending" }), 6);
  assert.deepEqual(story.entries.map(({ status }) => status), ["failed", "cancelled", "running"]);
  story.event(result("c", "three", { status: "done" }), 9);
  assert.equal(story.entries[2].status, "done");
  assert.deepEqual(story.lanes.tools.map(({ to }) => to), [2, 4, 9]);
});

test("the first sound is timed from the last moment that the user was heard, once an answer", () => {
  const story = new Story();
  story.event({ author: "user", voiceActivity: { voiceActivityType: "ACTIVITY_START" } }, 1);
  story.loud(2);
  story.event({ author: "user", voiceActivity: { voiceActivityType: "ACTIVITY_END" } }, 2.4);
  story.event(heard("Hi", false), 2.4);
  story.event(heard("Hi.", true), 2.5);
  story.audio(1, 0, sound(100), 24_000, 2.6);
  story.playing(1, 2.7);
  story.playing(1, 3.5); // after a gap
  assert.deepEqual(story.figures.firstSounds.map((one) => one.toFixed(2)), ["0.70"]);
  assert.deepEqual(story.entries.map(({ text, open }) => [text, open]), [["Hi.", false]]);
  assert.deepEqual(story.lanes.user.map(({ from, to, text }) => [from, to, text]), [[1, 2.4, "Hi."]]);
});

test("silence after an interruption is timed from the voice, and from its arrival", () => {
  const story = new Story();
  story.audio(1, 0, sound(100), 24_000, 1);
  story.playing(1, 1);
  story.flushed(1, 2, { voiceBegan: 1.7, told: 1.99 });
  assert.equal(story.figures.voiceToSilence[0].toFixed(2), "0.30");
  assert.equal(story.figures.flushes[0].toFixed(2), "0.01");
  assert.ok(story.lanes.agent[0].cut);
});

test("hand-overs, errors and tokens are seen", () => {
  const story = new Story();
  story.event(call("t", "transfer_to_agent", { agent_name: "chef" }), 1);
  story.event({ author: "guide", actions: { transferToAgent: "chef" } }, 1);
  story.event({ author: "chef", errorCode: "UNAVAILABLE", errorMessage: "Busy." }, 2);
  story.event({ author: "chef", usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 } }, 3);
  assert.deepEqual(kinds(story), ["handover", "notice"]);
  assert.deepEqual([story.entries[0].from, story.entries[0].to, story.agent], ["guide", "chef", "chef"]);
  assert.equal(story.entries[1].text, "Busy. (UNAVAILABLE)");
  story.figures.prices = { in: 1, out: 2 };
  assert.ok(Math.abs(story.figures.cost - 20e-6) < 1e-12);
  assert.ok(story.figures.rows().some(([label, value]) => label === "Tokens" && value === "15"));
});

test("a conversation that was lost leaves nothing open", () => {
  const story = new Story();
  story.event(says("One. "), 1);
  story.away(undefined, 2);
  story.back(undefined, 3);
  story.lost(undefined, 3);
  story.event(says("Again."), 4);
  assert.deepEqual(kinds(story), ["agent", "agent"]);
  assert.ok(story.entries[0].cut);
  assert.deepEqual(story.lanes.gaps, [{ from: 2, to: 3 }]);
});

test("a stored session is told again: a bare interruption is not the earlier answer's", () => {
  const at = (event, timestamp) => ({ ...event, timestamp });
  const typed = { author: "user", content: { role: "user", parts: [{ text: "Count." }] } };
  const story = retold(
    [
      at(heard("Weather?", true), 1),
      at(said("Sunny."), 3),
      at(OVER, 3),
      at(typed, 4),
      at({ author: "guide", interrupted: true }, 6),
      at(said("One.", { interrupted: true }), 6),
      at({ ...OVER, interrupted: true }, 6),
    ],
    () => {},
  );
  assert.deepEqual(kinds(story), ["user", "agent", "user", "agent"]);
  assert.deepEqual(story.entries.filter(({ kind }) => kind === "agent").map(({ cut }) => cut), [false, true]);
  assert.ok(story.lanes.agent.every(({ from, to }) => to > from));
});
