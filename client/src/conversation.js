// A conversation with an agent over antiphon.v1 (docs/protocol.md).

import { connect as connectDevices } from "./devices.js";
import { Emitter } from "./emitter.js";
import { ConversationClosed } from "./endings.js";
import { Exchange } from "./exchange.js";
import { BEGIN, next, shown } from "./progress.js";
import { Kept } from "./storage.js";

const INTERRUPTED_FOR = 1500; // ms that "interrupted" is shown when nobody says anything
const ASKING = new Set(["text", "activity_end"]); // after which the agent thinks
const MOST_UNREAD = 10_000; // by an async iterator

export class Conversation extends Emitter {
  #exchange;
  #progress = BEGIN;
  /** @type {{position: number, length: number} | null} */
  #queue = null;
  /** The newest answer of which no more sound comes. */
  #ended = 0;
  /** @type {Promise<import("./index.d.ts").Hello> | null} */
  #connecting = null;
  /** Async iterators. @type {Set<(item: {type: string, detail: any}) => void>} */
  #readers = new Set();

  /** @param {string | URL} url @param {import("./index.d.ts").ConversationOptions} [options] */
  constructor(url, options = {}) {
    super();
    this.url = address(url);
    /** Whether the client says when the user speaks. */
    this.manual = options.config?.manual_activity === true;
    const kept = new Kept(options.storage, this.url);
    this.#exchange = new Exchange(this.url, options, kept, (type, detail) => this.#told(type, detail));
  }

  get state() {
    return shown(this.#progress);
  }

  get hello() {
    return this.#exchange.known.hello;
  }

  /** @returns {import("./index.d.ts").Role} */
  get role() {
    return this.#exchange.known.speaker ? "speaker" : "watcher";
  }

  get queue() {
    return this.#queue;
  }

  get reconnects() {
    return this.#exchange.known.reconnects;
  }

  get unacknowledged() {
    return this.#exchange.outbox.waiting.length;
  }

  get dropped() {
    return this.#exchange.sender.dropped;
  }

  get ticket() {
    return this.#exchange.ticket;
  }

  connect() {
    if (!this.#connecting) {
      this.#connecting = new Promise((resolve, reject) => {
        this.on("hello", resolve);
        this.on("closed", ({ reason, detail, code }) => reject(new ConversationClosed(reason, detail, code)));
      });
      this.#connecting.catch(() => {}); // whoever listens to events need not await it
      this.#exchange.link.start();
    }
    return this.#connecting;
  }

  // --- up ---------------------------------------------------------------------------------------------------

  /** @param {string} text */
  text(text) {
    const whole = new TextDecoder().decode(new TextEncoder().encode(text)); // half a surrogate pair is no UTF-8
    const n = this.#exchange.say({ type: "text", text: whole });
    this.#advance("asked");
    return n;
  }

  activityStart() {
    const n = this.#exchange.say({ type: "activity_start" });
    this.#advance("user speaks");
    return n;
  }

  activityEnd() {
    const n = this.#exchange.say({ type: "activity_end" });
    this.#advance("asked");
    return n;
  }

  audioEnd() {
    return this.#exchange.say({ type: "audio_end" });
  }

  take() {
    return this.#exchange.say({ type: "take" });
  }

  stop() {
    const { sounding, answering, floor } = this.#progress;
    if (!sounding && !answering && floor !== "speaking") {
      return null;
    }
    const { inbox, known } = this.#exchange;
    // 0 is the answer that is being made and of which no sound came (protocol 3.2).
    const stream = sounding || inbox.newest > this.#ended ? inbox.newest : 0;
    const detail = { stream, played: known.report?.stream === stream ? known.report.played : 0 };
    this.emit("stopping", detail); // a player knows better how much was heard
    const n = this.#exchange.say({ type: "stop", stream, played: Math.round(detail.played) });
    this.#flush(stream);
    return n;
  }

  /** @param {Int16Array} pcm @param {number} [rate] */
  audio(pcm, rate = 16_000) {
    this.#exchange.media("audio", pcm, rate);
  }

  /** @param {ArrayBuffer | Uint8Array} bytes @param {"image/jpeg" | "image/png"} [mimeType] */
  image(bytes, mimeType = "image/jpeg") {
    this.#exchange.media("image", bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes), mimeType);
  }

  /** @param {number} stream @param {number} played */
  playback(stream, played) {
    this.#exchange.report(stream, played);
  }

  close({ leave = false } = {}) {
    if (this.state === "closed") {
      return;
    }
    if (leave) {
      this.#exchange.end("client", "You left the conversation.", null, 4000);
    } else {
      this.#exchange.say({ type: "close" });
      this.#exchange.end("client", "You ended the conversation.", null);
    }
  }

  // --- devices and readers ----------------------------------------------------------------------------------

  /** @param {{microphone?: any, player?: any, camera?: any}} devices */
  attach(devices) {
    if (devices.player) {
      this.#exchange.inbox.ear.listens = true;
      this.#progress = { ...this.#progress, audible: true };
    }
    const detach = connectDevices(this, devices, { manual: this.manual, sounding: (type) => this.#advance(type) });
    return () => {
      detach();
      if (devices.player) {
        this.#progress = { ...this.#progress, audible: false };
        this.#advance("silent");
      }
    };
  }

  [Symbol.asyncIterator]() {
    /** @type {Array<{type: string, detail: any}>} */
    const unread = [];
    let wake = () => {};
    const read = (item) => {
      unread.push(item);
      wake();
    };
    this.#readers.add(read); // now, not at the first step: nothing is missed in between
    const over = () => this.state === "closed" && unread.length === 0;
    const items = this.#items(unread, over, (woken) => (wake = woken));
    return {
      next: () => items.next(),
      return: () => {
        this.#readers.delete(read);
        return items.return(undefined);
      },
    };
  }

  async *#items(unread, over, sleep) {
    while (!over()) {
      if (unread.length > MOST_UNREAD) {
        throw new Error(`${MOST_UNREAD} events wait to be read: do slow work elsewhere than in the loop.`);
      }
      if (unread.length > 0) {
        yield unread.shift();
      } else {
        await new Promise(sleep);
      }
    }
  }

  /** @param {string} type @param {object} [detail] */
  emit(type, detail = {}) {
    super.emit(type, detail);
    this.#readers.forEach((read) => read({ type, detail }));
  }

  // --- what happens -----------------------------------------------------------------------------------------

  #told(type, detail) {
    switch (type) {
      case "hello":
        return this.#begin(detail);
      case "reconnecting":
        this.#advance("reconnecting");
        break;
      case "queue":
        this.#queue = detail;
        this.#advance("in line");
        break;
      case "audio":
        this.#advance("audio");
        break;
      case "event":
        return this.#event(detail);
      case "flush":
        return this.#flush(detail.stream);
      case "drain":
        this.emit("drain", detail);
        this.#exchange.timers.start("drain", 1000 * detail.seconds, () => this.#exchange.move(true));
        return this.#rest();
      case "refused":
        return ASKING.has(detail.type) && this.#advance("refused");
      case "closed":
        this.#advance("closed");
        break;
    }
    this.emit(type, detail);
  }

  #begin(hello) {
    this.#queue = null;
    this.#exchange.timers.stop("drain");
    if (!hello.resumed) {
      this.#ended = 0;
    }
    this.#advance(hello.resumed ? "open" : "new");
    this.emit("hello", hello);
    if (!hello.resumed && this.#exchange.outbox.waiting.length > 0) {
      this.#advance("asked"); // what was typed before is sent now
    }
  }

  #event(event) {
    this.#advance("event", event);
    this.emit("event", event);
    if (event.turnComplete || event.interrupted || event.lifecycle?.kind === "generation_complete") {
      this.#over(this.#exchange.inbox.newest);
    }
  }

  /** No more sound of `stream` comes. */
  #over(stream) {
    if (stream > this.#ended) {
      this.#ended = stream;
      this.emit("audio end", { stream });
    }
  }

  #flush(stream) {
    this.#exchange.inbox.flush(stream);
    this.#advance("cut");
    this.emit("flush", { stream });
    this.#over(stream);
  }

  /** @param {string} type @param {import("./index.d.ts").AgentEvent} [event] */
  #advance(type, event) {
    const before = this.state;
    this.#progress = next(this.#progress, { type, event });
    const { state } = this;
    if (state !== before) {
      const { timers } = this.#exchange;
      timers.stop("rest");
      if (state === "interrupted") {
        timers.start("rest", INTERRUPTED_FOR, () => this.#advance("rested"));
      }
      this.emit("state", { state, before });
      this.#rest();
    }
  }

  /** A server that ends is left between two turns, if there is one in time. */
  #rest() {
    if (this.#exchange.timers.has("drain") && this.state === "listening") {
      this.#exchange.move(false);
    }
  }
}

/** @param {string | URL} url */
function address(url) {
  const found = new URL(url, globalThis.location?.href);
  found.protocol = found.protocol.replace(/^http/, "ws");
  found.hash = "";
  return found.href;
}
