// A WebSocket that comes back: tries again with growing pauses, at once when the browser is online again.

import { SUBPROTOCOL } from "./wire.js";

/** What a client closes with to come back: 1000 would give up the grace time (protocol 6.1). */
const COMING_BACK = 4000;
const TOKEN = "antiphon.token."; // protocol 8.2

/** @type {import("./index.d.ts").Clock} */
export const CLOCK = {
  now: () => performance.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(/** @type {any} */ (timer)),
};

/**
 * Milliseconds before attempt `attempt` (from 1): doubling, with chance, so that a server's clients do not come all at once.
 * @param {number} attempt
 * @param {number} chance from 0 to 1
 * @param {{first: number, longest: number}} bounds
 */
export function pause(attempt, chance, { first, longest }) {
  return Math.min(longest, first * 2 ** (attempt - 1)) * (0.5 + chance / 2);
}

/** @param {string} text @returns {string} without padding */
function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  const base64 = btoa(String.fromCharCode(...bytes));
  return base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * @typedef {{
 *   opened: () => void,
 *   frame: (data: string | ArrayBuffer) => void,
 *   broken: (code: number, reason: string) => "retry" | "now" | "end",
 *   retrying: (attempt: number, delay: number, reason: string) => void,
 *   gaveUp: (reason: string) => void,
 * }} Listener
 */

export class Link {
  /**
   * @param {string} url
   * @param {Listener} listener
   * @param {import("./index.d.ts").ConversationOptions} options
   */
  constructor(url, listener, options) {
    this.url = url;
    this.listener = listener;
    this.options = options;
    this.bounds = { first: 250, longest: 8000, giveUp: 300_000, ...options.reconnect };
    this.clock = options.clock ?? CLOCK;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.since = 0;
    /** @type {unknown} */
    this.timer = null;
    this.running = false;
    this.network = options.network ?? (typeof addEventListener === "function" ? globalThis : null);
    this.online = () => this.hurry();
    this.offline = () => this.restart("the network is away");
  }

  start() {
    this.running = true;
    this.since = this.clock.now();
    this.network?.addEventListener("online", this.online);
    this.network?.addEventListener("offline", this.offline);
    void this.dial();
  }

  /** The conversation goes on by this socket: the next break starts counting anew. */
  established() {
    this.attempt = 0;
    this.since = this.clock.now();
  }

  get open() {
    return this.socket !== null && this.socket.readyState === 1;
  }

  /** Bytes that the network has not taken yet. */
  get buffered() {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** @param {string | ArrayBuffer} frame left out when there is no connection */
  send(frame) {
    if (this.open) {
      this.socket?.send(frame);
    }
  }

  /** Leaves this socket for another one, at once. @param {string} reason for people */
  restart(reason) {
    if (this.running && this.socket) {
      this.drop(COMING_BACK);
      this.again(0, reason);
    }
  }

  /** @param {number} [code] 1000 ends the conversation's grace too */
  stop(code = 1000) {
    this.running = false;
    this.clock.clearTimeout(this.timer);
    this.network?.removeEventListener("online", this.online);
    this.network?.removeEventListener("offline", this.offline);
    this.drop(code);
  }

  /** Does not wait for the pause to be over. */
  hurry() {
    if (this.running && !this.socket) {
      this.clock.clearTimeout(this.timer);
      void this.dial();
    }
  }

  /** @param {number} code */
  drop(code) {
    const socket = this.socket;
    this.socket = null; // what it says from now on is not listened to
    socket?.close(code);
  }

  async dial() {
    const turn = {};
    this.timer = turn; // another dial, a pause or an end meanwhile takes its place
    let protocols;
    try {
      protocols = await this.protocols();
    } catch (error) {
      if (this.running && this.timer === turn) {
        this.fell(0, `there is no token (${error instanceof Error ? error.message : error})`);
      }
      return;
    }
    if (!this.running || this.timer !== turn) {
      return;
    }
    const Socket = this.options.WebSocket ?? WebSocket;
    const socket = new Socket(this.url, protocols);
    socket.binaryType = "arraybuffer";
    const mine = () => this.socket === socket;
    socket.onopen = () => mine() && this.listener.opened();
    socket.onmessage = ({ data }) => mine() && this.listener.frame(data);
    socket.onclose = ({ code, reason }) => {
      if (mine()) {
        this.socket = null;
        this.fell(code, reason);
      }
    };
    this.socket = socket;
  }

  async protocols() {
    const { token } = this.options;
    const told = typeof token === "function" ? await token() : token;
    return told ? [SUBPROTOCOL, TOKEN + base64url(told)] : [SUBPROTOCOL];
  }

  fell(code, reason) {
    const what = this.listener.broken(code, reason);
    if (what !== "end" && this.running) {
      this.again(what === "now" && this.attempt === 0 ? 0 : undefined, reason || "the connection broke");
    }
  }

  /** @param {number | undefined} delay @param {string} reason */
  again(delay, reason) {
    if (this.attempt === 0) {
      this.since = this.clock.now();
    }
    if (this.clock.now() - this.since >= this.bounds.giveUp) {
      this.listener.gaveUp(reason);
      return;
    }
    this.attempt += 1;
    const wait = delay ?? pause(this.attempt, (this.options.random ?? Math.random)(), this.bounds);
    this.timer = this.clock.setTimeout(() => void this.dial(), wait);
    this.listener.retrying(this.attempt, wait, reason);
  }
}
