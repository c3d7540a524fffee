// The page: what is told by the conversation is shown, and what the user does is told to it.

import { Console } from "./console.js";
import { Controls } from "./controls.js";
import { ConversationView } from "./conversation.js";
import { showFigures, showSummary } from "./figures.js";
import { History } from "./history.js";
import { Past } from "./past.js";
import { wireSettings } from "./settings.js";
import { Talk, identity, now } from "./talk.js";
import { Timeline } from "./timeline.js";
import { Trouble } from "./trouble.js";

const $ = (id) => document.getElementById(id);
const base = new URL("./", document.baseURI.split("#")[0]);
const { token, user } = whoAsks();
const trouble = new Trouble($("trouble"));
const events = new Console($("events"));
let about = { name: "the agent", description: "", suggestions: [], app: "" };
let shownStory = null; // a story of the past that is looked at; null for now
let voice = false; // the user is heard

const talk = new Talk({ base, user, token, told: (type, detail) => HEARD[type]?.(detail) });
const story = () => shownStory ?? talk.story;
const view = new ConversationView($("conversation"), $("stage"), () => story().lanes.first);
const timeline = new Timeline({
  canvas: $("canvas"), scrub: $("scrub"), live: $("live"), tip: $("tip"),
  now, lanes: () => story().lanes, seek: (seconds) => past.seek(seconds),
});
const controls = new Controls({ talk, trouble, begin, changed: () => showState() });
const past = new Past({ timeline, view, show: showPast, bar: $("past"), text: $("past-text"), play: $("play") });

/** Says who the user is: by a token after `#`, or a name of this browser's own. */
function whoAsks() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (told.has("token")) {
    sessionStorage.setItem("antiphon.token", told.get("token"));
    history.replaceState(null, "", location.pathname + location.search); // tokens do not belong in histories
  }
  const token = sessionStorage.getItem("antiphon.token");
  let user = told.get("user");
  try {
    user ??= token && JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    // Not a JWT: the server knows whose it is, and refuses another's name.
  }
  const place = token ? sessionStorage : localStorage;
  user ??= place.getItem("antiphon.user") ?? `guest-${identity().slice(0, 8)}`;
  place.setItem("antiphon.user", user);
  return { token, user };
}

// --- what the conversation tells ----------------------------------------------------------------------------

const HEARD = {
  entry(entry) {
    if (!shownStory) {
      view.show(entry);
      if (entry.text || entry.picture || entry.kind !== "user") showTalk();
    }
    showState();
  },
  announce({ text, what }) {
    if (what === "words" && talk.conversation?.hello?.capabilities.audio_output && !talk.player.blocked) return;
    const line = document.createElement("span");
    line.textContent = `${text} `;
    $("said").append(line);
    while ($("said").childElementCount > 6) $("said").firstElementChild.remove();
  },
  hello(hello) {
    for (const what of ["away", "line"]) trouble.clear(what);
    controls.can(hello.capabilities);
    showState();
  },
  state({ state, before }) {
    if (before === "reconnecting" || state === "listening") trouble.clear("away");
    timeline.running = talk.begun;
    showState();
  },
  queue(place) {
    trouble.line(place);
    showState();
  },
  reconnecting(detail) {
    trouble.reconnecting(detail);
    showState(detail);
  },
  closed(detail) {
    const { session } = talk;
    timeline.running = false;
    talk.forget();
    controls.ended();
    trouble.closed(detail, { anew: () => startAnew(), again: session && (() => past.look(archive(), { id: session }, new Date())) });
    showState();
  },
  role({ role }) {
    if (role === "watcher") trouble.watching(() => talk.conversation.take());
    else trouble.clear("watching");
    showState();
  },
  message: ({ direction, message, at }) => events.take(direction, message, at),
  level: (level) => controls.level(level),
  voice(speaks) {
    voice = speaks;
    showState();
  },
  muted: () => controls.showMicrophone(),
  stopped({ reason }) {
    controls.showMicrophone();
    if (reason === "unplugged") trouble.show("device", "The microphone is gone", "Plug it in again, or choose another one in Settings.");
  },
  hidden: () => controls.hidden(),
  refused: (error) => trouble.show("device", "The page cannot make a sound", error.message),
};

const CHATTY = new Set(["listening", "hearing", "speaking", "thinking", "interrupted"]);

function showState(detail) {
  const [kind, text] = stateNow(detail);
  if ($("state").dataset.state !== kind) {
    $("state").dataset.state = kind;
    $("state").ariaLive = CHATTY.has(kind) ? "off" : "polite"; // who listens hears who speaks
  }
  if ($("state-text").textContent !== text) $("state-text").textContent = text;
  $("stop").hidden = !(kind === "speaking" || kind === "thinking");
  document.title = talk.begun ? `${text} · ${about.name}` : `${about.name} · Antiphon`;
}

function stateNow(detail) {
  const { conversation } = talk;
  if (!conversation) return ["idle", "Ready"];
  const running = talk.story.entries.findLast((entry) => entry.kind === "tool" && entry.status === "running");
  switch (conversation.state) {
    case "connecting":
      return ["connecting", "Connecting"];
    case "in line":
      return ["waiting", `In line, place ${conversation.queue?.position ?? ""} of ${conversation.queue?.length ?? ""}`];
    case "reconnecting":
      return ["reconnecting", detail?.attempt > 1 ? `Reconnecting, attempt ${detail.attempt}` : "Reconnecting"];
    case "thinking":
      return ["thinking", running ? `Uses ${running.name}` : "Thinking"];
    case "speaking":
      return ["speaking", `${talk.story.agent ?? about.name} speaks`];
    case "interrupted":
      return ["interrupted", "Interrupted"];
    case "closed":
      return ["idle", "Ended"];
    default:
      if (conversation.role === "watcher") return ["idle", "Watching"];
      if (!talk.listening) return ["idle", "Ready"];
      return voice ? ["hearing", "Hears you"] : ["listening", "Listening"];
  }
}

// --- beginning ----------------------------------------------------------------------------------------------

function begin() {
  if (document.body.dataset.phase === "welcome") document.body.dataset.phase = "listening";
  if (shownStory) past.leave();
  talk.begin();
  timeline.running = true;
}

function showTalk() {
  if (document.body.dataset.phase === "talk") return;
  document.body.dataset.phase = "talk";
  $("timeline").hidden = false;
}

function startAnew() {
  talk.forget();
  location.reload();
}

async function introduce() {
  try {
    about = { ...about, ...(await (await fetch(new URL("page/agent.json", base))).json()) };
  } catch {
    trouble.show("away", "The server is away", "Start it again, then reload this page. If you started it yourself, look at the terminal it runs in.", [["Reload", () => location.reload()]]);
  }
  for (const place of document.querySelectorAll("[data-agent-name]")) place.textContent = about.name;
  $("description").textContent = about.description;
  for (const suggestion of about.suggestions) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: suggestion });
    button.addEventListener("click", () => {
      begin();
      talk.say(suggestion);
      $("message").focus();
    });
    $("suggestions").appendChild(document.createElement("li")).append(button);
  }
  document.querySelector(".openers").hidden = about.suggestions.length === 0;
  showState();
  $("start").disabled = false;
}

/** After a reload: shows what was said, and goes on where it was. */
async function comeBack() {
  talk.restore();
  begin();
  await controls.comeBack();
  if (talk.player.blocked) {
    trouble.show("sound", "Click to hear the agent again", "After a reload, browsers keep pages silent until you do something here.", [["Hear it", () => talk.begin()]], true);
    addEventListener("pointerdown", () => talk.begin(), { once: true });
    addEventListener("keydown", () => talk.begin(), { once: true });
  }
}

// --- the past, panels, drawing ------------------------------------------------------------------------------

function showPast(told) {
  shownStory = told;
  if (told) trouble.clear("closed");
  document.body.dataset.phase = told || talk.story.entries.length ? "talk" : talk.begun ? "listening" : "welcome";
  $("timeline").hidden = document.body.dataset.phase !== "talk";
  timeline.running = !told && talk.begun;
  view.clear();
  for (const entry of story().entries) view.show(entry);
  figures();
}

function archive() {
  const headers = () => (token ? { Authorization: `Bearer ${token}` } : {});
  return new History({ base, app: about.app, user, headers });
}

function figures() {
  if (!$("inspector").hidden) showFigures($("figures"), story().figures);
  showSummary($("summary"), story().figures);
}

function chooseTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  events.reveal(name === "events" && !$("inspector").hidden);
  figures();
}

function wirePanels() {
  let tab = "figures";
  const choose = (name) => chooseTab((tab = name));
  $("inspect").addEventListener("click", () => {
    $("inspector").hidden = !$("inspector").hidden;
    $("inspect").setAttribute("aria-expanded", String(!$("inspector").hidden));
    choose(tab);
    timeline.draw();
  });
  for (const button of document.querySelectorAll("[role=tab]")) {
    button.addEventListener("click", () => choose(button.id.slice(4)));
    button.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      choose(tab === "figures" ? "events" : "figures");
      $(`tab-${tab}`).focus();
    });
  }
  $("timeline-fold").addEventListener("click", () => {
    const body = $("timeline-body");
    body.hidden = !body.hidden;
    $("timeline-fold").setAttribute("aria-expanded", String(!body.hidden));
    timeline.draw();
  });
  $("zoom-in").addEventListener("click", () => timeline.zoom(-1));
  $("zoom-out").addEventListener("click", () => timeline.zoom(1));
  $("live").addEventListener("click", () => timeline.follow());
  $("history-open").addEventListener("click", () => {
    past.open($("history"), archive(), talk.begun ? talk.session : null);
  });
  $("past-leave").addEventListener("click", () => past.leave());
  $("end").addEventListener("click", () => {
    $("settings").close();
    talk.end();
  });
  document.querySelector(".brand").addEventListener("click", () => talk.end());
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
}

function drawAll() {
  talk.follow();
  view.move();
  events.draw();
  if (timeline.running || past.playing) {
    past.move();
    timeline.draw();
  }
  requestAnimationFrame(drawAll);
}

wirePanels();
wireSettings({ talk, controls, timeline, figures });
controls.wire();
setInterval(() => {
  view.tick(now());
  figures();
}, 200);
addEventListener("resize", () => timeline.draw());
requestAnimationFrame(drawAll);
await introduce();
if (talk.left) await comeBack();
document.documentElement.dataset.ready = "true";
// For tests and for consoles: what the page holds, to look at.
globalThis.antiphon = { talk, timeline, events, view };
