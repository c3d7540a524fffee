// The numbers of a conversation, and how they are shown.

export class Figures {
  constructor() {
    this.firstSounds = [];
    this.voiceToSilence = []; // seconds from the user's voice to the agent's silence
    this.flushes = []; // seconds from the interruption's arrival to silence
    this.interruptions = 0;
    this.reconnects = 0;
    this.turns = 0;
    this.calls = 0;
    this.tokensIn = 0;
    this.tokensOut = 0;
    this.prices = { in: 0, out: 0 };
  }

  firstSound(seconds) {
    this.firstSounds.push(seconds);
  }

  silenced(flush, voice) {
    if (flush !== null) this.flushes.push(flush);
    if (voice !== null && voice < 5) this.voiceToSilence.push(voice);
  }

  tokens({ promptTokenCount = 0, candidatesTokenCount, responseTokenCount, totalTokenCount }) {
    const out = candidatesTokenCount ?? responseTokenCount ?? Math.max(0, (totalTokenCount ?? 0) - promptTokenCount);
    this.tokensIn += promptTokenCount;
    this.tokensOut += out;
  }

  get cost() {
    return (this.tokensIn * this.prices.in + this.tokensOut * this.prices.out) / 1e6;
  }

  /** The figures as `[label, value, note]`; what there is nothing of yet is "–". */
  rows() {
    const rows = [
      ["First sound", seconds(this.firstSounds.at(-1)), median(this.firstSounds, "after your last word")],
      ["Barge-in", seconds(this.voiceToSilence.at(-1)), this.#bargeNote()],
      ["Turns", String(this.turns), `${this.interruptions} cut off`],
      ["Tool calls", String(this.calls), ""],
      ["Reconnects", String(this.reconnects), ""],
      ["Tokens", short(this.tokensIn + this.tokensOut), `${short(this.tokensIn)} in, ${short(this.tokensOut)} out`],
    ];
    if (this.prices.in || this.prices.out) rows.push(["Cost", this.cost.toFixed(4), "at the prices in Settings"]);
    return rows;
  }

  #bargeNote() {
    if (this.flushes.length === 0) return "from your voice to silence";
    return `from your voice to silence; player silent in ${(this.flushes.at(-1) * 1000).toFixed(0)} ms`;
  }

  /** The few that stand beside the timeline. */
  summary() {
    const shown = [];
    if (this.firstSounds.length) shown.push(["First sound", seconds(this.firstSounds.at(-1))]);
    if (this.voiceToSilence.length) shown.push(["Barge-in", seconds(this.voiceToSilence.at(-1))]);
    if (this.calls) shown.push(["Tools", String(this.calls)]);
    if (this.reconnects) shown.push(["Reconnects", String(this.reconnects)]);
    if (this.tokensIn + this.tokensOut) shown.push(["Tokens", short(this.tokensIn + this.tokensOut)]);
    return shown;
  }
}

export function showFigures(panel, figures) {
  if (!changed(panel, figures.rows())) return;
  const list = document.createElement("dl");
  for (const [label, value, note] of figures.rows()) {
    const row = list.appendChild(document.createElement("div"));
    row.appendChild(document.createElement("dt")).textContent = label;
    const told = row.appendChild(document.createElement("dd"));
    told.textContent = value;
    if (note) told.appendChild(document.createElement("small")).textContent = note;
  }
  panel.replaceChildren(list);
}

export function showSummary(line, figures) {
  if (!changed(line, figures.summary())) return;
  const parts = figures.summary().map(([label, value]) => {
    const part = document.createElement("span");
    part.append(`${label} `);
    part.appendChild(document.createElement("b")).textContent = value;
    return part;
  });
  line.replaceChildren(...parts);
}

const shown = new WeakMap();

/** Whether a place shows something else by now: what is there is left alone, also under a reader's cursor. */
function changed(place, what) {
  const text = JSON.stringify(what);
  if (shown.get(place) === text) return false;
  shown.set(place, text);
  return true;
}

function seconds(value) {
  return value === undefined ? "–" : `${value.toFixed(2)} s`;
}

function median(values, note) {
  if (values.length < 2) return note;
  const sorted = [...values].sort((a, b) => a - b);
  return `${note}; median of ${values.length}: ${seconds(sorted[Math.floor(values.length / 2)])}`;
}

function short(count) {
  return count < 10_000 ? String(count) : `${(count / 1000).toFixed(1)}k`;
}
