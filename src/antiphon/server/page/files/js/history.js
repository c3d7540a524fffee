// Earlier sessions over REST: listed, looked at, deleted, and heard again where they were recorded.

import { Story } from "./story.js";

export class History {
  /** `headers()` says who asks. */
  constructor({ base, app, user, headers }) {
    this.base = base;
    this.app = app;
    this.user = user;
    this.headers = headers;
  }

  #address(...path) {
    const parts = ["apps", this.app, "users", this.user, "sessions", ...path];
    return new URL(parts.map(encodeURIComponent).join("/"), this.base);
  }

  async #get(address, options = {}) {
    let answer;
    try {
      answer = await fetch(address, { ...options, headers: this.headers() });
    } catch {
      throw new Error("The server cannot be reached. Try again when it is back.");
    }
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw new Error(told.detail ?? `The server answered ${answer.status}.`);
    }
    return answer;
  }

  /** Sessions of this user, the newest first. */
  async list() {
    const sessions = await (await this.#get(this.#address())).json();
    return sessions.sort((a, b) => (b.lastUpdateTime ?? 0) - (a.lastUpdateTime ?? 0));
  }

  async events(session) {
    return (await (await this.#get(this.#address(session))).json()).events ?? [];
  }

  async remove(session) {
    await this.#get(this.#address(session), { method: "DELETE" });
  }

  /** The last recording of a session as `{address, from}`; null if there is none. `from`: when it begins. */
  async recording(session, events) {
    const names = await (await this.#get(this.#address(session, "artifacts"))).json().catch(() => []);
    for (const event of [...events].reverse()) {
      const name = Object.keys(event.actions?.artifactDelta ?? {}).find((one) => one.endsWith("/conversation.wav"));
      if (!name || !names.includes(name)) continue;
      const address = new URL(`${this.#address(session, "artifacts")}/${name.split("/").map(encodeURIComponent).join("/")}/content`);
      const sound = await this.#get(address);
      const bytes = await sound.arrayBuffer();
      const blob = new Blob([bytes], { type: "audio/wav" });
      return { address: URL.createObjectURL(blob), bytes, ended: event.timestamp };
    }
    return null;
  }
}

/** A stored session as a story; voices are as long as their recording, or as their words would take. */
export function retold(events, changed) {
  const story = new Story({ changed, stored: true });
  for (const event of events) story.event(event, event.timestamp);
  for (const span of story.lanes.user) span.to ??= span.from + length(span.text);
  for (const span of story.lanes.agent) if (span.to - span.from < length(span.text)) span.to = span.from + length(span.text);
  for (const entry of story.entries) changed(Object.assign(entry, { open: false, done: true }));
  return story;
}

function length(text) {
  return Math.max(0.5, text.length * 0.065);
}

/** Draws a recording's two voices in place of what was guessed: the user is left, the agent right. */
export async function voices(story, { bytes, ended }) {
  const context = new OfflineAudioContext(2, 1, 8000);
  const sound = await context.decodeAudioData(bytes.slice(0));
  const from = ended - sound.duration;
  const { lanes } = story;
  lanes.touch(from);
  lanes.levels = levels(sound.getChannelData(0), sound.sampleRate).map(([at, level]) => ({ at: from + at, level }));
  if (sound.numberOfChannels > 1) {
    lanes.user = stretches(lanes.levels).map((span) => ({ ...span, text: nearest(lanes.user, span) }));
    const agent = levels(sound.getChannelData(1), sound.sampleRate).map(([at, level]) => ({ at: from + at, level }));
    const told = lanes.agent;
    lanes.agent = stretches(agent).map(({ from: began, to }) => ({
      from: began, to, who: story.agent, stream: 0, cut: false, text: nearest(told, { from: began, to }), received: to - began, played: to - began,
      bins: agent.filter(({ at }) => at >= began && at < to).map(({ level }) => level),
    }));
  }
  lanes.touch(ended);
  return { from, duration: sound.duration };
}

function levels(samples, rate) {
  const size = Math.round(rate * 0.05);
  const found = [];
  for (let start = 0; start < samples.length; start += size) {
    let most = 0;
    for (let index = start; index < Math.min(samples.length, start + size); index += 4) most = Math.max(most, Math.abs(samples[index]));
    found.push([start / rate, most * 0.6]);
  }
  return found;
}

function stretches(points) {
  const found = [];
  for (const { at, level } of points) {
    if (level < 0.02) continue;
    const newest = found.at(-1);
    if (newest && at - newest.to < 0.6) newest.to = at + 0.05;
    else found.push({ from: at, to: at + 0.05 });
  }
  return found.filter(({ from, to }) => to - from > 0.15);
}

function nearest(spans, { from, to }) {
  const overlap = (one) => Math.min(one.to ?? to, to) - Math.max(one.from, from);
  const best = [...spans].sort((a, b) => overlap(b) - overlap(a))[0];
  return best && overlap(best) > -2 ? best.text : "";
}
