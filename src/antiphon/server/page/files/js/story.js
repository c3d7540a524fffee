// What happened in a conversation, as people see it: entries to read and spans to look at. Knows no page and no clock.
//
// `at` is seconds since the epoch, by one clock for all. Live and stored events are told by the same `event`.

import { Figures } from "./figures.js";
import { Lanes } from "./lanes.js";

const HIDDEN_CALLS = new Set(["transfer_to_agent", "task_completed"]);

export class Story {
  /** `stored`: pieces, and all that is not stored (contract 4.2), are missing. */
  constructor({ changed = () => {}, announced = () => {}, stored = false } = {}) {
    this.stored = stored;
    this.entries = [];
    this.lanes = new Lanes();
    this.figures = new Figures();
    this.agent = null;
    this.changed = changed; // an entry is new, or other than it was
    this.announced = announced; // a sentence for those who do not see
    this.calls = new Map();
    this.byEvent = new Map(); // id of a finished transcript's event → its entry
    this.answer = null; // what the agent is saying
    this.heard = null; // what the user is saying
    this.stream = null; // the answer that sound comes for
    this.asked = null; // since when the user waits for an answer
    this.lastLoud = -Infinity;
    this.begun = new Set(); // answers whose first sound was heard
  }

  // --- what the user does -----------------------------------------------------------------------------------

  typed(text, at) {
    this.heard = null;
    this.asked = at;
    this.lanes.typed(text, at);
    this.#add({ kind: "user", text, at, typed: true, open: false });
  }

  shown(source, picture, at) {
    this.lanes.point("user", `showed the ${source}`, at);
    this.#add({ kind: "user", text: "", picture, source, at, open: false });
  }

  /** The microphone hears the user at `at`: where the latest such moment lies, waiting for an answer begins. */
  loud(at) {
    this.asked = this.lastLoud = at;
  }

  // --- what the player does ---------------------------------------------------------------------------------

  audio(stream, position, pcm, rate, at) {
    if (this.stream !== stream) {
      this.stream = stream;
      if (this.answer && this.answer.stream === null) this.answer.stream = stream;
    }
    if (this.answer && this.answer.stream === stream) this.answer.received = position + (pcm.length * 1000) / rate;
    this.lanes.sound(stream, position, pcm, rate, at, this.answer?.who ?? this.agent);
  }

  playing(stream, at) {
    this.lanes.playing(stream, at);
    if (this.begun.has(stream)) return this.#sounds(stream);
    this.begun.add(stream);
    if (this.asked !== null && at - this.asked < 20) {
      this.figures.firstSound(at - this.asked);
      this.lanes.latency(this.asked, at);
    }
    this.asked = null;
    this.#sounds(stream);
  }

  #sounds(stream) {
    const { played } = this.lanes.streams.get(stream) ?? { played: 0 };
    for (const entry of this.#of(stream)) {
      this.#change(entry, { sounding: true, played: Math.min(entry.played, played * 1000) });
    }
  }

  played(stream, milliseconds, at) {
    this.lanes.played(stream, milliseconds, at);
    for (const entry of this.#of(stream)) entry.played = milliseconds;
  }

  idle(stream, at) {
    this.lanes.idle(stream, at);
    for (const entry of this.#of(stream)) this.#change(entry, { sounding: false, played: Infinity });
  }

  /** Silence since `silent`; the interruption reached the page at `told`, the user's voice began at `voiceBegan`. */
  flushed(stream, silent, { voiceBegan = null, told = null } = {}) {
    this.lanes.flushed(stream, silent);
    const voice = voiceBegan === null ? null : Math.max(0, silent - voiceBegan);
    this.figures.silenced(told === null ? null : Math.max(0, silent - told), voice);
    for (const entry of this.#of(stream)) this.#change(entry, { sounding: false });
  }

  #of(stream) {
    return this.entries.filter((entry) => entry.kind === "agent" && entry.stream === stream);
  }

  // --- the connection ---------------------------------------------------------------------------------------

  away(_, at) {
    this.lanes.away(at);
  }

  back(_, at) {
    this.lanes.back(at);
    this.figures.reconnects += 1;
  }

  /** The conversation was given up in the middle, and another begins. */
  lost(_, at) {
    if (this.answer) this.#cut({}, at);
    if (this.answer) this.#over(at);
    this.heard = null;
  }

  notice(text, at, level = "info") {
    this.#add({ kind: "notice", text, level, at });
    this.announced(text);
  }

  // --- what the agent's events tell ---------------------------------------------------------------------------

  event(event, at) {
    const { lifecycle, voiceActivity, content } = event;
    if (voiceActivity) this.#voice(voiceActivity, at);
    if (event.inputTranscription) this.#said(event, at);
    if (event.outputTranscription) this.#words(event, event.outputTranscription.text ?? "", at);
    for (const part of content?.parts ?? []) this.#part(part, event, at);
    if (event.usageMetadata) this.figures.tokens(event.usageMetadata);
    if (event.actions?.transferToAgent) this.#handover(event, at);
    if (event.errorCode) {
      const text = event.errorMessage ? `${event.errorMessage} (${event.errorCode})` : event.errorCode;
      this.#add({ kind: "notice", text, level: "error", at });
    }
    if (event.interrupted) this.#cut(event, at);
    if (event.turnComplete) this.#over(at);
    if (lifecycle) this.#lifecycle(lifecycle, at);
  }

  #voice({ voiceActivityType }, at) {
    if (voiceActivityType === "ACTIVITY_START") {
      this.lanes.userBegan(at);
      if (!this.heard) this.heard = this.#add({ kind: "user", text: "", at, open: true, finished: false });
    } else if (voiceActivityType === "ACTIVITY_END") {
      this.lanes.userEnded(at);
      if (at - this.lastLoud > 3) this.asked = at; // the microphone was not heard here
    }
  }

  #said(event, at) {
    const { text = "", finished } = event.inputTranscription;
    if (!this.heard) {
      this.lanes.userBegan(at - 0.3);
      this.heard = this.#add({ kind: "user", text: "", at, open: true });
    }
    const entry = this.heard;
    const whole = event.partial === false || finished;
    this.#change(entry, { text: whole ? text : entry.text + text, open: !whole });
    if (whole) {
      this.heard = null;
      this.lanes.userSaid(text, at);
      if (!text.trim()) this.#remove(entry);
    }
  }

  #part(part, event, at) {
    if (part.functionCall) this.#call(part.functionCall, event, at);
    else if (part.functionResponse) this.#result(part.functionResponse, at);
    else if (part.text && event.content.role === "user") {
      this.lanes.typed(part.text, at);
      this.#add({ kind: "user", text: part.text, at, typed: true, open: false });
    } else if (part.text && part.thought) this.#thought(part.text, event, at);
    else if (part.text) this.#words(event, part.text, at, "text");
  }

  #words(event, text, at, channel = "speech") {
    if (event.amends) {
      const entry = this.byEvent.get(event.amends);
      if (entry) {
        this.byEvent.set(event.id, entry);
        this.#change(entry, { heardText: text, cut: true, done: true });
      }
      return;
    }
    this.heard = this.#closeHeard();
    const entry = this.answer ?? this.#begin(event.author, at);
    if (event.partial) {
      entry.pieces.push({ text, at: entry.stream === null ? 0 : entry.received });
      this.#change(entry, { channel });
      return;
    }
    if (event.id) this.byEvent.set(event.id, entry);
    const generated = entry.pieces.map((piece) => piece.text).join("");
    if (!generated.startsWith(text) || !event.interrupted) entry.pieces = whole(entry.pieces, generated, text);
    if (event.interrupted) entry.heardText = text;
    this.#change(entry, { final: true, channel });
  }

  #thought(text, event, at) {
    const entry = this.answer ?? this.#begin(event.author, at);
    this.#change(entry, { thought: event.partial ? entry.thought + text : text });
  }

  #begin(who, at) {
    this.agent = who;
    const pieces = [];
    const { received = 0, played = 0 } = this.lanes.streams.get(this.stream) ?? {};
    const sound = { stream: this.stream, received: received * 1000, played: played * 1000 };
    const entry = { kind: "agent", who, at, pieces, thought: "", ...sound };
    Object.assign(entry, { done: false, cut: false, sounding: false, heardText: null, channel: "speech" });
    this.answer = this.#add(entry);
    return entry;
  }

  #closeHeard() {
    if (this.heard?.text) this.#change(this.heard, { open: false });
    return this.heard?.text ? null : this.heard;
  }

  #cut(event, at) {
    const last = this.stored ? null : this.entries.findLast((one) => one.kind === "agent");
    const entry = this.answer ?? last; // one that is over may still be heard
    if (!entry || (entry.cut && entry.done)) return;
    if (!entry.cut) {
      this.lanes.cut(at, entry.stream);
      this.figures.interruptions += 1;
    }
    this.#change(entry, { cut: true, reason: event.errorCode ?? null });
  }

  #over(at) {
    if (this.answer) {
      const entry = this.answer;
      this.answer = null;
      this.lanes.answered(entry, at);
      this.#change(entry, { done: true, ended: at });
      const text = spoken(entry);
      if (text) this.announced(entry.cut ? `${entry.who}, cut off: ${text}` : `${entry.who}: ${text}`, "words");
    }
    this.stream = null;
    this.figures.turns += 1;
  }

  #call({ id, name, args = {} }, event, at) {
    if (HIDDEN_CALLS.has(name)) return;
    if (this.answer) this.#segment(at);
    const long = (event.longRunningToolIds ?? []).includes(id);
    const entry = { kind: "tool", id, name, args, status: "running", long, at, ended: null, result: null };
    this.calls.set(id, this.#add(entry));
    this.lanes.called(id, name, at);
    this.figures.calls += 1;
    this.announced(`Calls ${name}`);
  }

  /** What is said after a call stands below the call's card, and goes on in the same stream. */
  #segment(at) {
    const { stream } = this.answer;
    this.#change(this.answer, { done: true, ended: at });
    this.answer = null;
    this.stream = stream;
  }

  #result({ id, name, response, willContinue }, at) {
    const entry = this.calls.get(id);
    if (!entry) return;
    const failed = Boolean(response && typeof response === "object" && response.error);
    const status = willContinue || (entry.long && entry.result === null) ? "running" : failed ? "failed" : "done";
    if (status !== "running") this.lanes.returned(id, at, failed);
    this.#change(entry, { result: response, status, ended: status === "running" ? null : at });
    if (status !== "running") this.announced(`${name} ${failed ? "failed" : "is done"}`);
  }

  #handover(event, at) {
    const to = event.actions.transferToAgent;
    if (this.answer) this.#segment(at);
    this.agent = to;
    this.lanes.handover(to, at);
    this.#add({ kind: "handover", from: event.author, to, at });
    this.announced(`${to} takes over`);
  }

  #lifecycle({ kind, reason, count, callIds, resumed }, at) {
    if (kind === "tool_cancelled") {
      for (const id of callIds ?? []) {
        const entry = this.calls.get(id);
        if (!entry || entry.status !== "running") continue;
        this.lanes.returned(id, at, true);
        this.#change(entry, { status: "cancelled", ended: at });
      }
    } else if (kind === "reconnecting") this.lanes.point("agent", "model reconnects", at);
    else if (kind === "reconnected") this.lanes.point("agent", resumed ? "model resumed" : "model begun anew", at);
    else if (kind === "overloaded") this.notice(`Left out, because it was too much: ${count ?? ""} ${reason ?? ""}`, at, "error");
    else if (kind === "toolset_unavailable") this.notice(reason ?? "Some tools are not there.", at, "error");
  }

  #add(entry) {
    this.lanes.touch(entry.at);
    entry.key = this.entries.length ? this.entries.at(-1).key + 1 : 1;
    this.entries.push(entry);
    this.changed(entry);
    return entry;
  }

  #change(entry, values) {
    Object.assign(entry, values);
    this.changed(entry);
  }

  #remove(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.changed(Object.assign(entry, { gone: true }));
  }
}

/** The pieces with the finished text in place of theirs, where it is another. */
function whole(pieces, generated, text) {
  if (generated === text) return pieces;
  if (text.startsWith(generated)) return [...pieces, { text: text.slice(generated.length), at: pieces.at(-1)?.at ?? 0 }];
  return [{ text, at: 0 }];
}

/** What counts as said: less than was generated, where it was cut off and what was heard is known. */
export function spoken(entry) {
  return entry.heardText ?? entry.pieces.map((piece) => piece.text).join("");
}

/** How many characters of the answer were heard by now, by the player's clock. */
export function reached(entry) {
  const { pieces, played, received } = entry;
  const length = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
  if (entry.stream === null) return entry.done || entry.channel === "text" ? length : 0;
  if (played === Infinity) return length;
  let before = 0;
  for (let index = 0; index < pieces.length; index++) {
    const { text, at } = pieces[index];
    const next = pieces.slice(index + 1).find((piece) => piece.at > at)?.at ?? received;
    if (played < next) {
      const share = next > at ? Math.max(0, (played - at) / (next - at)) : 0;
      return before + Math.round(text.length * Math.min(1, share));
    }
    before += text.length;
  }
  return length;
}
