// Runs in the audio thread: plays answers in order from a jitter buffer. Imports nothing.

const FADE = 32; // samples; sound that is cut off at once clicks
const TICK = 50; // ms between two notices while it plays
const CALM = 10_000; // ms without running dry after which it waits less again

/**
 * A chunk is `{stream, position, samples}`: `position` is where it begins in its answer, in ms. Pure: `notice` is called with
 * what the page is to know:
 * `{type: "begin" | "tick" | "dry" | "underrun" | "flushed" | "full", stream, played, …}`, ms.
 */
export class JitterBuffer {
  /** @param {{rate: number, jitter: number, longest: number, capacity: number}} options Hz, ms, ms, s */
  constructor({ rate, jitter, longest, capacity }, notice) {
    this.rate = rate;
    this.jitter = { least: jitter, longest, now: jitter, calm: 0 };
    this.capacity = capacity * rate;
    this.notice = notice;
    this.last = 0; // sample that left
    this.fade = 0;
    this.reset();
  }

  /** Forgets everything: another conversation begins. */
  reset() {
    this.silence();
    this.chunks = [];
    this.offset = 0; // in the first chunk
    this.waiting = 0; // samples
    this.playing = false;
    this.waited = 0; // ms, since there is something to play
    this.sinceTick = 0;
    this.stream = 0; // that plays, or played last
    this.played = 0;
    this.ended = 0;
    this.flushed = 0;
    this.dry = false; // it ran dry inside `stream`
  }

  /** @param {{stream: number, position: number, samples: Float32Array}} chunk */
  push(chunk) {
    if (chunk.stream <= this.flushed || chunk.samples.length === 0) {
      return;
    }
    if (this.waiting + chunk.samples.length > this.capacity) {
      this.notice({ type: "full", stream: chunk.stream, played: this.played, left: this.ms(chunk.samples.length) });
      return;
    }
    if (this.dry && chunk.stream === this.stream) {
      this.jitter.now = Math.min(this.jitter.longest, this.jitter.now * 1.5);
      this.jitter.calm = 0;
      this.notice({ type: "underrun", stream: chunk.stream, played: this.played });
    }
    this.dry = false;
    this.chunks.push(chunk);
    this.waiting += chunk.samples.length;
  }

  /** No more comes of `stream`, or of those before it. */
  end(stream) {
    this.ended = Math.max(this.ended, stream);
    this.dry = this.dry && this.stream > this.ended;
  }

  /** Nothing of `stream`, or of those before it, leaves any more. */
  flush(stream) {
    /** @type {Set<number>} */
    const left = new Set();
    if (this.playing && this.stream <= stream) {
      left.add(this.stream);
      this.silence();
    }
    this.chunks.filter((chunk) => chunk.stream <= stream).forEach((chunk) => left.add(chunk.stream));
    if (this.chunks.length > 0 && this.chunks[0].stream <= stream) {
      this.offset = 0;
    }
    this.chunks = this.chunks.filter((chunk) => chunk.stream > stream);
    this.waiting = this.chunks.reduce((sum, chunk) => sum + chunk.samples.length, -this.offset);
    this.playing = this.playing && this.chunks.length > 0;
    this.dry = false;
    this.flushed = Math.max(this.flushed, stream);
    for (const cut of left) {
      this.notice({ type: "flushed", stream: cut, played: cut === this.stream ? this.played : 0 });
    }
  }

  /** Fills one render quantum. @param {Float32Array} out */
  pull(out) {
    out.fill(0);
    const quantum = this.ms(out.length);
    let at = 0;
    if (this.playing || this.ready(quantum)) {
      while (at < out.length && this.chunks.length > 0) {
        at += this.play(out, at);
      }
    }
    const sounded = this.playing;
    if (sounded && this.chunks.length === 0) {
      this.playing = false;
      this.dry = this.stream > this.ended;
      this.silence();
    }
    this.soften(out, at);
    if (sounded) {
      this.pass(quantum);
    }
  }

  /** Whether there is enough to begin. @param {number} quantum ms */
  ready(quantum) {
    if (this.chunks.length === 0) {
      this.waited = 0;
      return false;
    }
    this.waited += quantum;
    const enough = this.jitter.now <= Math.max(this.ms(this.waiting), this.waited);
    return enough || this.chunks[0].stream <= this.ended;
  }

  /** Plays of the first chunk what fits. @returns {number} samples */
  play(out, at) {
    const chunk = this.chunks[0];
    if (!this.playing || chunk.stream !== this.stream) {
      this.begin(chunk);
    }
    const count = Math.min(out.length - at, chunk.samples.length - this.offset);
    out.set(chunk.samples.subarray(this.offset, this.offset + count), at);
    this.last = out[at + count - 1];
    this.fade = 0;
    this.offset += count;
    this.waiting -= count;
    this.played = chunk.position + this.ms(this.offset);
    if (this.offset === chunk.samples.length) {
      this.chunks.shift();
      this.offset = 0;
    }
    return count;
  }

  begin(chunk) {
    const another = chunk.stream !== this.stream;
    if (another && this.playing) {
      this.notice({ type: "tick", stream: this.stream, played: this.played, done: true });
    }
    this.stream = chunk.stream;
    this.played = chunk.position;
    this.playing = true;
    this.waited = 0;
    this.sinceTick = 0;
    this.notice({ type: "begin", stream: this.stream, played: this.played });
  }

  /** After a quantum that sounded. @param {number} quantum ms */
  pass(quantum) {
    this.jitter.calm += quantum;
    if (this.jitter.calm >= CALM) {
      this.jitter.calm = 0;
      this.jitter.now = Math.max(this.jitter.least, this.jitter.now * 0.8);
    }
    this.sinceTick += quantum;
    if (!this.playing) {
      this.notice({ type: "dry", stream: this.stream, played: this.played });
    } else if (this.sinceTick >= TICK) {
      this.sinceTick = 0;
      this.notice({ type: "tick", stream: this.stream, played: this.played });
    }
  }

  silence() {
    this.fade = this.last === 0 ? 0 : FADE;
  }

  /** From the last sample to silence, where sound ended. @param {Float32Array} out @param {number} from */
  soften(out, from) {
    for (let at = from; at < out.length && this.fade > 0 && !this.playing; at += 1) {
      this.fade -= 1;
      out[at] += (this.last * this.fade) / FADE;
    }
    if (this.fade === 0 && !this.playing) {
      this.last = 0;
    }
  }

  /** @param {number} samples */
  ms(samples) {
    return (1000 * samples) / this.rate;
  }
}

if (typeof registerProcessor === "function") {
  registerProcessor(
    "antiphon-playback",
    class extends AudioWorkletProcessor {
      constructor({ processorOptions }) {
        super();
        this.resets = processorOptions.resets;
        this.running = true;
        this.buffer = new JitterBuffer({ rate: sampleRate, ...processorOptions }, (notice) => {
          const waiting = this.buffer.ms(this.buffer.waiting);
          this.port.postMessage({ ...notice, waiting, time: currentTime, resets: this.resets });
        });
        this.port.onmessage = ({ data: [order, detail] }) => this.obey(order, detail);
      }

      obey(order, detail) {
        if (order === "close") {
          this.running = false;
          return;
        }
        if (order === "reset") {
          this.resets = detail;
        }
        this.buffer[order](detail); // push, end, flush, reset
      }

      process(_, [[out]]) {
        this.buffer.pull(out);
        return this.running;
      }
    },
  );
}
