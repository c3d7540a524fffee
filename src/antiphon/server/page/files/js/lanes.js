// The timeline's contents: spans, points and sound of the two voices and the tools. Drawn by `timeline.js`.

const BIN = 0.05; // seconds of sound that one bar stands for

export class Lanes {
  constructor() {
    this.first = null; // when the conversation began
    this.last = null;
    this.user = []; // {from, to, text}
    this.agent = []; // {from, to, who, stream, cut, text, bins, received, played}
    this.tools = []; // {from, to, name, id, failed, row}
    this.points = []; // {lane, text, at}
    this.cuts = []; // {at}
    this.latencies = []; // {from, to}
    this.gaps = []; // {from, to}: the connection was away
    this.levels = []; // {at, level}: the microphone
    this.streams = new Map();
  }

  touch(at) {
    this.first = this.first === null ? at : Math.min(this.first, at);
    this.last = this.last === null ? at : Math.max(this.last, at);
  }

  level(level, at) {
    this.touch(at);
    const newest = this.levels.at(-1);
    if (newest && at - newest.at < BIN) newest.level = Math.max(newest.level, level);
    else this.levels.push({ at, level });
    if (this.levels.length > 72_000) this.levels.splice(0, 12_000); // an hour
  }

  userBegan(at) {
    this.touch(at);
    if (this.user.length > 0 && this.user.at(-1).to === null) return;
    let from = at; // the server tells it when it is sure: the microphone knows since when
    for (const heard of this.levels.slice(-24).reverse()) {
      if (at - heard.at > 1.2 || heard.level < 0.01) break;
      from = heard.at;
    }
    this.user.push({ from, to: null, text: "" });
  }

  userEnded(at) {
    this.touch(at);
    const newest = this.user.at(-1);
    if (newest && newest.to === null) newest.to = at;
  }

  userSaid(text, at) {
    this.userEnded(at);
    const newest = this.user.at(-1);
    if (newest) newest.text = newest.text ? `${newest.text} ${text}` : text;
  }

  typed(text, at) {
    this.point("user", `typed: ${text}`, at);
  }

  point(lane, text, at) {
    this.touch(at);
    this.points.push({ lane, text, at });
  }

  sound(stream, position, pcm, rate, at, who) {
    this.touch(at);
    let span = this.streams.get(stream);
    if (!span) {
      span = { from: at, to: null, who, stream, cut: false, text: "", bins: [], received: 0, played: 0, begun: false };
      this.streams.set(stream, span);
      this.agent.push(span);
    }
    span.received = Math.max(span.received, position / 1000 + pcm.length / rate);
    for (let index = 0; index < pcm.length; index += 8) {
      const bin = Math.floor((position / 1000 + index / rate) / BIN);
      const value = Math.abs(pcm[index]) / 32768;
      if (!(span.bins[bin] >= value)) span.bins[bin] = value;
    }
  }

  playing(stream, at) {
    const span = this.streams.get(stream);
    if (!span) return;
    if (!span.begun) Object.assign(span, { from: at, begun: true });
    span.to = null; // after a gap in the middle it goes on
  }

  played(stream, milliseconds) {
    const span = this.streams.get(stream);
    if (span) span.played = milliseconds / 1000;
  }

  idle(stream, at) {
    const span = this.streams.get(stream);
    if (span && span.to === null) Object.assign(span, { to: at, played: span.received });
    this.touch(at);
  }

  flushed(stream, at) {
    const span = this.streams.get(stream);
    if (span && span.to === null) Object.assign(span, { to: at, cut: true });
    this.touch(at);
  }

  cut(at) {
    this.touch(at);
    this.cuts.push({ at });
  }

  /** An answer is whole. One without sound of its own is as long as it took to write, or would take to say. */
  answered(entry, at) {
    const text = entry.heardText ?? entry.pieces.map((piece) => piece.text).join("");
    const span = this.streams.get(entry.stream);
    if (span) span.text = span.text ? `${span.text} ${text}` : text;
    else if (text) {
      const to = Math.max(at, entry.at + 0.3);
      this.agent.push({ from: entry.at, to, who: entry.who, stream: null, cut: entry.cut, text, bins: [], received: to - entry.at, played: to - entry.at });
    }
  }

  called(id, name, at) {
    this.touch(at);
    const row = [0, 1, 2].find((r) => !this.tools.some((tool) => tool.row === r && (tool.to ?? Infinity) > at - 1.2)) ?? 0;
    this.tools.push({ from: at, to: null, name, id, failed: false, row });
  }

  returned(id, at, failed) {
    this.touch(at);
    const tool = this.tools.find((one) => one.id === id);
    if (tool && tool.to === null) Object.assign(tool, { to: at, failed });
  }

  handover(to, at) {
    this.point("agent", `${to} takes over`, at);
  }

  latency(from, to) {
    this.latencies.push({ from, to });
  }

  away(at) {
    this.touch(at);
    if (this.gaps.at(-1)?.to !== null || this.gaps.length === 0) this.gaps.push({ from: at, to: null });
  }

  back(at) {
    const gap = this.gaps.at(-1);
    if (gap && gap.to === null) gap.to = at;
  }

  /** What lies at `at` in `lane`, in words; null for nothing. */
  told(lane, at, slack) {
    const near = (one) => Math.abs(one.at - at) < slack;
    const inside = (one) => at >= one.from - slack && at <= (one.to ?? this.last) + slack;
    const seconds = (one) => `${((one.to ?? this.last) - one.from).toFixed(2)} s`;
    const cut = this.cuts.find(near);
    if (cut && lane !== "tools") return "Cut in here";
    const point = this.points.find((one) => one.lane === lane && near(one));
    if (point) return point.text;
    if (lane === "tools") {
      const tool = this.tools.findLast(inside);
      return tool ? `${tool.name}, ${seconds(tool)}${tool.failed ? ", failed" : ""}` : null;
    }
    const span = this[lane].findLast(inside);
    if (span) return `${span.who ?? "You"}, ${seconds(span)}${span.text ? `: ${span.text}` : ""}`;
    const wait = this.latencies.find(inside);
    return wait ? `Answer heard after ${seconds(wait)}` : null;
  }
}

export { BIN };
