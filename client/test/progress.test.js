import assert from "node:assert/strict";
import { test } from "node:test";

import { BEGIN, next, shown } from "../src/progress.js";

const OPEN = next(BEGIN, { type: "open" });
const AUDIBLE = { ...OPEN, audible: true };
const said = (fields) => ({ type: "event", event: { author: "clerk", ...fields } });
const heard = (finished) => said({ author: "user", inputTranscription: { text: "x", finished } });
const TEXT = said({ partial: true, content: { parts: [{ text: "x" }] } });
const CALL = said({ content: { parts: [{ functionCall: { name: "f" } }] } });
const THOUGHT = said({ partial: true, content: { parts: [{ text: "hm", thought: true }] } });
const DONE = said({ turnComplete: true });
const WORKING = said({ turnComplete: true, interactionStatus: "IN_PROGRESS" });
const CUT = said({ interrupted: true });
const AUDIO = { type: "audio" };
const SILENT = { type: "silent" };
const of = (type) => ({ type });

const STORIES = [
  ["waits for its place", BEGIN, [of("connecting"), of("in line"), of("open")], ["connecting", "in line", "listening"]],
  ["a spoken turn", AUDIBLE, [heard(false), heard(true), AUDIO, DONE, SILENT], ["listening", "thinking", "speaking", "speaking", "listening"]],
  ["without a player it is over with the turn", OPEN, [AUDIO, DONE], ["speaking", "listening"]],
  ["a typed turn", OPEN, [of("asked"), TEXT, DONE], ["thinking", "speaking", "listening"]],
  ["a tool while nothing sounds", AUDIBLE, [AUDIO, SILENT, CALL, AUDIO, DONE, SILENT], ["speaking", "listening", "thinking", "speaking", "speaking", "listening"]],
  ["a tool while it still sounds", AUDIBLE, [of("asked"), AUDIO, CALL, SILENT], ["thinking", "speaking", "speaking", "thinking"]],
  ["thoughts are not said", OPEN, [THOUGHT, DONE], ["thinking", "listening"]],
  ["a turn that goes on after a tool", OPEN, [CALL, WORKING, DONE], ["thinking", "thinking", "listening"]],
  ["the user cuts in", AUDIBLE, [AUDIO, heard(false), CUT, DONE, of("rested")], ["speaking", "speaking", "interrupted", "interrupted", "listening"]],
  ["the user cuts in and asks", AUDIBLE, [AUDIO, CUT, heard(false), heard(true), of("rested")], ["speaking", "interrupted", "interrupted", "thinking", "thinking"]],
  ["a flush when nothing is said", OPEN, [of("cut")], ["listening"]],
  ["the connection breaks in mid-answer", AUDIBLE, [AUDIO, of("reconnecting"), of("open")], ["speaking", "reconnecting", "speaking"]],
  ["another conversation begins", AUDIBLE, [AUDIO, of("reconnecting"), of("new")], ["speaking", "reconnecting", "listening"]],
  ["lifecycle is no answer", OPEN, [said({ lifecycle: { kind: "ready" } })], ["listening"]],
  ["it is over", AUDIBLE, [AUDIO, of("closed"), DONE], ["speaking", "closed", "closed"]],
];

for (const [name, begin, happenings, states] of STORIES) {
  test(name, () => {
    let now = begin;
    const seen = happenings.map((happening) => shown((now = next(now, happening))));
    assert.deepEqual(seen, states);
  });
}
