// Plays answers, and knows how much of them was heard.

import { deviceError, explain } from "./device-error.js";
import { Emitter } from "./emitter.js";
import { toFloat } from "./pcm.js";
import { Resampler } from "./resampler.js";

const FIRST_REPORT = 250; // ms of an answer that are heard before it is first reported (protocol 3.3)
const REPORT = 500; // ms between the others
const CAPACITY = 300; // s
const REMEMBERED = 16; // answers whose end is known

export class Player extends Emitter {
  #options;
  /** @type {{context: AudioContext, node: AudioWorkletNode, gain: GainNode, meter: AnalyserNode, owned: boolean} | null} */
  #graph = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  /** What came before it was started. @type {Array<() => void>} */
  #pending = [];
  #held = 0; // ms of it
  /** `position`, `expected`: of the next sound to leave and to come, in ms of its answer.
   * @type {{stream: number, position: number, expected: number, resampler: Resampler} | null} */
  #incoming = null;
  /** What the audio thread said last. */
  #last = { stream: 0, played: 0, time: 0, waiting: 0, playing: false };
  /** Milliseconds by answer. @type {Map<number, number>} */
  #heard = new Map();
  #reported = -Infinity; // seconds of the context
  #counts = { underruns: 0, dropped: 0, resets: 0 };
  #volume;

  /** @param {import("./index.d.ts").PlayerOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#volume = options.volume ?? 1;
  }

  start() {
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = null;
      throw explain(error, "loudspeaker");
    });
    void this.#graph?.context.resume();
    return this.#starting;
  }

  async #start() {
    if (typeof AudioWorkletNode === "undefined") {
      throw deviceError(globalThis.isSecureContext === false ? "insecure" : "unsupported", "loudspeaker");
    }
    const { context: shared, workletUrl, jitter = 60, longestJitter = 300, capacity = CAPACITY } = this.#options;
    const context = shared ?? new AudioContext({ latencyHint: "interactive" });
    void context.resume(); // waits for a click where there was none; sound waits with it
    await context.audioWorklet.addModule(workletUrl ?? new URL("./playback-worklet.js", import.meta.url));
    const node = new AudioWorkletNode(context, "antiphon-playback", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { jitter, longest: longestJitter, capacity, resets: this.#counts.resets },
    });
    const gain = context.createGain();
    gain.gain.value = this.#volume;
    const meter = context.createAnalyser();
    meter.fftSize = 1024;
    node.connect(gain).connect(context.destination);
    gain.connect(meter);
    node.port.onmessage = ({ data }) => this.#noticed(data);
    context.addEventListener("statechange", this.#changed);
    this.#graph = { context, node, gain, meter, owned: !shared };
    this.#wake(context);
    this.#held = 0;
    this.#pending.splice(0).forEach((order) => order());
  }

  get blocked() {
    return this.#graph !== null && this.#graph.context.state !== "running";
  }

  get context() {
    return this.#graph?.context ?? null;
  }

  get output() {
    return this.#graph?.gain ?? null;
  }

  get stream() {
    return this.#last.playing ? this.#last.stream : null;
  }

  get underruns() {
    return this.#counts.underruns;
  }

  get dropped() {
    return this.#counts.dropped;
  }

  get buffered() {
    return this.#graph ? Math.max(0, this.#last.waiting - this.#since()) : 0;
  }

  get level() {
    if (!this.#graph) {
      return 0;
    }
    const samples = new Float32Array(this.#graph.meter.fftSize);
    this.#graph.meter.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  }

  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = volume;
    this.#graph?.gain.gain.setTargetAtTime(volume, this.#graph.context.currentTime, 0.01);
  }

  /** @param {{stream: number, pcm: Int16Array, rate: number, position?: number}} frame */
  enqueue(frame) {
    const { stream, pcm, rate, position } = frame;
    if (!this.#graph) {
      this.#hold(frame, (1000 * pcm.length) / rate);
      return;
    }
    const missing = position !== undefined && Math.abs(position - (this.#incoming?.expected ?? 0)) > 5;
    if (this.#incoming?.stream !== stream || missing) {
      this.#finish();
      const resampler = new Resampler(rate, this.#graph.context.sampleRate);
      this.#incoming = { stream, position: position ?? 0, expected: position ?? 0, resampler };
    }
    this.#incoming.expected += (1000 * pcm.length) / rate;
    this.#push(this.#incoming, this.#incoming.resampler.push(toFloat(pcm)));
  }

  /** @param {{stream: number, pcm: Int16Array, rate: number, position?: number}} frame @param {number} duration ms */
  #hold(frame, duration) {
    if (this.#held + duration > 1000 * (this.#options.capacity ?? CAPACITY)) {
      this.#counts.dropped += duration;
      return;
    }
    this.#held += duration;
    this.#pending.push(() => this.enqueue(frame));
  }

  #push(incoming, samples) {
    const { stream, position } = incoming;
    if (samples.length > 0) {
      incoming.position += (1000 * samples.length) / /** @type {AudioContext} */ (this.context).sampleRate;
      this.#order("push", { stream, position, samples: samples.slice() });
    }
  }

  /** What is left in the resampler. */
  #finish() {
    if (this.#incoming) {
      this.#push(this.#incoming, this.#incoming.resampler.end());
    }
  }

  /** @param {number} stream */
  end(stream) {
    if (!this.#graph) {
      this.#pending.push(() => this.end(stream));
      return;
    }
    if (this.#incoming && this.#incoming.stream <= stream) {
      this.#finish();
    }
    this.#order("end", stream);
  }

  flush(stream = Number.MAX_SAFE_INTEGER) {
    if (!this.#graph) {
      this.#pending.push(() => this.flush(stream));
      return;
    }
    const last = stream === Number.MAX_SAFE_INTEGER ? Math.max(this.#last.stream, this.#incoming?.stream ?? 0) : stream;
    if (this.#incoming && this.#incoming.stream <= last) {
      this.#incoming.resampler.reset();
    }
    this.#order("flush", last);
  }

  reset() {
    this.#pending = [];
    this.#held = 0;
    this.#incoming = null;
    this.#heard.clear();
    this.#last = { ...this.#last, stream: 0, played: 0, waiting: 0, playing: false };
    this.#counts.resets += 1;
    this.#order("reset", this.#counts.resets);
  }

  /** @param {number} [stream] */
  played(stream = this.#last.stream) {
    const heard = this.#heard.get(stream) ?? 0;
    const { stream: playing, played, waiting } = this.#last;
    if (!this.#last.playing || playing !== stream) {
      return heard;
    }
    return Math.max(heard, played + Math.min(this.#since(), waiting) - this.#latency());
  }

  /** @param {string} deviceId */
  async chooseOutput(deviceId) {
    const context = /** @type {any} */ (this.context);
    if (typeof context?.setSinkId !== "function") {
      throw deviceError(context ? "unsupported" : "failed", "loudspeaker");
    }
    try {
      await context.setSinkId(deviceId);
    } catch (error) {
      throw explain(error, "loudspeaker");
    }
  }

  async close() {
    await this.#starting?.catch(() => {}); // it never began
    const graph = this.#graph;
    this.#graph = null;
    this.#starting = null;
    if (graph) {
      graph.context.removeEventListener("statechange", this.#changed);
      graph.node.port.postMessage(["close"]);
      [graph.node, graph.gain].forEach((node) => node.disconnect());
      if (graph.owned) {
        await graph.context.close();
      }
    }
  }

  // --- the audio thread -------------------------------------------------------------------------------------

  /** @param {string} order @param {any} [detail] */
  #order(order, detail) {
    this.#graph?.node.port.postMessage([order, detail], detail?.samples ? [detail.samples.buffer] : []);
  }

  #noticed({ type, stream, played, time, waiting, done, left, resets }) {
    if (resets !== this.#counts.resets) {
      return; // of the conversation before
    }
    if (type === "full") {
      this.#counts.dropped += left;
      return;
    }
    this.#last = { stream, played, time, waiting, playing: type === "begin" || type === "tick" };
    switch (type) {
      case "begin":
        this.#reported = time;
        return this.emit("playing", { stream });
      case "tick":
        if (done || this.#isDue(stream, time)) {
          this.#report(stream, done ? played : this.played(stream), time);
        }
        return;
      case "dry":
        this.#report(stream, played, time);
        return this.emit("idle", { stream });
      case "flushed":
        this.#report(stream, played, time, true);
        return this.emit("flushed", { stream, played });
      case "underrun":
        this.#counts.underruns += 1;
        return this.emit("underrun", { stream, underruns: this.underruns });
    }
  }

  #isDue(stream, time) {
    return this.#heard.has(stream) ? time - this.#reported >= (REPORT - 5) / 1000 : this.played(stream) >= FIRST_REPORT;
  }

  #report(stream, played, time, flushed = false) {
    this.#reported = time;
    this.#heard.set(stream, Math.max(played, this.#heard.get(stream) ?? 0));
    if (this.#heard.size > REMEMBERED) {
      this.#heard.delete(Math.min(...this.#heard.keys()));
    }
    this.emit("played", { stream, played: this.#heard.get(stream), flushed });
  }

  /** Milliseconds since the audio thread said something. */
  #since() {
    return this.#graph ? Math.max(0, 1000 * (this.#graph.context.currentTime - this.#last.time)) : 0;
  }

  /** Milliseconds from the graph to the ear. */
  #latency() {
    const { outputLatency, baseLatency } = /** @type {AudioContext} */ (this.context);
    return 1000 * (outputLatency || baseLatency || 0);
  }

  #changed = () => this.emit("blocked", { blocked: this.blocked });

  /** The first click or key lets the page sound. @param {AudioContext} context */
  #wake(context) {
    if (context.state === "running" || typeof document === "undefined") {
      return;
    }
    const types = ["pointerdown", "keydown", "touchend"];
    const wake = () => {
      types.forEach((type) => document.removeEventListener(type, wake, true));
      if (context.state !== "closed") {
        void context.resume();
      }
    };
    types.forEach((type) => document.addEventListener(type, wake, true));
  }
}
