import assert from "node:assert/strict";
import { test } from "node:test";

import { PushToTalk } from "../src/push-to-talk.js";
import { stage } from "./fakes.js";

class Key extends Event {
  constructor(type, code, { element = null, ...fields } = {}) {
    super(type, { cancelable: true });
    Object.assign(this, { code, ctrlKey: false, altKey: false, metaKey: false, repeat: false, ...fields });
    Object.defineProperty(this, "target", { value: element });
  }
}

/** Records what is done to the microphone and to the conversation. */
function talk(options = {}, { manual = true } = {}) {
  const done = [];
  const microphone = {
    set muted(muted) {
      done.push(muted ? "mute" : "unmute");
    },
  };
  const conversation = { manual, state: "listening", activityStart: () => done.push("start"), activityEnd: () => done.push("end") };
  const target = new EventTarget();
  const talking = new PushToTalk(conversation, { microphone, target, ...options });
  return { done, target, conversation, talking };
}

test("the microphone is on only while the key is held", () => {
  const { done, target, talking } = talk();
  const down = new Key("keydown", "Space");
  target.dispatchEvent(down);
  target.dispatchEvent(new Key("keydown", "Space", { repeat: true }));
  assert.ok(talking.pressed);
  talking.release(); // the window lost the focus
  target.dispatchEvent(new Key("keydown", "Space", { repeat: true }));
  assert.equal(talking.pressed, false, "until it is pressed anew");
  target.dispatchEvent(new Key("keydown", "Space"));
  assert.ok(down.defaultPrevented, "the page does not scroll");
  target.dispatchEvent(new Key("keyup", "Space"));
  assert.deepEqual(done, ["mute", "start", "unmute", "mute", "end", "start", "unmute", "mute", "end"]);
});

test("where the server finds the ends of speech, it is only muted", () => {
  const { done, talking } = talk({}, { manual: false });
  talking.press();
  talking.press();
  talking.release();
  talking.release();
  assert.deepEqual(done, ["mute", "unmute", "mute"]);
});

test("typing and other controls are left alone", () => {
  const { target, talking } = talk();
  const element = { closest: () => true };
  const typed = new Key("keydown", "Space", { element });
  target.dispatchEvent(typed);
  target.dispatchEvent(new Key("keydown", "KeyA"));
  target.dispatchEvent(new Key("keydown", "Space", { ctrlKey: true }));
  assert.equal(talking.pressed, false);
  assert.equal(typed.defaultPrevented, false);
});

test("a button is held by pointer, or by Enter and Space with the focus", () => {
  const button = new EventTarget();
  const { done, talking } = talk({ button, key: null });
  button.dispatchEvent(Object.assign(new Event("pointerdown"), { pointerId: 1 }));
  assert.ok(talking.pressed);
  button.dispatchEvent(new Event("pointercancel"));
  assert.equal(talking.pressed, false);
  button.dispatchEvent(new Key("keydown", "Enter", { element: button }));
  assert.ok(talking.pressed);
  button.dispatchEvent(new Key("keyup", "Enter", { element: button }));
  assert.equal(talking.pressed, false);
  assert.equal(done.length, 9);
});

test("detached it listens no more, and does not go on sending", () => {
  const { target, talking, done } = talk();
  talking.press();
  talking.detach();
  target.dispatchEvent(new Key("keydown", "Space"));
  assert.deepEqual(done, ["mute", "start", "unmute", "mute", "end"]);
});

test("a conversation that is over is not spoken to", () => {
  const { talking, done, conversation } = talk();
  talking.press();
  conversation.state = "closed";
  talking.release();
  talking.press();
  assert.deepEqual(done, ["mute", "start", "unmute", "mute"]);
});

test("a conversation knows whether the client tells the ends of speech", () => {
  assert.equal(stage({ config: { manual_activity: true } }).conversation.manual, true);
  assert.equal(stage().conversation.manual, false);
});
