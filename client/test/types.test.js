// What the types promise is there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as client from "../src/index.js";
import * as wire from "../src/wire.js";

const read = (name) => readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8").replace(/\/\*[^]*?\*\//g, "");

/** Names of the members that a class of the types declares. */
function members(body) {
  const found = body.matchAll(/^  (?:(static) )?(?:readonly )?(\[Symbol\.asyncIterator\]|\w+)(?=[?(<:])/gm);
  return [...found].map(([, isStatic, name]) => ({ isStatic: Boolean(isStatic), name })).filter(({ name }) => name !== "constructor");
}

const classes = [...read("index.d.ts").matchAll(/^export class (\w+) extends \w+ \{\n([^]*?)^\}/gm)];

test("the module exports the classes of its types, and no others", () => {
  assert.deepEqual(classes.map(([, name]) => name).sort(), Object.keys(client).sort());
});

const MADE = {
  Conversation: () => new client.Conversation("ws://host.test/ws/a/b"),
  ConversationClosed: () => new client.ConversationClosed("server", "x", 1000),
  DeviceError: () => new client.DeviceError("busy", "camera", "x"),
  PushToTalk: () => new client.PushToTalk(MADE.Conversation(), { microphone: MADE.Microphone(), target: new EventTarget() }),
  Microphone: () => new client.Microphone(),
  Player: () => new client.Player(),
  VoiceActivity: () => new client.VoiceActivity(),
  Camera: () => new client.Camera(),
};

for (const [, name, body] of classes) {
  test(`${name} has the members of its types`, () => {
    const made = MADE[name]();
    const named = members(body);
    assert.ok(named.length > 0);
    for (const member of named) {
      const key = member.name.startsWith("[") ? Symbol.asyncIterator : member.name;
      assert.ok(key in (member.isStatic ? client[name] : made), member.name);
    }
  });
}

test("the codec's types are there too", () => {
  const named = [...read("wire.d.ts").matchAll(/^export (?:const|class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(named.sort(), Object.keys(wire).sort());
});
