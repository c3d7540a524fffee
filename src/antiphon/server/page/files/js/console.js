// The event console: every message both ways, with filters, a search, and the raw JSON.

const KEPT = 3000;
const KINDS = [
  ["words", "Words"],
  ["you", "You"],
  ["tools", "Tools"],
  ["lifecycle", "Lifecycle"],
  ["errors", "Errors"],
  ["media", "Media"],
  ["protocol", "Protocol"],
];
const QUIET = new Set(["media", "protocol"]);

export class Console {
  constructor(panel) {
    this.rows = [];
    this.shown = new Set(KINDS.map(([kind]) => kind).filter((kind) => !QUIET.has(kind)));
    this.query = "";
    this.began = null;
    this.open = false;
    this.waiting = [];
    this.#build(panel);
  }

  #build(panel) {
    const filters = panel.appendChild(document.createElement("div"));
    filters.className = "filters";
    filters.setAttribute("role", "group");
    filters.setAttribute("aria-label", "Which events");
    for (const [kind, label] of KINDS) {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = this.shown.has(kind);
      box.addEventListener("change", () => {
        if (box.checked) this.shown.add(kind);
        else this.shown.delete(kind);
        this.#again();
      });
      const name = filters.appendChild(document.createElement("label"));
      name.append(box, label);
    }
    const search = filters.appendChild(document.createElement("input"));
    Object.assign(search, { type: "search", placeholder: "Search" });
    search.setAttribute("aria-label", "Search the events");
    search.addEventListener("input", () => {
      this.query = search.value.toLowerCase();
      this.#again();
    });
    this.list = panel.appendChild(document.createElement("div"));
    this.list.className = "log";
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", "Events");
    const foot = panel.appendChild(document.createElement("div"));
    foot.className = "log-foot";
    this.count = foot.appendChild(document.createElement("span"));
    const save = foot.appendChild(document.createElement("button"));
    Object.assign(save, { type: "button", className: "plain", textContent: "Save as JSON" });
    save.addEventListener("click", () => this.#save());
  }

  clear() {
    this.rows = [];
    this.began = null;
    this.#again();
  }

  /** `direction` is "up" or "down"; `at` seconds. */
  take(direction, message, at) {
    this.began ??= at;
    const row = { direction, message, at, kind: kindOf(direction, message), text: told(message) };
    this.rows.push(row);
    if (this.rows.length > KEPT) this.rows.splice(0, KEPT / 10);
    if (this.open && this.#wanted(row)) this.waiting.push(row);
  }

  /** Once per picture on the screen. */
  draw() {
    if (!this.open || !this.waiting.length) return;
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
    this.list.append(...this.waiting.map((row) => this.#line(row)));
    this.waiting = [];
    while (this.list.childElementCount > KEPT) this.list.firstElementChild.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
    this.#counted();
  }

  reveal(open) {
    this.open = open;
    if (open) this.#again();
  }

  #again() {
    this.waiting = [];
    if (!this.open) return;
    const rows = this.rows.filter((row) => this.#wanted(row));
    this.list.replaceChildren(...rows.slice(-1000).map((row) => this.#line(row)));
    this.list.scrollTop = this.list.scrollHeight;
    this.#counted();
  }

  #wanted(row) {
    if (!this.shown.has(row.kind)) return false;
    return !this.query || JSON.stringify(row.message).toLowerCase().includes(this.query);
  }

  #counted() {
    this.count.textContent = `${this.list.childElementCount} of ${this.rows.length} messages`;
  }

  #line(row) {
    const line = document.createElement("details");
    line.dataset.kind = row.kind;
    const summary = line.appendChild(document.createElement("summary"));
    const texts = [["at", (row.at - this.began).toFixed(2)], ["kind", `${row.direction === "up" ? "↑" : "↓"} ${row.text[0]}`], ["what", row.text[1]]];
    for (const [name, text] of texts) {
      const part = summary.appendChild(document.createElement("span"));
      part.className = name;
      part.textContent = text;
    }
    line.addEventListener("toggle", () => {
      if (line.childElementCount > 1) return;
      const raw = line.appendChild(document.createElement("pre"));
      raw.textContent = JSON.stringify(row.message, null, 2);
    });
    return line;
  }

  #save() {
    const lines = this.rows.map(({ at, direction, message }) => JSON.stringify({ at, direction, message })).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines], { type: "application/x-ndjson" }));
    link.download = "antiphon-events.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

function kindOf(direction, message) {
  if (message.type === "error" || message.event?.errorCode) return "errors";
  if (message.type === "text") return "you";
  if (message.type !== "event") return message.type === "media" || message.type === "audio" ? "media" : "protocol";
  const { event } = message;
  if (event.inputTranscription || event.voiceActivity) return "you";
  const parts = event.content?.parts ?? [];
  if (parts.some((part) => part.functionCall || part.functionResponse) || event.actions?.transferToAgent) return "tools";
  if (event.outputTranscription || parts.some((part) => part.text)) return "words";
  return "lifecycle";
}

/** What a message is, in a word, and what it says. */
function told(message) {
  if (message.type !== "event") {
    const { type, n, seq, ...rest } = message;
    return [type ?? "media", JSON.stringify(rest)];
  }
  const { event } = message;
  if (event.errorCode) return ["error", `${event.errorCode} ${event.errorMessage ?? ""}`];
  if (event.inputTranscription) return ["heard", event.inputTranscription.text ?? ""];
  if (event.outputTranscription) return [event.partial ? "says" : "said", event.outputTranscription.text ?? ""];
  if (event.voiceActivity) return ["voice", event.voiceActivity.voiceActivityType ?? ""];
  if (event.lifecycle) return [event.lifecycle.kind, event.lifecycle.reason ?? ""];
  const part = event.content?.parts?.[0] ?? {};
  if (part.functionCall) return ["call", `${part.functionCall.name} ${JSON.stringify(part.functionCall.args ?? {})}`];
  if (part.functionResponse) return ["result", `${part.functionResponse.name} ${JSON.stringify(part.functionResponse.response ?? null)}`];
  if (part.text) return [event.partial ? "writes" : "wrote", part.text];
  if (part.fileData) return ["recording", part.fileData.fileUri ?? ""];
  if (event.usageMetadata) return ["usage", `${event.usageMetadata.totalTokenCount ?? ""} tokens`];
  if (event.interrupted) return ["interrupted", event.turnComplete ? "turn complete" : ""];
  if (event.turnComplete) return ["turn", "complete"];
  return ["event", Object.keys(event).join(" ")];
}
