// The conversation as a list to read: what was said by whom, where it was cut off, and what tools do meanwhile.

import { reached } from "./story.js";

export class ConversationView {
  /** `began` gives the conversation's beginning in seconds, for the times that are shown. */
  constructor(list, scroller, began) {
    this.list = list;
    this.scroller = scroller;
    this.began = began;
    this.items = new Map();
    this.moving = new Set(); // answers that are being heard
    this.following = true;
    scroller.addEventListener("scroll", () => {
      this.following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    });
  }

  clear() {
    this.list.replaceChildren();
    this.items.clear();
    this.moving.clear();
    this.following = true;
  }

  show(entry) {
    let item = this.items.get(entry.key);
    if (entry.gone) {
      item?.remove();
      this.items.delete(entry.key);
      return;
    }
    if (!item) {
      item = document.createElement("li");
      this.items.set(entry.key, item);
      this.list.append(item);
      MAKE[entry.kind](item, entry, this.#time(entry.at));
    }
    UPDATE[entry.kind]?.(item, entry);
    if (entry.kind === "agent" && (entry.sounding || (entry.stream !== null && !entry.cut && entry.played !== Infinity))) this.moving.add(entry);
    this.#follow();
  }

  /** Once per picture on the screen: captions go with the voice. */
  move() {
    for (const entry of this.moving) {
      const item = this.items.get(entry.key);
      if (item) caption(item, entry);
      if (entry.cut || entry.played === Infinity) this.moving.delete(entry);
    }
  }

  /** Running tools count their seconds. */
  tick(now) {
    for (const item of this.list.querySelectorAll(".card.running")) {
      item.querySelector(".took").textContent = took(now - Number(item.dataset.from));
    }
  }

  #time(at) {
    const began = this.began();
    return clock(began === null ? 0 : at - began);
  }

  #follow() {
    if (this.following) this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function took(seconds) {
  return seconds < 10 ? `${Math.max(0, seconds).toFixed(seconds < 1 ? 2 : 1)} s` : `${Math.round(seconds)} s`;
}

function part(parent, tag, name, text = "") {
  const element = parent.appendChild(document.createElement(tag));
  if (name) element.className = name;
  element.textContent = text;
  return element;
}

function heading(item, who, time) {
  const line = part(item, "p", "who", who);
  part(line, "time", "", time);
}

const MAKE = {
  user(item, entry, time) {
    item.className = "entry user";
    heading(item, entry.source ? `You show the ${entry.source}` : "You", time);
    if (entry.picture) {
      const image = item.appendChild(document.createElement("img"));
      image.src = entry.picture;
      image.alt = `What the agent was shown of your ${entry.source}`;
    } else part(item, "p", "words");
  },
  agent(item, entry, time) {
    item.className = "entry agent";
    heading(item, entry.who, time);
    part(item, "p", "thought").hidden = true;
    const words = part(item, "p", "words");
    for (const name of ["heard", "mark", "ahead"]) part(words, "span", name);
  },
  tool(item, entry, time) {
    item.className = "entry";
    const card = part(item, "details", "card");
    card.dataset.name = entry.name;
    card.dataset.from = entry.at;
    const summary = part(card, "summary");
    part(summary, "span", "sign").setAttribute("aria-hidden", "true");
    const call = part(summary, "span", "call");
    part(call, "span", "name", entry.name);
    part(call, "span", "args", brief(entry.args));
    part(call, "span", "brief").hidden = true;
    part(summary, "span", "sr", "running");
    part(summary, "span", "took");
    part(card, "pre").tabIndex = 0;
    card.title = `Called at ${time}`;
  },
  handover(item, entry) {
    item.className = "entry handover";
    part(item, "span", "", `${entry.from} hands over to ${entry.to}`);
  },
  notice(item, entry) {
    item.className = `entry notice ${entry.level}`;
    item.textContent = entry.text;
  },
};

const UPDATE = {
  user(item, entry) {
    item.classList.toggle("open", entry.open);
    const words = item.querySelector(".words");
    if (words) words.textContent = entry.text;
  },
  agent(item, entry) {
    item.classList.toggle("speaking", entry.sounding);
    item.classList.toggle("cut", entry.cut);
    const thought = item.querySelector(".thought");
    thought.hidden = !entry.thought;
    thought.textContent = entry.thought;
    caption(item, entry);
  },
  tool(item, entry) {
    const card = item.firstChild;
    card.className = `card ${entry.status}`;
    card.querySelector(".sr").textContent = entry.status;
    const seen = card.querySelector(".brief");
    seen.hidden = entry.result === null;
    seen.textContent = entry.result === null ? "" : brief(entry.result);
    card.querySelector(".took").textContent = took((entry.ended ?? entry.at) - entry.at);
    card.querySelector("pre").textContent = JSON.stringify({ arguments: entry.args, result: entry.result }, null, 2);
  },
};

/** Shows what was heard, where it was cut off, and what is still to be said or was never said. */
function caption(item, entry) {
  const [heard, mark, ahead] = item.querySelector(".words").children;
  const all = entry.pieces.map((piece) => piece.text).join("");
  const known = entry.heardText !== null && all.startsWith(entry.heardText);
  if (entry.heardText !== null && !known) {
    set(heard, entry.heardText);
    set(ahead, "");
  } else {
    const length = known && entry.heardText !== all ? entry.heardText.length : reached(entry);
    set(heard, all.slice(0, length));
    set(ahead, all.slice(length));
  }
  set(mark, entry.cut ? (entry.reason === "GUARDRAIL" ? "held back" : "cut off") : "");
  mark.className = entry.cut ? "cutmark" : "";
  ahead.className = entry.cut ? "unsaid" : "ahead";
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A value in a line: `city: Paris, celsius: 22`. */
export function brief(value) {
  if (value === null || typeof value !== "object") return String(value ?? "");
  if (Array.isArray(value)) return value.map(brief).join(", ");
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] === "result" || keys[0] === "error")) return brief(value[keys[0]]);
  return keys.map((key) => `${key}: ${brief(value[key])}`).join(", ");
}

