// Where a conversation's ticket lies, so that a page that is loaded again comes back.

import { SUBPROTOCOL } from "./wire.js";

export class Kept {
  /** @param {import("./index.d.ts").ConversationOptions["storage"]} storage @param {string} url */
  constructor(storage, url) {
    this.storage = storage;
    this.key = `${SUBPROTOCOL} ${url}`;
  }

  /** @returns {import("./index.d.ts").Ticket | null} */
  read() {
    try {
      const found = JSON.parse(this.storage?.getItem(this.key) ?? "null");
      return typeof found?.resume === "string" && Number.isInteger(found.seq) ? found : null;
    } catch {
      return null; // not ours, or not allowed
    }
  }

  /** @param {import("./index.d.ts").Ticket | null} ticket null takes it away */
  write(ticket) {
    try {
      if (ticket) {
        this.storage?.setItem(this.key, JSON.stringify(ticket));
      } else {
        this.storage?.removeItem(this.key);
      }
    } catch {
      // Full, or not allowed: the conversation goes on; only a page that is loaded again begins anew.
    }
  }
}
