// The microphone as 16-bit mono PCM at the rate that models hear.

import { denied, deviceError, devicesOf, explain, mediaDevices } from "./device-error.js";
import { Emitter } from "./emitter.js";
import { Framer, loudness, toPcm } from "./pcm.js";
import { Resampler } from "./resampler.js";

const BLOCK = 10; // ms that the audio thread collects

export class Microphone extends Emitter {
  #options;
  #muted;
  /** What runs: the device's stream and the nodes behind it. @type {Capture | null} */
  #capture = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  #level = 0;

  /** @param {import("./index.d.ts").MicrophoneOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = { rate: 16_000, frame: 20, ...options };
    this.#muted = options.muted ?? false;
  }

  static devices() {
    return devicesOf("audioinput", "microphone");
  }

  get running() {
    return this.#capture !== null;
  }

  get rate() {
    return this.#options.rate;
  }

  get stream() {
    return this.#capture?.stream ?? null;
  }

  get level() {
    return this.#level;
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    if (this.#muted !== muted) {
      this.#muted = muted;
      this.emit("muted", { muted });
    }
  }

  start() {
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  stop() {
    this.#halt("stopped");
  }

  /** @param {string} deviceId */
  async choose(deviceId) {
    this.#options.deviceId = deviceId;
    await this.#starting?.catch(() => {}); // what it was started with is over
    if (this.#capture) {
      const before = this.#capture;
      this.#capture = null;
      await before.close();
      await this.start();
    }
  }

  async #start() {
    if (this.#capture) {
      return;
    }
    const stream = await ask(this.#options);
    let capture;
    try {
      capture = await Capture.open(stream, this.#options);
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      throw explain(error, "microphone");
    }
    this.#capture = capture;
    const [track] = stream.getAudioTracks();
    track.onended = () => this.#capture === capture && this.#halt("unplugged");
    this.#listen(capture);
    const { sampleRate } = capture.context;
    const deviceId = track.getSettings().deviceId ?? "";
    this.emit("started", { deviceId, label: track.label, contextRate: sampleRate, resampled: sampleRate !== this.rate });
  }

  /** @param {Capture} capture */
  #listen(capture) {
    const resampler = new Resampler(capture.context.sampleRate, this.rate);
    const framer = new Framer(Math.round((this.rate * this.#options.frame) / 1000));
    capture.node.port.onmessage = ({ data }) => {
      for (const frame of framer.push(resampler.push(data))) {
        const level = loudness(frame);
        this.#level = level.rms;
        this.emit("level", level);
        if (!this.#muted) {
          this.emit("audio", { pcm: toPcm(frame), rate: this.rate });
        }
      }
    };
  }

  /** @param {"stopped" | "unplugged"} reason */
  #halt(reason) {
    const capture = this.#capture;
    if (capture) {
      this.#capture = null;
      this.#level = 0;
      void capture.close();
      this.emit("stopped", { reason });
    }
  }
}

/** @param {import("./index.d.ts").MicrophoneOptions} options @returns {Promise<MediaStream>} */
async function ask({ deviceId, echoCancellation = true, noiseSuppression = true, autoGainControl = true }) {
  const devices = mediaDevices("microphone", "getUserMedia");
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  const audio = { ...device, channelCount: 1, echoCancellation, noiseSuppression, autoGainControl };
  try {
    return await devices.getUserMedia({ audio });
  } catch (error) {
    throw explain(error, "microphone", { denied: await denied("microphone") });
  }
}

/** The nodes behind a microphone. */
class Capture {
  /** @param {MediaStream} stream @param {AudioContext} context @param {AudioNode[]} nodes @param {boolean} owned */
  constructor(stream, context, nodes, owned) {
    this.stream = stream;
    this.context = context;
    this.nodes = nodes;
    this.node = /** @type {AudioWorkletNode} */ (nodes[1]);
    this.owned = owned; // the context is only for this
  }

  /** @param {MediaStream} stream @param {import("./index.d.ts").MicrophoneOptions} options */
  static async open(stream, { context: shared, rate, workletUrl }) {
    if (typeof AudioWorkletNode === "undefined") {
      throw deviceError("unsupported", "microphone");
    }
    const { context, source } = shared
      ? { context: shared, source: shared.createMediaStreamSource(stream) }
      : sourceAt(/** @type {number} */ (rate), stream);
    try {
      await context.audioWorklet.addModule(workletUrl ?? new URL("./capture-worklet.js", import.meta.url));
      const block = Math.round((context.sampleRate * BLOCK) / 1000);
      const node = new AudioWorkletNode(context, "antiphon-capture", { processorOptions: { block } });
      source.connect(node);
      node.connect(context.destination); // silence; what leads nowhere is not run by every browser
      if (context.state === "suspended") {
        void context.resume();
      }
      return new Capture(stream, context, [source, node], !shared);
    } catch (error) {
      if (!shared) {
        await context.close();
      }
      throw error;
    }
  }

  async close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.node.port.onmessage = null;
    this.node.port.postMessage("close");
    this.nodes.forEach((node) => node.disconnect());
    if (this.owned && this.context.state !== "closed") {
      await this.context.close();
    }
  }
}

/**
 * A context at the wanted rate, where the browser can connect a microphone to one (Firefox cannot), else at its own.
 * @param {number} rate @param {MediaStream} stream
 */
function sourceAt(rate, stream) {
  let wanted;
  try {
    wanted = new AudioContext({ sampleRate: rate });
    return { context: wanted, source: wanted.createMediaStreamSource(stream) };
  } catch {
    void wanted?.close();
    const context = new AudioContext();
    return { context, source: context.createMediaStreamSource(stream) };
  }
}
