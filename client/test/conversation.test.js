import assert from "node:assert/strict";
import { test } from "node:test";

import { ConversationClosed } from "../src/index.js";
import { FakePlayer, HELLO, MemoryStorage, event, settle, sound, stage } from "./fakes.js";

const types = (frames) => frames.map((frame) => frame.type ?? "media");

test("hello goes first, and control after the server's (protocol 1.1, 1.2)", async () => {
  const { conversation, socket, clock } = stage({ config: { modality: "AUDIO" }, watch: true });
  const connected = conversation.connect();
  await settle();
  assert.equal(conversation.state, "connecting");
  assert.deepEqual(socket().protocols, ["antiphon.v1"]);
  conversation.text("early");
  conversation.audio(new Int16Array(320));
  socket().open();
  assert.deepEqual(socket().sent, [{ type: "hello", watch: true, config: { modality: "AUDIO" } }]);
  socket().says({ type: "queue", position: 2, length: 5 });
  assert.equal(conversation.state, "in line");
  assert.deepEqual(conversation.queue, { position: 2, length: 5 });
  await clock.advance(5000);
  assert.equal(socket().sent.length, 1);
  socket().says(HELLO);
  assert.equal((await connected).conversation, "c1");
  assert.deepEqual(types(socket().sent), ["hello", "text", "media"]);
  assert.equal(conversation.state, "thinking");
  assert.equal(conversation.queue, null);
});

test("control is numbered and acknowledged; media is not (protocol 3.1)", async () => {
  const { conversation, socket, begin } = stage();
  await begin();
  assert.deepEqual([conversation.activityStart(), conversation.activityEnd(), conversation.audioEnd()], [1, 2, 3]);
  conversation.playback(1, 250.4);
  assert.deepEqual(socket().got("playback"), [{ type: "playback", stream: 1, played: 250 }]);
  assert.equal(conversation.unacknowledged, 3);
  socket().says({ type: "received", n: 3 });
  assert.equal(conversation.unacknowledged, 0);
});

test("a broken connection comes back: what was not acknowledged is sent again, in order (protocol 3.1, 6.2)", async () => {
  const { conversation, sockets, socket, begin, comeBack, of, states } = stage();
  await begin();
  ["a", "b", "c"].forEach((text) => conversation.text(text));
  socket().says({ type: "received", n: 1 }, event(1, { partial: true }), sound(1, 0), sound(1, 1));
  socket().breaks();
  assert.equal(conversation.state, "reconnecting");
  conversation.text("d");
  await comeBack({ received: 2 });
  assert.equal(sockets.length, 2);
  assert.deepEqual(socket().sent[0], { type: "hello", resume: "r1", seq: 1, audio: [1, 1] });
  assert.deepEqual(socket().got("text").map(({ n, text }) => [n, text]), [[3, "c"], [4, "d"]]);
  assert.deepEqual(of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [[1, 250]]);
  assert.equal(conversation.reconnects, 1);
  assert.deepEqual(states().slice(-2), ["reconnecting", "thinking"]);
});

test("what comes twice is told once, in order (protocol 4.1)", async () => {
  const { socket, begin, comeBack, of } = stage();
  await begin();
  socket().says(event(1, { id: "a" }), event(2, { id: "b" }), sound(1, 0));
  socket().breaks();
  await comeBack();
  socket().says(event(2, { id: "b" }), event(3, { id: "c" }), sound(1, 0), sound(1, 1), event(3, { id: "c" }));
  assert.deepEqual(of("event").map(({ id }) => id), ["a", "b", "c"]);
  assert.deepEqual(of("audio").map(({ number, position }) => [number, position]), [[0, 0], [1, 20]]);
});

test("what comes is acknowledged, not one by one (protocol 3.4)", async () => {
  const { socket, begin, clock } = stage();
  await begin();
  socket().says(event(1), event(2));
  assert.deepEqual(socket().got("ack"), []);
  await clock.advance(1000);
  assert.deepEqual(socket().got("ack"), [{ type: "ack", seq: 2 }]);
  for (let seq = 3; seq <= 18; seq += 1) {
    socket().says(event(seq));
  }
  assert.deepEqual(socket().got("ack").at(-1), { type: "ack", seq: 18 });
  socket().says({ type: "weather", seq: 19 });
  await clock.advance(1000);
  assert.deepEqual(socket().got("ack").at(-1), { type: "ack", seq: 19 }, "a type of a later server counts (1.4)");
});

test("a message that is missing is asked for again, once", async () => {
  const { sockets, socket, begin, comeBack, of } = stage();
  await begin();
  socket().says(event(1, { id: "a" }), event(3, { id: "c" }));
  assert.equal(sockets[0].closedWith, 4000, "not 1000, which would end the grace (protocol 6.1)");
  await comeBack();
  assert.equal(socket().sent[0].seq, 1);
  socket().says(event(3, { id: "c" }));
  await comeBack();
  assert.equal(sockets.length, 2, "a server that has it not is not asked for ever");
  assert.deepEqual(of("event").map(({ id }) => id), ["a", "c"]);
});

test("pauses grow while the server is away, and it says so", async () => {
  const { conversation, socket, begin, clock, of, sockets } = stage({ reconnect: { giveUp: 20_000 } });
  await begin();
  socket().breaks();
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(of("reconnecting").at(-1).delay);
    socket().breaks();
  }
  assert.deepEqual(of("reconnecting").map(({ delay }) => delay), [250, 500, 1000, 2000, 4000, 8000]);
  await clock.advance(8000);
  socket().breaks();
  await clock.advance(8000);
  socket().breaks();
  assert.equal(conversation.state, "closed");
  assert.equal(of("closed")[0].reason, "unreachable");
  assert.match(of("closed")[0].detail, /check the network/);
  const count = sockets.length;
  await clock.advance(60_000);
  assert.equal(sockets.length, count);
});

test("a return begins the pauses anew", async () => {
  const { socket, begin, clock, of, comeBack } = stage();
  await begin();
  socket().breaks();
  await clock.advance(250);
  socket().breaks();
  await comeBack();
  socket().breaks();
  assert.deepEqual(of("reconnecting").map(({ attempt, delay }) => [attempt, delay]), [[1, 250], [2, 500], [1, 250]]);
});

test("it does not wait when the browser is online again, and leaves a socket that is offline", async () => {
  const { conversation, sockets, socket, begin, network, of } = stage();
  await begin();
  network.dispatchEvent(new Event("offline"));
  assert.equal(conversation.state, "reconnecting");
  assert.equal(sockets[0].closedWith, 4000);
  network.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(sockets.length, 2);
  sockets[0].onmessage({ data: JSON.stringify(event(1)) });
  sockets[0].onclose({ code: 1006, reason: "" });
  assert.deepEqual(of("event"), [], "what a socket says that was left is not heard");
  assert.equal(socket().sent.length, 0);
  assert.equal(of("reconnecting").length, 1);
});

test("a socket that acknowledges nothing is left", async () => {
  const { conversation, sockets, begin, clock } = stage();
  await begin();
  conversation.text("hello?");
  await clock.advance(9999);
  assert.equal(sockets.length, 1);
  await clock.advance(2);
  assert.equal(sockets[0].closedWith, 4000);
  assert.equal(sockets.length, 2);
});

test("a refused message is told, not repeated, and not waited for (protocol 7.1)", async () => {
  const { conversation, sockets, socket, begin, clock, of } = stage();
  await begin();
  conversation.activityStart();
  socket().says({ type: "error", code: "unsupported", message: "Send sound.", n: 1 });
  assert.deepEqual(of("error"), [{ code: "unsupported", message: "Send sound.", n: 1 }]);
  await clock.advance(20_000);
  assert.equal(sockets.length, 1);
  assert.equal(conversation.unacknowledged, 0);
});

test("nobody thinks about a question that was refused", async () => {
  const { conversation, socket, begin } = stage();
  await begin({ role: "watcher" });
  conversation.text("me?");
  assert.equal(conversation.state, "thinking");
  socket().says({ type: "error", code: "not_speaker", message: "Take the floor first.", n: 1 });
  assert.equal(conversation.state, "listening");
});

test("a network that takes nothing for long is left", async () => {
  const { conversation, sockets, socket, begin, clock } = stage();
  await begin();
  const speak = async (seconds) => {
    for (let count = 0; count < 10 * seconds; count += 1) {
      conversation.audio(new Int16Array(1600));
      await clock.advance(100);
    }
  };
  socket().bufferedAmount = 200_000;
  await speak(9);
  socket().bufferedAmount = 0;
  await speak(5);
  assert.equal(sockets.length, 1, "it was only slow");
  socket().bufferedAmount = 200_000;
  await speak(11);
  assert.equal(sockets[0].closedWith, 4000);
  assert.equal(sockets.length, 2);
});

test("a conversation that is not known any more begins anew, and typed text is said in it (protocol 6.3)", async () => {
  const { conversation, sockets, socket, begin, clock, of } = stage();
  await begin();
  conversation.activityStart();
  conversation.text("still there?");
  socket().says(event(1), sound(4, 0));
  socket().breaks();
  await clock.advance(300);
  socket().open();
  assert.equal(socket().sent[0].resume, "r1");
  socket().breaks(4004, "unknown conversation");
  await clock.advance(1000);
  assert.equal(sockets.length, 3);
  socket().open();
  assert.deepEqual(socket().sent, [{ type: "hello" }]);
  socket().says({ ...HELLO, conversation: "c2", resume: "r2" });
  assert.deepEqual(socket().got("text", "activity_start"), [{ type: "text", text: "still there?", n: 1 }]);
  socket().says(event(1, { id: "new" }), sound(1, 0));
  assert.equal(of("event").at(-1).id, "new");
  assert.equal(of("audio").at(-1).stream, 1);
  assert.equal(conversation.ticket.resume, "r2");
});

test("a page that is loaded again comes back with what it kept", async () => {
  const storage = new MemoryStorage();
  const one = stage({ storage });
  await one.begin();
  one.conversation.text("a");
  one.socket().says({ type: "received", n: 1 }, event(1), sound(1, 0), sound(1, 1), sound(1, 2));
  one.conversation.playback(1, 45);

  const two = stage({ storage });
  two.conversation.connect();
  two.conversation.text("b");
  await settle();
  two.socket().open();
  assert.deepEqual(two.socket().sent[0], { type: "hello", resume: "r1", seq: 1, audio: [1, 1] });
  two.socket().says({ ...HELLO, resumed: true, received: 1 });
  assert.deepEqual(two.socket().got("text"), [{ type: "text", text: "b", n: 2 }]);
  two.conversation.close();
  assert.equal(storage.items.size, 0, "a conversation that is over is not come back to");
});

test("with a player the ticket is where the ear is: what was not heard is told again (protocol 6.2)", async () => {
  const { conversation, socket, begin, comeBack } = stage();
  const player = new FakePlayer();
  conversation.attach({ player });
  await begin();
  socket().says(...[0, 1, 2, 3].map((number) => sound(1, number)));
  player.tells("played", { stream: 1, played: 45, flushed: false });
  assert.deepEqual(conversation.ticket, { resume: "r1", seq: 0, audio: [1, 1], position: 40 });
  socket().breaks();
  await comeBack();
  assert.deepEqual(socket().sent[0].audio, [1, 3], "this page's player still has the rest");
});

test("a player gets what is to be heard, and its reports go up (protocol 3.3)", async () => {
  const { conversation, socket, begin, comeBack, states } = stage();
  const player = new FakePlayer();
  conversation.attach({ player });
  await begin();
  socket().says(sound(1, 0), event(1, { turnComplete: true }));
  assert.deepEqual(player.calls.map(([call]) => call), ["reset", "enqueue", "end"]);
  assert.equal(conversation.state, "speaking", "until it was played");
  player.tells("played", { stream: 1, played: 20, flushed: false });
  player.tells("idle", { stream: 1 });
  assert.equal(conversation.state, "listening");
  socket().breaks();
  await comeBack();
  assert.deepEqual(socket().got("playback"), [{ type: "playback", stream: 1, played: 20 }], "the last report may be lost");
  socket().says(sound(2, 0), { type: "flush", seq: 2, stream: 2 }, event(3, { interrupted: true }), sound(2, 1));
  assert.deepEqual(player.calls.slice(3).map(([call]) => call), ["enqueue", "flush", "end"]);
  assert.deepEqual(states().slice(-2), ["speaking", "interrupted"]);
});

test("stop silences at once and says how much was heard (protocol 3.2)", async () => {
  const { conversation, socket, begin, of } = stage();
  const player = new FakePlayer();
  conversation.attach({ player });
  await begin();
  assert.equal(conversation.stop(), null);
  socket().says(sound(1, 0));
  player.position = 12.6;
  assert.equal(conversation.stop(), 1);
  assert.deepEqual(socket().got("stop"), [{ type: "stop", n: 1, stream: 1, played: 13 }]);
  assert.equal(conversation.state, "interrupted");
  socket().says(sound(1, 1));
  assert.equal(of("audio").length, 1, "what is on its way is not played");
  conversation.text("something else");
  conversation.stop();
  assert.equal(socket().got("stop").at(-1).stream, 0, "nothing of this answer was heard");
});

test("interrupted is shown for a moment", async () => {
  const { conversation, socket, begin, clock } = stage();
  await begin();
  socket().says(sound(1, 0), { type: "flush", seq: 1, stream: 1 });
  await clock.advance(1400);
  assert.equal(conversation.state, "interrupted");
  await clock.advance(200);
  assert.equal(conversation.state, "listening");
});

test("sound of the last 2 s is kept while the connection is away (protocol 5.2)", async () => {
  const { conversation, socket, begin, comeBack } = stage();
  await begin();
  conversation.audio(new Int16Array(320));
  socket().breaks();
  for (let count = 0; count < 150; count += 1) {
    conversation.audio(new Int16Array(320));
  }
  await comeBack();
  const numbers = socket().media.map((frame) => new DataView(frame).getUint32(8));
  assert.equal(numbers.length, 100);
  assert.deepEqual([numbers[0], numbers.at(-1)], [1, 100], "numbered without gaps (protocol 2.1)");
  assert.equal(conversation.dropped, 50);
});

test("media is left out where the network does not keep up", async () => {
  const { conversation, socket, begin } = stage();
  await begin();
  socket().bufferedAmount = 200_000;
  conversation.audio(new Int16Array(320));
  conversation.image(new Uint8Array(10));
  assert.equal(socket().media.length, 0);
  assert.equal(conversation.dropped, 2);
});

test("images are sent as often as the server takes them (protocol 2.3)", async () => {
  const { conversation, socket, begin, clock } = stage();
  await begin();
  conversation.image(new Uint8Array(10), "image/png");
  await clock.advance(300);
  conversation.image(new Uint8Array(10));
  await clock.advance(200);
  conversation.image(new Uint8Array(10));
  assert.deepEqual(socket().media.map((frame) => new Uint8Array(frame)[0]), [3, 2]);
  assert.throws(() => conversation.image(new Uint8Array(1), "image/gif"), /image\/jpeg/);
});

test("a watcher sends no sound and no reports, and may take the floor (protocol 6.4)", async () => {
  const { conversation, socket, begin, of } = stage({ watch: true });
  await begin({ role: "watcher" });
  conversation.audio(new Int16Array(320));
  conversation.playback(1, 10);
  assert.equal(conversation.take(), 1);
  assert.deepEqual(types(socket().sent), ["hello", "take"]);
  socket().says({ type: "role", seq: 1, role: "speaker" });
  assert.equal(conversation.role, "speaker");
  assert.deepEqual(of("role"), [{ role: "speaker" }]);
  conversation.audio(new Int16Array(320));
  assert.equal(socket().media.length, 1);
});

test("a server that ends is left between two turns, or when its time is over (protocol 4.4)", async () => {
  const between = stage();
  await between.begin();
  between.socket().says(sound(1, 0), { type: "drain", seq: 1, seconds: 30 });
  assert.equal(between.sockets[0].closedWith, null);
  between.socket().says(event(2, { turnComplete: true }));
  assert.equal(between.sockets[0].closedWith, 4000);

  const late = stage();
  await late.begin();
  late.socket().says(sound(1, 0), { type: "drain", seq: 1, seconds: 30 });
  await late.clock.advance(30_001);
  assert.equal(late.sockets[0].closedWith, 4000);
  assert.equal(late.sockets.length, 2);
});

test("a server that stays is not left again and again", async () => {
  const { sockets, socket, begin, comeBack } = stage();
  await begin();
  socket().says({ type: "drain", seq: 1, seconds: 30 });
  await comeBack();
  socket().says({ type: "drain", seq: 2, seconds: 20 });
  assert.equal(sockets.length, 2);
  assert.equal(socket().closedWith, null);
});

const ENDINGS = [
  [1000, "server"],
  [1007, "refused"],
  [1008, "not_allowed"],
  [1009, "refused"],
  [1013, "queue_full"],
  [4001, "elsewhere"],
  [4008, "idle"],
  [4029, "refused"],
];

for (const [code, reason] of ENDINGS) {
  test(`closing code ${code} is ${reason} (protocol 7.2)`, async () => {
    const { conversation, sockets, socket, clock, of } = stage();
    const connected = conversation.connect();
    await settle();
    socket().open();
    socket().breaks(code);
    await assert.rejects(connected, (error) => error instanceof ConversationClosed && error.reason === reason);
    assert.equal(of("closed")[0].code, code);
    assert.ok(of("closed")[0].detail.length > 10);
    await clock.advance(60_000);
    assert.equal(sockets.length, 1);
  });
}

test("a full server is tried again by who was in a conversation", async () => {
  const { conversation, socket, begin, clock, sockets } = stage();
  await begin();
  socket().breaks(1001, "the server ends");
  await clock.advance(300);
  socket().breaks(1013);
  await clock.advance(1000);
  assert.equal(sockets.length, 3);
  assert.equal(conversation.state, "reconnecting");
});

test("the conversation's own end (protocol 4.6)", async () => {
  const { conversation, socket, begin, of } = stage();
  await begin();
  socket().says({ type: "closed", seq: 1, reason: "the agent said goodbye" });
  assert.deepEqual(of("closed"), [{ reason: "server", detail: "the agent said goodbye", code: null }]);
  assert.throws(() => conversation.text("and?"), /begin another one/);
});

test("close ends it, leave keeps it", async () => {
  const storage = new MemoryStorage();
  const one = stage({ storage });
  await one.begin();
  one.conversation.close({ leave: true });
  assert.equal(one.socket().closedWith, 4000);
  assert.deepEqual(one.socket().got("close"), []);
  assert.equal(storage.items.size, 1);
  const two = stage({ storage });
  await two.begin({ resumed: true });
  two.conversation.close();
  two.conversation.close();
  assert.deepEqual(two.socket().got("close"), [{ type: "close", n: 1 }]);
  assert.equal(two.socket().closedWith, 1000);
  assert.equal(two.of("closed").length, 1);
});

test("a token goes by a subprotocol, fresh for every connection (protocol 8.2)", async () => {
  let count = 0;
  const { socket, sockets, begin, clock, of } = stage({ token: async () => `ÿ>?${(count += 1)}` });
  await begin();
  const told = (name) => Buffer.from(name.replace("antiphon.token.", ""), "base64url").toString();
  assert.equal(socket().protocols[0], "antiphon.v1");
  assert.match(socket().protocols[1], /^antiphon\.token\.[A-Za-z0-9_-]+$/);
  assert.equal(told(socket().protocols[1]), "ÿ>?1");
  socket().breaks(1008, "expired");
  await clock.advance(300);
  assert.equal(told(socket().protocols[1]), "ÿ>?2");
  socket().breaks(1008, "expired");
  await clock.advance(10_000);
  assert.equal(sockets.length, 2, "a fresh token that is refused too is the end");
  assert.equal(of("closed")[0].detail, "expired");
});

test("a token that cannot be had is tried again", async () => {
  let away = true;
  const token = async () => {
    if (away) {
      throw new Error("offline");
    }
    return "t";
  };
  const { conversation, sockets, clock, of } = stage({ token });
  conversation.connect();
  await settle();
  assert.match(of("reconnecting")[0].reason, /offline/);
  away = false;
  await clock.advance(300);
  assert.equal(sockets.length, 1);
});

test("what the server takes is kept to before it is sent", async () => {
  const { conversation, socket, begin } = stage();
  await begin({ limits: { text_bytes: 200 } });
  assert.throws(() => conversation.text("é".repeat(100)), /at most 200 bytes/);
  conversation.text("half \ud83d");
  assert.deepEqual(socket().got("text"), [{ type: "text", text: "half \ufffd", n: 1 }]);
});

test("a frame that is none is told, and the conversation goes on", async () => {
  const { conversation, socket, begin, of } = stage();
  await begin();
  socket().onmessage({ data: "{" });
  socket().onmessage({ data: new ArrayBuffer(3) });
  assert.deepEqual(of("error").map(({ code }) => code), ["bad_message", "bad_message"]);
  assert.equal(conversation.state, "listening");
});

test("all of it can be read in a loop, and shown on a console", async () => {
  const { conversation, socket, begin } = stage();
  const items = conversation[Symbol.asyncIterator]();
  await begin();
  socket().says(event(1, { id: "a" }));
  conversation.close();
  const seen = [];
  for await (const { type, detail } of { [Symbol.asyncIterator]: () => items }) {
    seen.push(type === "message" ? `${detail.direction} ${detail.message.type}` : type);
  }
  assert.deepEqual(seen.filter((each) => each !== "state"), [
    "up hello",
    "down hello",
    "hello",
    "down event",
    "event",
    "up close",
    "closed",
  ]);
});

test("the console is not told the token that lets others in", async () => {
  const { conversation, begin } = stage({ ticket: { resume: "secret", seq: 0, audio: null, position: 0 } });
  const shown = [];
  conversation.on("message", ({ message }) => shown.push(JSON.stringify(message)));
  await begin({ resume: "secret" });
  assert.ok(shown.length >= 2);
  assert.ok(!shown.join().includes("secret"));
});

test("addresses of pages are taken too", () => {
  const { conversation } = stage();
  assert.equal(conversation.url, "ws://host.test/ws/alice/s1");
  const url = new URL("https://host.test/ws/a/b#top");
  assert.equal(new conversation.constructor(url).url, "wss://host.test/ws/a/b");
});
