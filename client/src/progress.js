// What the conversation is doing, for people to see: a pure function of what happens.

/**
 * @typedef {import("./index.d.ts").State} State
 * @typedef {{
 *   link: "connecting" | "in line" | "open" | "reconnecting" | "closed",
 *   floor: "listening" | "thinking" | "speaking" | "interrupted",
 *   answering: boolean,
 *   sounding: boolean,
 *   audible: boolean,
 * }} Progress
 * `answering`: the agent's turn is not complete. `sounding`: the player plays. `audible`: there is a player that tells.
 */

/** @type {Progress} */
export const BEGIN = { link: "connecting", floor: "listening", answering: false, sounding: false, audible: false };

/** @param {Progress} progress @returns {State} */
export function shown({ link, floor }) {
  return link === "open" ? floor : link;
}

/**
 * @param {Progress} now
 * @param {{type: string, event?: import("./index.d.ts").AgentEvent}} happening
 * @returns {Progress}
 */
export function next(now, { type, event }) {
  switch (type) {
    case "connecting":
    case "in line":
    case "reconnecting":
    case "closed":
      return { ...now, link: type };
    case "open":
      return { ...now, link: "open" };
    case "new":
      return { ...BEGIN, link: "open", audible: now.audible };
    case "asked":
      return { ...now, answering: true, floor: now.sounding ? now.floor : "thinking" };
    case "refused":
      return now.floor === "thinking" ? { ...now, answering: false, floor: "listening" } : now;
    case "user speaks":
      return now.sounding ? now : { ...now, floor: "listening" };
    case "audio":
      return { ...now, floor: "speaking", sounding: now.audible };
    case "cut":
      return now.floor === "listening" && !now.sounding && !now.answering
        ? now
        : { ...now, floor: "interrupted", answering: false, sounding: false };
    case "silent":
      return { ...quiet({ ...now, sounding: false }) };
    case "rested":
      return now.floor === "interrupted" ? { ...now, floor: "listening" } : now;
    case "event":
      return event ? read(now, event) : now;
    default:
      return now;
  }
}

/** Nothing sounds: either more is to come, or the floor is the user's. @param {Progress} now @returns {Progress} */
function quiet(now) {
  return now.floor === "speaking" ? { ...now, floor: now.answering ? "thinking" : "listening" } : now;
}

/** @param {Progress} now @param {import("./index.d.ts").AgentEvent} event @returns {Progress} */
function read(now, event) {
  if (event.interrupted) {
    return next(now, { type: "cut" });
  }
  if (event.turnComplete) {
    const answering = event.interactionStatus === "IN_PROGRESS";
    if (now.sounding || now.floor === "interrupted") {
      return { ...now, answering };
    }
    return { ...now, answering, floor: answering ? "thinking" : "listening" };
  }
  if (event.inputTranscription) {
    return event.inputTranscription.finished
      ? next(now, { type: "asked" })
      : next(now, now.floor === "interrupted" ? { type: "" } : { type: "user speaks" });
  }
  if (event.lifecycle || event.author === "user") {
    return now;
  }
  const parts = event.content?.parts ?? [];
  if (parts.some((part) => part.functionCall || part.functionResponse || part.thought)) {
    return { ...now, answering: true, floor: now.sounding ? now.floor : "thinking" };
  }
  if (event.partial && (event.outputTranscription || parts.some((part) => part.text))) {
    return { ...now, answering: true, floor: "speaking" };
  }
  return now;
}
