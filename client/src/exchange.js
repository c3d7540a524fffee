// The exchange of messages with the server: numbered, acknowledged, resumed; told once and in order (protocol 1, 3, 4, 6).

import { UNKNOWN_CONVERSATION, ending } from "./endings.js";
import { Inbox } from "./inbox.js";
import { CLOCK, Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { MediaSender, SLOW } from "./sender.js";
import { Timers } from "./timers.js";
import { decode, encodeControl } from "./wire.js";

const ACKNOWLEDGE_AFTER = 16; // messages
const ACKNOWLEDGE_WITHIN = 1000; // ms
const ANSWERED_WITHIN = 10_000; // ms; a socket that acknowledges nothing for so long is dead
const TEXT_BYTES = 64 * 1024; // until the server tells its own limit

/**
 * `tell(type, detail)` is called with the server's messages by their types, and with `"message"`, `"reconnecting"`
 * and, at last, `"closed"`.
 */
export class Exchange {
  /**
   * @param {string} url
   * @param {import("./index.d.ts").ConversationOptions} options
   * @param {import("./storage.js").Kept} kept where the ticket lies
   * @param {(type: string, detail: any) => void} tell
   */
  constructor(url, options, kept, tell) {
    this.options = options;
    this.kept = kept;
    this.tell = tell;
    this.clock = options.clock ?? CLOCK;
    this.timers = new Timers(this.clock);
    const ticket = options.ticket ?? kept.read();
    this.inbox = new Inbox(ticket);
    this.outbox = new Outbox();
    this.sender = new MediaSender(() => this.clock.now());
    this.link = new Link(url, this.listener(), options);
    this.known = {
      /** @type {import("./index.d.ts").Hello | null} */ hello: null,
      /** @type {string | null} */ resume: ticket?.resume ?? null,
      /** @type {{stream: number, played: number} | null} */ report: null,
      speaker: true,
      reconnects: 0,
      ready: false, // hello came down on this socket
      gap: 0, // the message before which one was missing
      refused: false, // since the last hello
      moved: false, // to another server, as it was asked to
      over: false,
    };
  }

  // --- up ---------------------------------------------------------------------------------------------------

  /** Sends a control message, now or as soon as there is a connection. Returns its number. */
  say(message) {
    if (this.known.over) {
      throw new Error("The conversation is closed: begin another one.");
    }
    const most = this.known.hello?.limits.text_bytes ?? TEXT_BYTES;
    if (new TextEncoder().encode(encodeControl(message)).length + 32 > most) {
      throw new RangeError(`The server takes messages of at most ${most} bytes: send it in parts.`);
    }
    const numbered = this.outbox.add(message);
    if (this.known.ready) {
      this.send(numbered);
      this.expect();
    }
    return numbered.n;
  }

  /** Sends `[pcm, rate]` or `[bytes, mimeType]`, where the server and the network take it. */
  media(kind, data, of) {
    const { ready, speaker, over, hello } = this.known;
    const able = hello?.capabilities[kind === "audio" ? "audio_input" : "video_input"] ?? true;
    if (!over && speaker && able) {
      const way = { open: ready && this.link.open, buffered: this.link.buffered };
      this.watch(way);
      const limits = hello?.limits ?? {};
      this.sendMedia(kind === "audio" ? this.sender.audio(data, of, way) : this.sender.image(data, of, way, limits));
    }
  }

  /** A network that takes nothing for long is gone, whatever the socket says. */
  watch({ open, buffered }) {
    if (!open || buffered <= SLOW) {
      this.timers.stop("slow");
    } else if (!this.timers.has("slow")) {
      this.timers.start("slow", ANSWERED_WITHIN, () => this.link.restart("the network takes nothing"));
    }
  }

  /** How much of an answer was heard. @param {number} stream @param {number} played milliseconds */
  report(stream, played) {
    this.known.report = { stream, played: Math.max(0, Math.round(played)) };
    this.inbox.ear.listens = true;
    this.inbox.ear.heard(stream, played);
    this.keep();
    this.sendReport();
  }

  /** Leaves for another server, once: one that stays must not be asked again and again. @param {boolean} must */
  move(must) {
    if (must || !this.known.moved) {
      this.known.moved = true;
      this.link.restart("the server ends");
    }
  }

  /**
   * The end. @param {import("./index.d.ts").CloseReason} reason @param {string} detail for people
   * @param {number | null} code the server's @param {number} [closing] the client's
   */
  end(reason, detail, code, closing = 1000) {
    this.known.over = true;
    this.known.ready = false;
    this.link.stop(closing);
    this.timers.clear();
    if (closing === 1000 && reason !== "unreachable" && reason !== "elsewhere") {
      this.known.resume = null;
      this.keep();
    }
    this.tell("closed", { reason, detail, code });
  }

  get ticket() {
    return this.known.resume === null ? null : this.inbox.ticket(this.known.resume);
  }

  // --- the connection ---------------------------------------------------------------------------------------

  /** @returns {import("./link.js").Listener} */
  listener() {
    return {
      opened: () => this.opened(),
      frame: (data) => this.frame(data),
      broken: (code, reason) => this.broken(code, reason),
      retrying: (attempt, delay, reason) => {
        this.known.ready = false;
        this.timers.stop("answer");
        this.timers.stop("slow");
        this.tell("reconnecting", { attempt, delay, reason });
      },
      gaveUp: (reason) =>
        this.end("unreachable", `The server cannot be reached (${reason}): check the network, then connect again.`, null),
    };
  }

  opened() {
    const { ticket } = this;
    const { config, watch } = this.options;
    // Sound that came already is in the player; a page that begins has only what was heard.
    const audio = this.known.hello ? this.inbox.audio : ticket?.audio;
    this.send({
      type: "hello",
      ...(ticket && { resume: ticket.resume, seq: ticket.seq, ...(audio && { audio }) }),
      ...(watch && { watch }),
      ...(config && { config }),
    });
  }

  /** @returns {"retry" | "now" | "end"} */
  broken(code, reason) {
    this.known.ready = false;
    if (code === UNKNOWN_CONVERSATION) {
      this.forget();
      return "now";
    }
    const freshToken = typeof this.options.token === "function" && !this.known.refused;
    const end = ending(code, reason, { begun: this.known.hello !== null, freshToken });
    if (end) {
      this.end(end.reason, end.detail, code);
      return "end";
    }
    this.known.refused ||= code === 1008;
    return "retry";
  }

  /** The conversation is not known any more: the next hello begins another. */
  forget() {
    const { listens } = this.inbox.ear;
    this.inbox = new Inbox();
    this.inbox.ear.listens = listens;
    Object.assign(this.known, { resume: null, report: null, gap: 0, moved: false });
    this.keep();
  }

  // --- down -------------------------------------------------------------------------------------------------

  frame(data) {
    let message;
    try {
      message = decode(data);
    } catch (error) {
      this.tell("error", { code: "bad_message", message: error instanceof Error ? error.message : String(error) });
      return;
    }
    if (message.type === "audio") {
      this.sound(message);
    } else if (Number.isInteger(message.seq)) {
      this.sequenced(message);
    } else {
      this.console("down", message);
      this.handle(message);
    }
  }

  sound(frame) {
    const { pcm, ...header } = frame;
    this.console("down", { ...header, bytes: pcm.byteLength });
    const sound = this.inbox.media(frame);
    if (sound) {
      this.tell("audio", sound);
      if (!this.inbox.ear.listens) {
        this.keep();
      }
    }
  }

  sequenced(message) {
    let what = this.inbox.control(message.seq);
    if (what === "gap") {
      if (this.known.gap !== message.seq) {
        this.known.gap = message.seq;
        this.link.restart("a message was missing");
        return;
      }
      this.inbox.seq = message.seq; // asked again, the server has no more than this
      what = "take";
    }
    if (what === "take") {
      this.console("down", message);
      this.handle(message);
      this.keep();
      if (this.inbox.unacknowledged >= ACKNOWLEDGE_AFTER) {
        this.acknowledge();
      } else if (!this.timers.has("acknowledge") && !this.known.over) {
        this.timers.start("acknowledge", ACKNOWLEDGE_WITHIN, () => this.acknowledge());
      }
    }
  }

  handle(message) {
    const { type, seq, ...detail } = message;
    switch (type) {
      case "hello":
        return this.begin(message);
      case "closed":
        return this.end("server", message.reason, null);
      case "received":
        this.outbox.received(message.n);
        return this.expect();
      case "queue":
        this.link.established();
        break;
      case "role":
        this.known.speaker = message.role === "speaker";
        break;
      case "error":
        this.refused(message.n);
        break;
    }
    this.tell(type, type === "event" ? message.event : detail);
  }

  refused(n) {
    const message = this.outbox.refused(n);
    this.expect();
    if (message) {
      this.tell("refused", message);
    }
  }

  begin(hello) {
    if (!hello.resumed) {
      if (this.known.resume !== null) {
        this.forget();
      }
      this.sender.restart();
    }
    const first = this.known.hello === null; // on this page
    this.known.reconnects += first ? 0 : 1;
    Object.assign(this.known, {
      hello,
      resume: hello.resume,
      speaker: hello.role === "speaker",
      ready: true,
      refused: false,
    });
    this.link.established();
    this.keep();
    const how = !hello.resumed ? "restart" : first ? "renumber" : "resume";
    const waiting = this.outbox[how](hello.received);
    this.tell("hello", hello);
    waiting.forEach((message) => this.send(message));
    this.sendReport();
    this.sender.release().forEach((media) => this.sendMedia(media));
    this.expect();
  }

  // --- small parts ------------------------------------------------------------------------------------------

  send(message) {
    this.console("up", message);
    this.link.send(encodeControl(message));
  }

  sendMedia(media) {
    if (media) {
      this.console("up", { type: "media", ...media.header });
      this.link.send(media.frame);
    }
  }

  sendReport() {
    const { report, ready, speaker } = this.known;
    if (report && ready && speaker) {
      this.send({ type: "playback", ...report });
    }
  }

  acknowledge() {
    this.timers.stop("acknowledge");
    if (this.known.ready && this.inbox.unacknowledged > 0) {
      this.send({ type: "ack", seq: this.inbox.acknowledge() });
    }
  }

  /** A network that is gone often says nothing: what is not acknowledged in time tells. */
  expect() {
    this.timers.stop("answer");
    if (this.known.ready && this.outbox.waiting.length > 0) {
      this.timers.start("answer", ANSWERED_WITHIN, () => this.link.restart("the server does not answer"));
    }
  }

  keep() {
    this.kept.write(this.ticket);
  }

  console(direction, message) {
    const shown = message.resume === undefined ? message : { ...message, resume: "…" }; // as good as a password
    this.tell("message", { direction, at: this.clock.now(), message: shown });
  }
}
