// Looking at earlier sessions, and playing what was recorded, with the timeline's head where the sound is.

import { retold, voices } from "./history.js";

export class Past {
  /** `show(story)` shows a story of the past, `null` what is now. */
  constructor({ timeline, view, show, bar, text, play }) {
    Object.assign(this, { timeline, view, show, bar, text, play });
    this.sound = null;
    this.offset = 0; // seconds of the story before the recording begins
    this.story = null;
    play.addEventListener("click", () => this.toggle());
  }

  get playing() {
    return Boolean(this.sound && !this.sound.paused);
  }

  async open(dialog, history, current) {
    const note = dialog.querySelector("#history-note");
    const list = dialog.querySelector("#sessions");
    list.replaceChildren();
    note.textContent = "Looking…";
    if (!dialog.open) dialog.showModal();
    let sessions;
    try {
      sessions = await history.list();
    } catch (error) {
      note.textContent = error.message;
      return;
    }
    note.textContent = sessions.length ? "" : "Nothing yet: what you talk about is listed here.";
    for (const session of sessions.slice(0, 50)) list.append(this.#line(session, history, dialog, current));
  }

  #line(session, history, dialog, current) {
    const item = document.createElement("li");
    const open = item.appendChild(document.createElement("button"));
    Object.assign(open, { type: "button", className: "open" });
    const title = open.appendChild(document.createElement("span"));
    title.textContent = "…";
    const when = open.appendChild(document.createElement("small"));
    const date = new Date((session.lastUpdateTime ?? 0) * 1000);
    when.textContent = date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    if (session.id === current) when.textContent += " · now";
    history.events(session.id).then((events) => (title.textContent = titleOf(events)), () => (title.textContent = session.id));
    open.addEventListener("click", () => {
      dialog.close();
      if (session.id === current) this.leave();
      else this.look(history, session, date);
    });
    if (session.id !== current) {
      const remove = item.appendChild(document.createElement("button"));
      Object.assign(remove, { type: "button", className: "quiet", textContent: "Delete" });
      remove.addEventListener("click", async () => {
        await history.remove(session.id);
        this.open(dialog, history, current);
      });
    }
    return item;
  }

  async look(history, session, date) {
    this.#silence();
    const events = await history.events(session.id);
    this.story = retold(events, (entry) => this.story && this.view.show(entry));
    this.show(this.story);
    this.bar.hidden = false;
    this.text.textContent = `From ${date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
    this.timeline.fit();
    const recording = await history.recording(session.id, events).catch(() => null);
    if (!recording || !this.story) return;
    const { from } = await voices(this.story, recording);
    this.show(this.story); // the times count from the recording's beginning
    this.offset = from - this.story.lanes.first;
    this.sound = new Audio(recording.address);
    this.sound.addEventListener("pause", () => (this.play.textContent = "Play"));
    this.sound.addEventListener("play", () => (this.play.textContent = "Pause"));
    this.play.hidden = false;
    this.timeline.head = this.offset;
    this.timeline.fit();
  }

  leave() {
    this.#silence();
    this.story = null;
    this.bar.hidden = true;
    this.show(null);
    this.timeline.follow();
  }

  toggle() {
    if (this.playing) this.sound.pause();
    else this.sound?.play();
  }

  /** Plays from there, counted from the story's beginning. */
  seek(seconds) {
    if (!this.sound) return;
    this.sound.currentTime = Math.max(0, seconds - this.offset);
    this.timeline.head = seconds;
    this.timeline.draw();
  }

  /** Once per picture on the screen. */
  move() {
    if (!this.playing) return;
    const { timeline } = this;
    timeline.head = this.sound.currentTime + this.offset;
    if (timeline.head > timeline.edge) timeline.right = timeline.head + timeline.seen * 0.8;
  }

  #silence() {
    this.sound?.pause();
    if (this.sound) URL.revokeObjectURL(this.sound.src);
    this.sound = null;
    this.timeline.head = null;
    this.play.hidden = true;
  }
}

function titleOf(events) {
  for (const event of events) {
    const text = event.inputTranscription?.text ?? (event.author === "user" ? event.content?.parts?.[0]?.text : null);
    if (text?.trim()) return text.trim();
  }
  return "Nothing was said";
}
