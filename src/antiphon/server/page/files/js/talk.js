// One live conversation: what the client and the devices tell is written into a story, and kept for a reload.

import { Camera, Conversation, Microphone, Player, VoiceActivity } from "../../client/index.js";
import { Story } from "./story.js";

const KEPT = 4000; // things that are told again after a reload
const LOG = "antiphon.log";
const SESSION = "antiphon.session";

export const now = () => Date.now() / 1000;

export class Talk {
  /** `told(type, detail)` hears of `state`, `entry`, `announce`, `message`, `level`, `closed`, `hello`, `refused`, `silent`. */
  constructor({ base, user, token, told }) {
    this.base = base;
    this.user = user;
    this.token = token;
    this.told = told;
    this.session = sessionStorage.getItem(SESSION);
    this.log = [];
    this.player = new Player();
    this.microphone = null;
    this.camera = null;
    this.conversation = null;
    this.activity = new VoiceActivity();
    this.voiceBegan = null;
    this.cut = null; // the interruption that the player has still to obey: `{stream, told}`
    this.silent = null; // since when nothing sounds
    this.loudest = 0; // of the microphone, lately
    this.story = this.#story();
    addEventListener("pagehide", () => this.keep());
  }

  #story() {
    return new Story({
      changed: (entry) => this.told("entry", entry),
      announced: (text, what) => this.told("announce", { text, what }),
    });
  }

  get begun() {
    return this.conversation !== null && this.conversation.state !== "closed";
  }

  /** Whether a page that was here before left a conversation. */
  get left() {
    return this.session !== null && sessionStorage.getItem(LOG) !== null;
  }

  /** What this page showed before it was reloaded. */
  restore() {
    try {
      for (const [at, what, value] of JSON.parse(sessionStorage.getItem(LOG) ?? "[]")) this.#tell(what, value, at);
    } catch {
      sessionStorage.removeItem(LOG);
    }
  }

  keep() {
    if (!this.begun) return;
    try {
      sessionStorage.setItem(LOG, JSON.stringify(this.log.slice(-KEPT)));
    } catch {
      // Full: the page comes back without what was said before.
    }
  }

  forget() {
    sessionStorage.removeItem(LOG);
    sessionStorage.removeItem(SESSION);
    this.session = null;
  }

  /** Opens the conversation, once. Call it in a click, so that the page may sound. */
  begin() {
    this.player.start().catch((error) => this.told("refused", error));
    if (this.begun) return;
    this.session ??= identity();
    sessionStorage.setItem(SESSION, this.session);
    const path = `ws/${encodeURIComponent(this.user)}/${encodeURIComponent(this.session)}`;
    const options = { storage: sessionStorage, ...(this.token && { token: this.token }) };
    this.conversation = new Conversation(new URL(path, this.base), options);
    this.conversation.attach({ player: this.player });
    this.#listen(this.conversation);
    this.#hear();
    this.conversation.connect().catch(() => {}); // told by `closed`
    if (this.microphone) this.conversation.attach({ microphone: this.microphone });
  }

  #tell(what, value, at = now()) {
    this.log.push([at, what, value]);
    if (this.log.length > KEPT * 1.5) this.log.splice(0, KEPT / 2);
    this.story[what](value, at);
  }

  #listen(conversation) {
    let known = null;
    const restored = this.log.length > 0;
    conversation.on("hello", (hello) => {
      if (known && hello.resumed) this.#tell("back");
      if (!hello.resumed && (known || restored)) {
        this.#tell("back");
        this.#tell("lost");
        this.#note("The server was started anew, and may not remember what was said above.");
      }
      known = hello;
      this.told("hello", hello);
    });
    conversation.on("event", (event) => this.#tell("event", event, this.#clock(event)));
    conversation.on("audio", ({ stream, position, pcm, rate }) => this.story.audio(stream, position, pcm, rate, now()));
    conversation.on("flush", ({ stream }) => this.#interrupted(stream));
    conversation.on("reconnecting", () => this.#tell("away"));
    conversation.on("drain", ({ seconds }) => this.#note(`The server ends in ${Math.round(seconds)} seconds. You stay connected.`));
    conversation.on("error", ({ code, message }) => {
      if (code !== "unknown_conversation") this.#note(message, "error"); // of which `hello` tells
    });
    conversation.on("shed", () => this.#note("Some sound was left out, because the connection is slow."));
    conversation.on("message", ({ direction, message }) => this.told("message", { direction, message, at: now() }));
    for (const type of ["state", "queue", "closed", "reconnecting", "role"]) conversation.on(type, (detail) => this.told(type, detail));
  }

  #note(text, level = "info") {
    this.story.notice(text, now(), level);
  }

  /** When an event happened, by this page's clock: what is told late, after a break, is not drawn late. */
  #clock(event) {
    const here = now();
    if (!event.timestamp) return here;
    this.skew = Math.min(this.skew ?? Infinity, here - event.timestamp);
    return Math.min(here, event.timestamp + this.skew);
  }

  #hear() {
    if (this.heard) return;
    this.heard = true;
    const { player } = this;
    player.on("playing", ({ stream }) => {
      this.silent = null;
      this.story.playing(stream, now());
    });
    player.on("underrun", () => (this.silent ??= now()));
    player.on("played", ({ stream, played }) => this.story.played(stream, played, now()));
    player.on("idle", ({ stream }) => {
      this.silent ??= now();
      this.story.idle(stream, this.silent);
      this.#silenced(stream, this.silent); // it ran dry while the interruption was on its way: nothing is flushed
    });
    player.on("flushed", ({ stream }) => this.#silenced(stream, now()));
  }

  /** Once per picture on the screen: how far the answer was heard by now. */
  follow() {
    const { stream } = this.player;
    if (stream === null) return;
    const before = this.followed?.stream === stream ? this.followed.played : 0;
    this.followed = { stream, played: Math.max(before, this.player.played(stream)) }; // the output's latency is an estimate
    this.story.played(stream, this.followed.played, now());
  }

  #interrupted(stream) {
    this.cut = { stream, told: now() };
    if (this.silent !== null || this.player.blocked) this.#silenced(stream, this.silent ?? now());
  }

  #silenced(stream, silent) {
    if (!this.cut) return;
    const voiceBegan = this.voiceBegan > silent - 3 ? this.voiceBegan : null; // else it was cut off otherwise
    this.story.flushed(stream, silent, { voiceBegan, told: this.cut.told });
    this.cut = null;
  }

  // --- what the user does ----------------------------------------------------------------------------------

  say(text) {
    this.begin();
    this.#tell("typed", text);
    this.conversation.text(text);
  }

  /** Opens the microphone; throws the client's `DeviceError`, which says what to do. */
  async listen({ deviceId, muted = false } = {}) {
    if (!this.microphone) {
      this.microphone = new Microphone({ deviceId, muted });
      this.microphone.on("level", (level) => this.#level(level));
      this.microphone.on("muted", (detail) => this.told("muted", detail));
      this.microphone.on("stopped", ({ reason }) => this.told("stopped", { reason }));
      this.activity.watch(this.microphone);
      this.activity.on("start", () => {
        this.voiceBegan = now();
        this.told("voice", true);
      });
      this.activity.on("end", () => this.told("voice", false));
      this.conversation?.attach({ microphone: this.microphone });
    }
    if (!this.microphone.running) await this.microphone.start();
    this.microphone.muted = muted;
  }

  #level({ rms }) {
    const { activity, microphone } = this;
    this.loudest = Math.max(rms, this.loudest * 0.9985);
    if (activity.speaking && rms > Math.max(0.004, this.loudest * 0.1)) this.story.loud(now());
    if (!microphone.muted) this.story.lanes.level(rms, now());
    this.told("level", microphone.muted ? 0 : rms);
  }

  get listening() {
    return Boolean(this.microphone?.running && !this.microphone.muted);
  }

  async show(source) {
    this.hide();
    const camera = new Camera({ source });
    await camera.start();
    this.camera = camera;
    this.conversation.attach({ camera });
    let told = false;
    camera.on("image", ({ bytes, mimeType }) => {
      if (!told) this.story.shown(source, URL.createObjectURL(new Blob([bytes], { type: mimeType })), now());
      told = true;
    });
    camera.on("stopped", () => this.told("hidden", { source }));
    return camera.stream;
  }

  hide() {
    this.camera?.stop();
    this.camera = null;
  }

  stop() {
    return this.begun ? this.conversation.stop() : null;
  }

  end() {
    this.hide();
    this.microphone?.stop();
    if (this.begun) this.conversation.close();
    this.forget();
  }
}

export function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
