// Why a connection ended and what follows from it (protocol 7.2).

/** @typedef {import("./index.d.ts").CloseReason} CloseReason */

/** A conversation that is over. `reason` is for programs, the message for people. */
export class ConversationClosed extends Error {
  /** @param {CloseReason} reason @param {string} detail @param {number | null} code */
  constructor(reason, detail, code) {
    super(detail);
    this.name = "ConversationClosed";
    this.reason = reason;
    this.code = code;
  }
}

/** @type {Record<number, [CloseReason, string]>} */
const ENDS = {
  1000: ["server", "The conversation is over."],
  1002: ["refused", "The server does not speak antiphon.v1: check the address."],
  1003: ["refused", "The server does not take what was sent."],
  1007: ["refused", "The server could not read what was sent."],
  1008: ["not_allowed", "The server does not let you in: sign in again, and open the page from an address that it allows."],
  1009: ["refused", "What was sent is too long for the server: send it in parts."],
  1013: ["queue_full", "The line is full: try again later."],
  4001: ["elsewhere", "The conversation goes on in another window."],
  4008: ["idle", "Nothing was said for long: connect again to go on."],
  4029: ["refused", "More was sent than the server takes."],
};

export const UNKNOWN_CONVERSATION = 4004;
const NOT_ALLOWED = 1008;
const FULL = 1013;

/**
 * What a closed socket means: null to try again.
 * @param {number} code
 * @param {string} reason what the server said
 * @param {{begun: boolean, freshToken: boolean}} client `begun`: it was in a conversation, so a full server is one that
 * moves. `freshToken`: the next attempt has a token that this one had not.
 * @returns {{reason: CloseReason, detail: string} | null}
 */
export function ending(code, reason, { begun, freshToken }) {
  const end = ENDS[code];
  if (end === undefined || (code === FULL && begun) || (code === NOT_ALLOWED && freshToken)) {
    return null;
  }
  return { reason: end[0], detail: reason || end[1] };
}
