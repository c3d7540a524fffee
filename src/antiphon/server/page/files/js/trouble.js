// What is wrong, and what to do about it, in the words of people.

const MICROPHONE = {
  refused: ["The browser may not use the microphone", "Click the icon at the left of the address, allow the microphone, and try again. You can type meanwhile."],
  dismissed: ["The microphone was not allowed yet", "Try again and choose “Allow” when the browser asks. You can type meanwhile."],
  no_device: ["No microphone was found", "Plug one in or switch it on, then try again. You can type meanwhile."],
  busy: ["Another program uses the microphone", "Close it, or choose another microphone in Settings. You can type meanwhile."],
  insecure: ["Browsers give the microphone only to safe addresses", "Open this page by https://, or on this machine by http://127.0.0.1 or http://localhost. You can type meanwhile."],
};

const CLOSED = {
  client: "The conversation is over",
  server: "The conversation is over",
  elsewhere: "This conversation goes on in another window",
  not_allowed: "The server does not let you in",
  queue_full: "Too many people wait already",
  idle: "Nothing was said for a long time",
  unreachable: "The server cannot be reached",
  refused: "The server refused what was sent",
};

const OVER = new Set(["client", "server", "idle"]);

export class Trouble {
  constructor(panel) {
    this.panel = panel;
    this.what = null;
  }

  /** `actions` is a list of `[label, callback]`; `calm`: nothing is broken. */
  show(what, title, text, actions = [], calm = false) {
    this.what = what;
    const { panel } = this;
    panel.replaceChildren();
    panel.classList.toggle("calm", calm);
    panel.appendChild(document.createElement("h2")).textContent = title;
    panel.appendChild(document.createElement("p")).textContent = text;
    const row = panel.appendChild(document.createElement("div"));
    row.className = "actions";
    for (const [label, callback] of [...actions, ["Close", () => {}]]) {
      const button = row.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", className: "plain", textContent: label });
      button.addEventListener("click", () => {
        this.clear();
        callback();
      });
    }
    panel.hidden = false;
    panel.parentElement.scrollTop = panel.parentElement.scrollHeight; // it stands below what was said
  }

  device(error, again) {
    const known = error.device === "microphone" ? MICROPHONE[error.code] : null;
    const [title, text] = known ?? [`The ${error.device ?? "device"} cannot be used`, error.message];
    this.show("device", title, text, [["Try again", again]]);
  }

  /** `anew` begins another conversation; `again` shows this one from the record, where there may be one. */
  closed({ reason, detail }, { anew, again }) {
    const actions = [["Talk again", anew]];
    if (again && OVER.has(reason)) actions.push(["Look back at it", again]);
    this.show("closed", CLOSED[reason] ?? CLOSED.client, detail, actions, OVER.has(reason) || reason === "elsewhere");
  }

  line({ position, length }) {
    const before = position === 1 ? "You are next" : `${position - 1} before you`;
    this.show("line", `You are in line: ${before}`, `All places are taken, and ${length} wait. You begin by yourself when it is your turn; what you type is kept.`, [], true);
  }

  watching(take) {
    this.show("watching", "Another window talks", "This one watches the same conversation.", [["Talk here instead", take]], true);
  }

  reconnecting({ attempt, reason }) {
    if (attempt < 3) return;
    const why = reason ? ` (${reason})` : "";
    this.show(
      "away",
      "The server is away",
      `Trying to reach it again, attempt ${attempt}${why}. What you type is kept and sent when it is back. ` +
        "If you started it yourself, look at the terminal it runs in.",
      [],
      true,
    );
  }

  clear(what = this.what) {
    if (what !== this.what) return;
    this.what = null;
    this.panel.hidden = true;
  }
}
