// Where one talks and writes: microphone, push-to-talk, text, camera, screen, stop.

const $ = (id) => document.getElementById(id);
const OPEN = "antiphon.microphone"; // the microphone was open when the page was reloaded
const SILENT_FOR = 8; // seconds without any sound after which the microphone is doubted

export class Controls {
  constructor({ talk, trouble, begin, changed }) {
    Object.assign(this, { talk, trouble, begin, changed });
    this.held = false;
    this.quietSince = null;
    this.seen = 0;
  }

  get push() {
    return localStorage.getItem("antiphon.talking") === "push";
  }

  get deviceId() {
    return localStorage.getItem("antiphon.device") || undefined;
  }

  wire() {
    $("start").addEventListener("click", () => {
      if (this.talk.begun && this.talk.listening) return;
      this.begin();
      this.listen(!this.push);
    });
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = $("message").value.trim();
      if (!text) return;
      $("message").value = "";
      this.begin();
      this.talk.say(text);
    });
    $("stop").addEventListener("click", () => this.stop());
    $("camera").addEventListener("click", () => this.show("camera"));
    $("screen").addEventListener("click", () => this.show("screen"));
    $("preview-stop").addEventListener("click", () => this.talk.hide());
    this.#wireMicrophone();
    this.#wireKeys();
  }

  #wireMicrophone() {
    const mic = $("mic");
    mic.addEventListener("click", () => {
      if (this.push) return;
      this.begin();
      this.listen(!this.talk.listening);
    });
    mic.addEventListener("pointerdown", (event) => {
      if (!this.push || event.button) return;
      mic.setPointerCapture(event.pointerId);
      this.hold();
    });
    for (const type of ["pointerup", "pointercancel"]) mic.addEventListener(type, () => this.release());
  }

  #wireKeys() {
    const elsewhere = (target) => target.closest?.("input, textarea, select, dialog, summary, button:not(#mic), a, [contenteditable]");
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]") && this.stop()) event.preventDefault();
      if (event.code !== "Space" || event.ctrlKey || event.altKey || event.metaKey || elsewhere(event.target)) return;
      event.preventDefault();
      if (!event.repeat) this.hold();
    });
    document.addEventListener("keyup", (event) => {
      if (event.code !== "Space" || elsewhere(event.target)) return;
      event.preventDefault(); // on the microphone's button it would be a click
      this.release();
    });
    addEventListener("blur", () => this.release());
  }

  /** Push-to-talk: the microphone is open while it is held. Where it is open already, nothing changes. */
  hold() {
    if (this.held || this.talk.listening) return;
    this.held = true;
    this.begin();
    this.listen(true, () => this.held);
  }

  release() {
    if (!this.held) return;
    this.held = false;
    if (this.talk.microphone) this.talk.microphone.muted = true;
    this.showMicrophone();
  }

  /** Opens the microphone, or mutes it. */
  async listen(open, wanted = () => true) {
    const mic = $("mic");
    try {
      mic.classList.add("asking");
      if (open || !this.talk.microphone) await this.talk.listen({ deviceId: this.deviceId, muted: !open });
      else this.talk.microphone.muted = true;
      if (!wanted()) this.talk.microphone.muted = true; // released while the browser asked
      this.trouble.clear("device");
    } catch (error) {
      this.held = false;
      this.trouble.device(error, () => this.listen(open));
    } finally {
      mic.classList.remove("asking");
    }
    this.quietSince = null;
    this.showMicrophone();
  }

  showMicrophone() {
    const open = this.talk.listening;
    sessionStorage.setItem(OPEN, open && !this.held ? "yes" : "");
    $("mic").setAttribute("aria-pressed", String(open));
    $("mic").setAttribute("aria-label", open ? "Microphone is on: mute" : this.push ? "Hold to talk" : "Microphone is off: talk");
    document.body.dataset.microphone = open ? "on" : "off";
    $("message").placeholder = open ? "Or type here" : this.push ? "Hold Space to talk, or type" : "Type a message";
    $("start-text").textContent = open ? "Say something" : this.push && this.talk.microphone ? "Hold Space to talk" : "Start talking";
    if (!open) this.level(0);
    this.say("");
    this.changed();
  }

  level(level) {
    const shown = Math.min(1, level * 7);
    if (Math.abs(shown - this.seen) > 0.01) document.body.style.setProperty("--heard", (this.seen = shown).toFixed(3));
    if (!this.talk.listening || this.held) return;
    const at = performance.now() / 1000;
    if (level > 0.0008) {
      if (this.quietSince && at - this.quietSince > SILENT_FOR) this.say("");
      this.quietSince = at;
    } else if (this.quietSince === null) this.quietSince = at;
    else if (at - this.quietSince > SILENT_FOR) this.say("Your microphone gives no sound. Is it muted, or is another one meant? See Settings.");
  }

  /** A hint below the message; none restores the usual one. */
  say(text) {
    const under = $("under");
    this.usual ??= [...under.childNodes].map((node) => node.cloneNode(true));
    if (text && under.textContent !== text) under.textContent = text;
    else if (!text) under.replaceChildren(...this.usual.map((node) => node.cloneNode(true)));
  }

  can({ audio_input, video_input }) {
    $("mic").disabled = !audio_input;
    $("camera").hidden = !video_input;
    $("screen").hidden = !video_input || !navigator.mediaDevices?.getDisplayMedia;
  }

  async show(source) {
    const button = $(source);
    if (button.getAttribute("aria-pressed") === "true") return this.talk.hide();
    try {
      const stream = await this.talk.show(source);
      $("preview-video").srcObject = stream;
      $("preview-video").play().catch(() => {});
      $("preview").hidden = false;
      button.setAttribute("aria-pressed", "true");
      this.trouble.clear("device");
    } catch (error) {
      if (error.code !== "dismissed") this.trouble.device(error, () => this.show(source));
    }
  }

  hidden() {
    $("preview").hidden = true;
    $("preview-video").srcObject = null;
    for (const source of ["camera", "screen"]) $(source).setAttribute("aria-pressed", "false");
  }

  stop() {
    return this.talk.stop() !== null;
  }

  ended() {
    this.talk.microphone?.stop();
    this.talk.hide();
    this.showMicrophone();
  }

  /** After a reload the microphone is as it was, where the browser does not ask again. */
  async comeBack() {
    const was = sessionStorage.getItem(OPEN) === "yes";
    const allowed = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
    if (was && allowed?.state === "granted") await this.listen(true);
    else this.showMicrophone();
  }
}
