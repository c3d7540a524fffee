// What comes down: every control message once and in order, every sound once, none that was flushed (protocol 4, 6.2). Pure.

const MOST_FRAMES = 60_000; // 20 minutes of 20 ms

export class Inbox {
  /** @param {import("./index.d.ts").Ticket | null} [ticket] what an earlier page kept */
  constructor(ticket = null) {
    this.seq = ticket?.seq ?? 0;
    this.acknowledged = this.seq;
    /** Stream and number of the last media frame there is. @type {[number, number] | null} */
    this.audio = ticket?.audio ?? null;
    /** Milliseconds of the newest stream that lie before its next frame. */
    this.position = ticket?.position ?? 0;
    this.flushed = 0;
    this.duration = 0;
    /** Where the user's ear is, while a player reports: else what was received counts as heard. */
    this.ear = new Ear(this.audio, this.position);
  }

  /**
   * What to do with a control message: "take" it, "skip" it (it was there already), or "gap" (one before it is missing).
   * @param {number} seq
   * @returns {"take" | "skip" | "gap"}
   */
  control(seq) {
    if (seq <= this.seq) {
      return "skip";
    }
    if (seq > this.seq + 1) {
      return "gap";
    }
    this.seq = seq;
    return "take";
  }

  /**
   * A media frame with its `position` in its answer, or null if it was there already or was flushed.
   * @param {{stream: number, number: number, at: number, rate: number, pcm: Int16Array}} frame
   * @returns {import("./index.d.ts").AudioFrame | null}
   */
  media(frame) {
    const [stream, number] = this.audio ?? [0, -1];
    const same = frame.stream === stream;
    if (frame.stream <= this.flushed || frame.stream < stream || (same && frame.number <= number)) {
      return null;
    }
    const duration = (1000 * frame.pcm.length) / frame.rate;
    // What was shed on the way (5.3) took its time in the answer all the same; its frames were like their neighbours.
    const missing = same ? frame.number - number - 1 : frame.number;
    const position = (same ? this.position : 0) + missing * (same && this.duration ? this.duration : duration);
    this.audio = [frame.stream, frame.number];
    this.duration = duration;
    this.position = position + duration;
    this.ear.coming(frame.stream, frame.number, this.position);
    const { at, rate, pcm } = frame;
    return { stream: frame.stream, number: frame.number, at, rate, position, pcm };
  }

  /** @param {number} stream nothing of it, or of one before it, is played any more */
  flush(stream) {
    this.flushed = Math.max(this.flushed, stream);
  }

  /** The newest answer of which sound came; 0 before the first. */
  get newest() {
    return this.audio?.[0] ?? 0;
  }

  /** How many control messages the server does not know yet to have arrived. */
  get unacknowledged() {
    return this.seq - this.acknowledged;
  }

  /** The `seq` to acknowledge now. */
  acknowledge() {
    this.acknowledged = this.seq;
    return this.seq;
  }

  /**
   * What another page needs to go on here: sound that was not heard yet is lost with this one.
   * @param {string} resume
   * @returns {import("./index.d.ts").Ticket}
   */
  ticket(resume) {
    const { audio, position } = this.ear.listens ? this.ear : this;
    return { resume, seq: this.seq, audio, position };
  }
}

/** How far into the frames that came the user has heard. */
class Ear {
  /** @param {[number, number] | null} audio @param {number} position */
  constructor(audio, position) {
    this.listens = false;
    /** @type {[number, number] | null} */
    this.audio = audio;
    this.position = position;
    /** Stream, number and end in milliseconds of what was not heard yet. @type {Array<[number, number, number]>} */
    this.waiting = [];
  }

  coming(stream, number, end) {
    if (!this.listens && this.waiting.at(-1)?.[0] !== stream) {
      this.waiting = []; // nobody reports
    }
    if (this.waiting.length < MOST_FRAMES) {
      this.waiting.push([stream, number, end]);
    }
  }

  /** @param {number} stream @param {number} played milliseconds */
  heard(stream, played) {
    let count = 0;
    for (const [of, , end] of this.waiting) {
      if (of > stream || (of === stream && end > played + 0.5)) {
        break;
      }
      count += 1;
    }
    if (count > 0) {
      const [of, number, end] = this.waiting[count - 1];
      this.audio = [of, number];
      this.position = end;
      this.waiting.splice(0, count);
    }
  }
}
