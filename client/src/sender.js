// Media up: numbered as it leaves, kept for a moment while the connection is away, shed when it is slow. Pure.

import { JPEG, PCM, PNG, encodeMedia } from "./wire.js";

const KEPT = 2000; // ms of sound that still make sense after a break
export const SLOW = 128 * 1024; // bytes that wait in the socket: 4 s of 16 kHz sound
const KINDS = { "image/jpeg": JPEG, "image/png": PNG };

export class MediaSender {
  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.now = now;
    this.dropped = 0;
    this.lastImage = -Infinity;
    /** @type {Array<{data: Int16Array, rate: number, time: number}>} */
    this.backlog = [];
    this.held = 0; // ms
    this.restart();
  }

  /** Another conversation begins. */
  restart() {
    this.number = 0;
    /** @type {number | null} */
    this.first = null;
  }

  /**
   * The frame to send, or null: kept while there is no connection, left out when the network does not keep up.
   * @param {Int16Array} data @param {number} rate Hz
   * @param {{open: boolean, buffered: number}} link
   */
  audio(data, rate, link) {
    if (!link.open) {
      this.keep({ data, rate, time: this.now() });
      return null;
    }
    if (link.buffered > SLOW) {
      this.dropped += 1;
      return null;
    }
    return this.frame(PCM, data, rate, this.now());
  }

  /**
   * @param {Uint8Array} data @param {"image/jpeg" | "image/png"} mimeType
   * @param {{open: boolean, buffered: number}} link
   * @param {{images_per_second?: number, media_bytes?: number}} limits the server's
   */
  image(data, mimeType, link, { images_per_second = 2, media_bytes = Infinity }) {
    const kind = KINDS[mimeType];
    if (kind === undefined) {
      throw new TypeError(`Images are image/jpeg or image/png, not ${mimeType}.`);
    }
    // A little under the limit: what leaves evenly may arrive closer together.
    const early = this.now() - this.lastImage < 900 / images_per_second;
    if (!link.open || link.buffered > SLOW || early || data.byteLength + 16 > media_bytes) {
      this.dropped += 1;
      return null;
    }
    this.lastImage = this.now();
    return this.frame(kind, data, 0, this.now());
  }

  /** What was kept while the connection was away, oldest first. */
  release() {
    const kept = this.backlog;
    this.backlog = [];
    this.held = 0;
    return kept.map(({ data, rate, time }) => this.frame(PCM, data, rate, time));
  }

  /** @param {{data: Int16Array, rate: number, time: number}} sound */
  keep(sound) {
    this.backlog.push(sound);
    this.held += length(sound);
    while (this.held > KEPT) {
      this.held -= length(/** @type {typeof sound} */ (this.backlog.shift()));
      this.dropped += 1;
    }
  }

  frame(kind, data, rate, time) {
    const number = this.number;
    this.number += 1;
    this.first ??= time;
    const at = Math.max(0, Math.round(time - this.first));
    return { header: { kind, rate, number, at, bytes: data.byteLength }, frame: encodeMedia({ kind, rate, number, at, data }) };
  }
}

/** @param {{data: Int16Array, rate: number}} sound @returns {number} milliseconds */
function length({ data, rate }) {
  return (1000 * data.length) / rate;
}
