// A clock, a network and a server for tests: nothing happens but what the test says.

import { Conversation } from "../src/index.js";
import { encodeMedia } from "../src/wire.js";

/** Lets promises that are settled go on. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) {
    await null;
  }
}

export class FakeClock {
  constructor() {
    this.time = 1000;
    this.timers = [];
  }

  now() {
    return this.time;
  }

  setTimeout(callback, milliseconds) {
    const timer = { at: this.time + milliseconds, callback };
    this.timers.push(timer);
    return timer;
  }

  clearTimeout(timer) {
    this.timers = this.timers.filter((each) => each !== timer);
  }

  async advance(milliseconds) {
    const until = this.time + milliseconds;
    await settle();
    for (;;) {
      const [due] = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at);
      if (!due) {
        break;
      }
      this.clearTimeout(due);
      this.time = Math.max(this.time, due.at);
      due.callback();
      await settle();
    }
    this.time = until;
    await settle();
  }
}

/** The server's end of one socket. */
class FakeSocket {
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    this.readyState = 0;
    this.bufferedAmount = 0;
    this.sent = [];
    this.closedWith = null;
  }

  send(frame) {
    this.sent.push(typeof frame === "string" ? JSON.parse(frame) : frame);
  }

  close(code) {
    this.readyState = 3;
    this.closedWith = code;
  }

  // --- what the test does as the server
  open() {
    this.readyState = 1;
    this.onopen();
  }

  says(...messages) {
    for (const message of messages) {
      this.onmessage({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
    }
  }

  breaks(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }

  /** Control messages of these types that came up. */
  got(...types) {
    return this.sent.filter((message) => types.includes(message.type));
  }

  get media() {
    return this.sent.filter((message) => message instanceof ArrayBuffer);
  }
}

const CAPABILITIES = {
  audio_input: true,
  audio_output: true,
  video_input: true,
  text_output: false,
  manual_activity: true,
  input_rate: 16000,
  output_rate: 24000,
};

export const HELLO = {
  type: "hello",
  protocol: "antiphon.v1",
  conversation: "c1",
  session: "s1",
  user: "alice",
  agent: "clerk",
  resume: "r1",
  grace: 60,
  resumed: false,
  role: "speaker",
  received: 0,
  capabilities: CAPABILITIES,
  limits: { text_bytes: 65536, images_per_second: 2 },
};

/** `ms` of an answer, as its frame. */
export function sound(stream, number, ms = 20, rate = 24000) {
  return encodeMedia({ kind: 1, rate, stream, number, at: 0, data: new Int16Array((rate * ms) / 1000) });
}

export function event(seq, fields) {
  return { type: "event", seq, event: { author: "clerk", ...fields } };
}

export class MemoryStorage {
  constructor() {
    this.items = new Map();
  }

  getItem(key) {
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    this.items.set(key, value);
  }

  removeItem(key) {
    this.items.delete(key);
  }
}

/** A conversation, the sockets it opens, and what it tells. */
export function stage(options = {}) {
  const clock = new FakeClock();
  const sockets = [];
  const network = new EventTarget();
  class Socket extends FakeSocket {
    constructor(url, protocols) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const all = { clock, WebSocket: Socket, network, random: () => 1, ...options };
  const conversation = new Conversation("ws://host.test/ws/alice/s1", all);
  const told = [];
  for (const type of ["state", "event", "audio", "flush", "reconnecting", "closed", "error", "audio end", "hello", "queue", "role"]) {
    conversation.on(type, (detail) => told.push([type, detail]));
  }
  return {
    clock,
    sockets,
    network,
    conversation,
    told,
    of: (type) => told.filter(([each]) => each === type).map(([, detail]) => detail),
    states: () => told.filter(([type]) => type === "state").map(([, { state }]) => state),
    socket: () => sockets.at(-1),
    /** Connects, and takes the hello. */
    async begin(hello = {}) {
      conversation.connect();
      await settle();
      sockets.at(-1).open();
      sockets.at(-1).says({ ...HELLO, ...hello });
      await settle();
    },
    /** The next socket, after the pause. */
    async comeBack(hello = {}) {
      await clock.advance(10_000);
      sockets.at(-1).open();
      sockets.at(-1).says({ ...HELLO, resumed: true, ...hello });
      await settle();
    },
  };
}

/** A microphone, player or camera as the conversation knows it. */
export class FakePlayer {
  constructor() {
    this.calls = [];
    this.listeners = new Map();
    for (const call of ["enqueue", "end", "flush", "reset"]) {
      this[call] = (detail) => this.calls.push([call, detail]);
    }
    this.position = 0;
  }

  played() {
    return this.position;
  }

  on(type, listener) {
    this.listeners.set(type, listener);
    return () => this.listeners.delete(type);
  }

  tells(type, detail) {
    this.listeners.get(type)?.(detail);
  }
}
