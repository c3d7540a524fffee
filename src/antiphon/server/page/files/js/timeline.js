// The timeline: both voices, tools, interruptions and waits, drawn as they happen; scrolled back, and played again.

import { BIN } from "./lanes.js";

const WIDTHS = [10, 20, 40, 80, 160, 320, 640, 1280]; // seconds that are seen at once

export class Timeline {
  /** `now()` is the page's clock; `lanes()` what is drawn; `seek(seconds)` is told where somebody clicked. */
  constructor({ canvas, scrub, live, tip, now, lanes, seek }) {
    Object.assign(this, { canvas, scrub, live, tip, now, lanes, seek });
    this.context = canvas.getContext("2d");
    this.width = 2; // an index of WIDTHS
    this.right = null; // seconds at the right edge, counted from the beginning; null follows the conversation
    this.head = null; // where a recording plays, counted from the beginning
    this.running = false;
    this.colours = null;
    this.#listen();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  recolour() {
    this.colours = null;
    this.draw();
  }

  zoom(steps) {
    this.width = Math.min(WIDTHS.length - 1, Math.max(0, this.width + steps));
    this.draw();
  }

  follow() {
    this.right = null;
    this.draw();
  }

  /** So that all of a stored conversation is seen, as far as that is useful. */
  fit() {
    const index = WIDTHS.findIndex((width) => width >= this.length);
    this.width = index < 0 ? WIDTHS.length - 1 : Math.min(index, 4);
    this.right = this.running ? null : WIDTHS[this.width];
    this.draw();
  }

  get length() {
    const { first, last } = this.lanes();
    return first === null ? 0 : (this.running ? Math.max(this.now(), last) : last) - first;
  }

  get seen() {
    return WIDTHS[this.width];
  }

  get edge() {
    return this.right ?? Math.max(this.length + this.seen * 0.04, this.seen);
  }

  get start() {
    return this.edge - this.seen;
  }

  #listen() {
    const { canvas, scrub } = this;
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.clientX, right: this.edge, moved: false };
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("held");
    });
    canvas.addEventListener("pointermove", (event) => {
      this.#tell(event);
      if (!held) return;
      const moved = event.clientX - held.x;
      if (Math.abs(moved) > 4) held.moved = true;
      if (held.moved) this.#show(held.right - (moved / canvas.clientWidth) * this.seen);
    });
    canvas.addEventListener("pointerup", (event) => {
      canvas.classList.remove("held");
      if (held && !held.moved) this.seek(this.#secondsAt(event.offsetX));
      held = null;
    });
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("wheel", (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
      if (event.ctrlKey) this.zoom(Math.sign(event.deltaY));
      else if (sideways) this.#show(this.edge + (sideways / canvas.clientWidth) * this.seen);
      else return;
      event.preventDefault();
    }, { passive: false });
    scrub.addEventListener("input", () => {
      const wanted = Number(scrub.value);
      if (this.head !== null) this.seek(wanted);
      else this.#show(wanted);
    });
  }

  #show(right) {
    const end = Math.max(this.length + this.seen * 0.04, this.seen);
    this.right = right >= end ? null : Math.max(right, this.seen * 0.5);
    this.draw();
  }

  #secondsAt(x) {
    return this.start + (x / this.canvas.clientWidth) * this.seen;
  }

  #tell(event) {
    const { clientWidth, clientHeight } = this.canvas;
    const lane = event.offsetY < clientHeight * 0.36 ? "user" : event.offsetY < clientHeight * 0.76 ? "agent" : "tools";
    const lanes = this.lanes();
    const at = (lanes.first ?? 0) + this.#secondsAt(event.offsetX);
    const told = lanes.first === null ? null : lanes.told(lane, at, (this.seen / clientWidth) * 4);
    this.tip.hidden = !told;
    if (!told) return;
    this.tip.textContent = told.length > 140 ? `${told.slice(0, 139)}…` : told;
    const half = Math.min(144, clientWidth / 2);
    this.tip.style.left = `${Math.min(clientWidth - half, Math.max(half, event.offsetX))}px`;
    this.tip.style.top = `${event.offsetY - 10}px`;
  }

  draw() {
    const { canvas, context } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.colours ??= colours();
    const lanes = this.lanes();
    const first = lanes.first ?? this.now();
    const scale = width / this.seen;
    const x = (at) => (at - first - this.start) * scale;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const sketch = { context, x, width, height, scale, colours: this.colours, end: first + this.length, lanes };
    sketch.from = first + this.start;
    sketch.to = first + this.edge;
    rows(sketch);
    ticks(sketch, this.start, this.seen);
    away(sketch);
    user(sketch);
    agent(sketch, this.running);
    tools(sketch);
    cuts(sketch);
    waits(sketch);
    if (this.running && this.right === null) line(sketch, first + this.length, this.colours.soft, [2, 3]);
    if (this.head !== null) line(sketch, first + this.head, this.colours.ink, []);
    this.#controls(lanes);
  }

  #controls(lanes) {
    const { scrub } = this;
    scrub.max = this.length.toFixed(1);
    if (document.activeElement !== scrub || this.head !== null) scrub.value = (this.head ?? Math.min(this.edge, this.length)).toFixed(1);
    scrub.setAttribute("aria-valuetext", `${Math.round(Number(scrub.value))} of ${Math.round(this.length)} seconds`);
    this.live.hidden = this.right === null || !this.running;
    const counts = `${lanes.user.length} times you, ${lanes.agent.length} times the agent, ${lanes.tools.length} tool calls, ${lanes.cuts.length} interruptions`;
    const label = `Who spoke when: ${counts}`;
    if (this.canvas.getAttribute("aria-label") !== label) this.canvas.setAttribute("aria-label", label);
  }
}

// Resolved here, because a canvas knows no custom properties.
function colours() {
  const probe = document.body.appendChild(document.createElement("i"));
  const found = {};
  for (const name of ["sunk", "ink", "soft", "line", "you", "you-wash", "agent", "agent-wash", "tool", "tool-wash", "cut"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

const laneOf = ({ height }) => ({ user: height * 0.17, agent: height * 0.55, tools: height * 0.77, half: height * 0.145 });

function visible(sketch, one) {
  return (one.to ?? sketch.end) >= sketch.from && one.from <= sketch.to;
}

function rows(sketch) {
  const { context, width, colours } = sketch;
  const lane = laneOf(sketch);
  context.fillStyle = colours.line;
  for (const y of [lane.user, lane.agent]) context.fillRect(0, Math.round(y), width, 1);
}

function ticks({ context, width, height, scale, colours }, start, seen) {
  const step = [1, 2, 5, 10, 30, 60, 120, 300].find((one) => one * scale > 64) ?? 300;
  context.font = "11px Inter, sans-serif";
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  for (let at = Math.max(0, Math.ceil(start / step) * step); at < start + seen; at += step) {
    const x = (at - start) * scale;
    if (x > width - 24) continue;
    context.fillStyle = colours.line;
    context.fillRect(Math.round(x), 0, 1, height - 14);
    context.fillStyle = colours.soft;
    context.fillText(`${Math.floor(at / 60)}:${String(at % 60).padStart(2, "0")}`, x + 3, height - 3);
  }
}

function away(sketch) {
  const { context, x, height, colours, lanes, end } = sketch;
  for (const gap of lanes.gaps.filter((one) => visible(sketch, one))) {
    context.fillStyle = colours["tool-wash"];
    context.fillRect(x(gap.from), 0, Math.max(2, x(gap.to ?? end) - x(gap.from)), height - 14);
  }
}

function pill(context, x, y, width, height, radius = Math.min(height / 2, width / 2)) {
  context.beginPath();
  context.roundRect(x, y, Math.max(width, 1.5), height, radius);
  context.fill();
}

function bars(sketch, y, half, points, colour) {
  const { context, scale } = sketch;
  const each = Math.max(1.2, BIN * scale * 0.62);
  context.fillStyle = colour;
  for (const [left, value] of apart(points)) {
    const tall = Math.max(1, Math.min(1, value ** 0.7 * 1.15) * half);
    pill(context, left, y - tall, each, tall * 2);
  }
}

/** Of points that would stand on each other the highest, so that an hour is drawn as fast as a minute. */
function* apart(points) {
  let [place, most] = [-Infinity, 0];
  for (const [left, value] of points) {
    if (left - place < 2) most = Math.max(most, value);
    else {
      if (most) yield [place, most];
      [place, most] = [left, value];
    }
  }
  if (most) yield [place, most];
}

function user(sketch) {
  const { context, x, colours, lanes, end } = sketch;
  const { user: y, half } = laneOf(sketch);
  context.fillStyle = colours["you-wash"];
  for (const span of lanes.user.filter((one) => visible(sketch, one))) {
    pill(context, x(span.from), y - half, x(span.to ?? end) - x(span.from), half * 2, 5);
  }
  const points = lanes.levels.filter(({ at, level }) => at >= sketch.from - 1 && at <= sketch.to && level > 0.004);
  bars(sketch, y, half * 0.92, points.map(({ at, level }) => [x(at), level]), colours.you);
  if (!points.length) {
    context.fillStyle = colours.you;
    for (const span of lanes.user.filter((one) => visible(sketch, one))) {
      pill(context, x(span.from), y - half * 0.35, x(span.to ?? end) - x(span.from), half * 0.7);
    }
  }
  dots(sketch, "user", y, colours.you);
}

function dots(sketch, lane, y, colour) {
  const { context, x, lanes } = sketch;
  context.fillStyle = colour;
  for (const point of lanes.points) {
    if (point.lane !== lane || point.at < sketch.from || point.at > sketch.to) continue;
    context.save();
    context.translate(x(point.at), y);
    context.rotate(Math.PI / 4);
    context.fillRect(-4, -4, 8, 8);
    context.restore();
  }
}

function agent(sketch, running) {
  const { context, x, colours, lanes, end } = sketch;
  const { agent: y, half } = laneOf(sketch);
  for (const span of lanes.agent) {
    const to = span.to ?? Math.max(end, span.from + (running ? span.received : 0));
    if (to < sketch.from || span.from > sketch.to) continue;
    const heard = span.stream === null ? to : Math.min(to, span.from + span.played);
    context.fillStyle = colours["agent-wash"];
    pill(context, x(span.from), y - half, x(span.to ?? span.from + span.received) - x(span.from), half * 2, 5);
    const within = span.bins.map((value, bin) => [span.from + bin * BIN, value]).filter(([at]) => at >= sketch.from - 1 && at <= Math.min(sketch.to, span.to ?? Infinity));
    if (within.length) {
      bars(sketch, y, half * 0.92, within.filter(([at]) => at <= heard).map(([at, value]) => [x(at), value]), colours.agent);
      context.globalAlpha = 0.35;
      bars(sketch, y, half * 0.92, within.filter(([at]) => at > heard).map(([at, value]) => [x(at), value]), colours.agent);
      context.globalAlpha = 1;
    } else {
      context.fillStyle = colours.agent;
      pill(context, x(span.from), y - half * 0.35, x(to) - x(span.from), half * 0.7);
    }
  }
  dots(sketch, "agent", y, colours.agent);
}

function tools(sketch) {
  const { context, x, colours, lanes, end, height } = sketch;
  const { tools: top } = laneOf(sketch);
  const tall = Math.max(4, height * 0.045);
  context.font = "600 10px Inter, sans-serif";
  context.textBaseline = "middle";
  for (const tool of lanes.tools.filter((one) => visible(sketch, { from: one.from - 8, to: (one.to ?? end) + 8 }))) {
    const y = top + tool.row * (tall + 2);
    const left = x(tool.from);
    const right = Math.max(left + 4, x(tool.to ?? end));
    context.fillStyle = tool.failed ? colours.cut : colours.tool;
    pill(context, left, y, right - left, tall);
    context.fillText(tool.name, right + 5, y + tall / 2);
  }
}

function waits(sketch) {
  const { context, x, colours, lanes, height } = sketch;
  const lane = laneOf(sketch);
  const y = (lane.user + lane.agent) / 2;
  context.font = "600 11px Inter, sans-serif";
  context.textBaseline = "middle";
  for (const wait of lanes.latencies.filter((one) => visible(sketch, one))) {
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.25;
    context.beginPath();
    context.moveTo(x(wait.from), y - height * 0.05);
    context.lineTo(x(wait.from), y);
    context.lineTo(x(wait.to), y);
    context.lineTo(x(wait.to), y + height * 0.05);
    context.stroke();
    const label = `${(wait.to - wait.from).toFixed(2)} s`;
    context.fillStyle = colours.sunk;
    context.fillRect(x(wait.to) + 3, y - 7, context.measureText(label).width + 4, 14);
    context.fillStyle = colours.ink;
    context.fillText(label, x(wait.to) + 5, y);
  }
}

function cuts(sketch) {
  const { context, x, colours, lanes, height } = sketch;
  for (const { at } of lanes.cuts) {
    if (at < sketch.from || at > sketch.to) continue;
    const left = x(at);
    context.strokeStyle = context.fillStyle = colours.cut;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(left, height * 0.02);
    context.lineTo(left, height * 0.7);
    context.stroke();
    context.beginPath();
    context.arc(left, height * 0.03 + 2, 3.5, 0, 7);
    context.fill();
  }
}

function line({ context, x, height }, at, colour, dash) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x(at), 0);
  context.lineTo(x(at), height - 14);
  context.stroke();
  context.setLineDash([]);
}
