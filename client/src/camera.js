// The camera or the screen as JPEG images, one per second.

import { denied, devicesOf, explain, mediaDevices } from "./device-error.js";
import { Emitter } from "./emitter.js";

export class Camera extends Emitter {
  #options;
  /** @type {{stream: MediaStream, video: HTMLVideoElement, timer: ReturnType<typeof setInterval>} | null} */
  #running = null;
  /** @type {Promise<void> | null} */
  #starting = null;

  /** @param {import("./index.d.ts").CameraOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = { perSecond: 1, size: 768, quality: 0.7, ...options, source: options.source ?? "camera" };
  }

  static devices() {
    return devicesOf("videoinput", "camera");
  }

  get running() {
    return this.#running !== null;
  }

  get stream() {
    return this.#running?.stream ?? null;
  }

  start() {
    this.#starting ??= this.#start().finally(() => (this.#starting = null));
    return this.#starting;
  }

  stop() {
    this.#halt("stopped");
  }

  async #start() {
    if (this.#running) {
      return;
    }
    const { source, perSecond } = this.#options;
    const stream = await ask(this.#options);
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, srcObject: stream });
    try {
      await video.play();
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      throw explain(error, source);
    }
    let busy = false;
    const look = async () => {
      if (!busy) {
        busy = true; // a slow page leaves images out instead of piling them up
        await this.#look(video).finally(() => (busy = false));
      }
    };
    this.#running = { stream, video, timer: setInterval(look, 1000 / perSecond) };
    const [track] = stream.getVideoTracks();
    track.onended = () => this.#running?.stream === stream && this.#halt("ended");
    this.emit("started", { source, label: track.label });
    await look();
  }

  /** @param {HTMLVideoElement} video */
  async #look(video) {
    const { videoWidth, videoHeight } = video;
    if (videoWidth === 0) {
      return; // nothing is seen yet
    }
    const { width, height } = fitted(videoWidth, videoHeight, this.#options.size);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.getContext("2d")?.drawImage(video, 0, 0, width, height);
    /** @type {Blob | null} */
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", this.#options.quality));
    if (blob && this.#running?.video === video) {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      this.emit("image", { bytes, mimeType: "image/jpeg", width, height });
    }
  }

  /** @param {"stopped" | "ended"} reason */
  #halt(reason) {
    const running = this.#running;
    if (running) {
      this.#running = null;
      clearInterval(running.timer);
      running.stream.getTracks().forEach((track) => track.stop());
      running.video.srcObject = null;
      this.emit("stopped", { reason });
    }
  }
}

/** @param {number} width @param {number} height @param {number} longest of the sides that come out */
export function fitted(width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** @param {import("./index.d.ts").CameraOptions} options @returns {Promise<MediaStream>} */
async function ask({ source, deviceId, facing, size }) {
  if (source === "screen") {
    const devices = mediaDevices("screen", "getDisplayMedia");
    try {
      return await devices.getDisplayMedia({ video: { frameRate: 5 }, audio: false });
    } catch (error) {
      throw explain(error, "screen");
    }
  }
  const devices = mediaDevices("camera", "getUserMedia");
  const which = deviceId ? { deviceId: { exact: deviceId } } : facing ? { facingMode: facing } : {};
  try {
    return await devices.getUserMedia({ video: { ...which, width: { ideal: size }, frameRate: { ideal: 15 } } });
  } catch (error) {
    throw explain(error, "camera", { denied: await denied("camera") });
  }
}
