// The microphone is on only while a key or a button is held.

import { Emitter } from "./emitter.js";

const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";
const PRESSES = new Set(["Space", "Enter"]); // on a button that has the focus

export class PushToTalk extends Emitter {
  #conversation;
  #options;
  #pressed = false;
  /** @type {Array<() => void>} */
  #offs = [];

  /** @param {import("./index.d.ts").Conversation} conversation @param {import("./index.d.ts").PushToTalkOptions} options */
  constructor(conversation, options) {
    super();
    this.#conversation = conversation;
    this.#options = { key: "Space", button: null, target: globalThis.document, ...options };
    options.microphone.muted = true;
    const { button, target, key } = this.#options;
    if (key !== null && target) {
      this.#listen(target, "keydown", (event) => this.#key(event));
    }
    if (button) {
      this.#listen(button, "pointerdown", (event) => {
        button.setPointerCapture?.(event.pointerId);
        this.press();
      });
      ["pointerup", "pointercancel", "lostpointercapture"].forEach((type) => this.#listen(button, type, () => this.release()));
      this.#listen(button, "contextmenu", (event) => event.preventDefault()); // what a long touch opens
      this.#listen(button, "keydown", (event) => this.#key(event));
    }
    [...new Set([target, button])].forEach((each) => each && this.#listen(each, "keyup", (event) => this.#keyUp(event)));
    if (typeof window !== "undefined") {
      this.#listen(window, "blur", () => this.release()); // its keyup goes to another window
    }
  }

  get pressed() {
    return this.#pressed;
  }

  press() {
    if (this.#pressed || this.#conversation.state === "closed") {
      return;
    }
    this.#pressed = true;
    if (this.#conversation.manual) {
      this.#conversation.activityStart();
    }
    this.#options.microphone.muted = false;
    this.emit("press");
  }

  release() {
    if (!this.#pressed) {
      return;
    }
    this.#pressed = false;
    this.#options.microphone.muted = true; // which tells the server where it finds the end of speech itself
    if (this.#conversation.manual && this.#conversation.state !== "closed") {
      this.#conversation.activityEnd();
    }
    this.emit("release");
  }

  detach() {
    this.release();
    this.#offs.splice(0).forEach((off) => off());
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.#offs.push(() => target.removeEventListener(type, listener));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { key, button } = this.#options;
    const element = /** @type {HTMLElement | null} */ (event.target);
    const own = button !== null && element === button && PRESSES.has(event.code);
    const other = event.code === key && !element?.closest?.(`${FIELDS}, button, a[href], [role='button'], summary`);
    if ((own || other) && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault(); // Space scrolls the page
      if (!event.repeat) {
        this.press();
      }
    }
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (event.code === this.#options.key || PRESSES.has(event.code)) {
      this.release();
    }
  }
}
