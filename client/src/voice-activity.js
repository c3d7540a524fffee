// Tells speech from silence by energy, against the noise that there is. For lamps and meters: the server decides on turns.

import { Emitter } from "./emitter.js";

const QUIETEST = -90; // dB of full scale
const HYSTERESIS = 4; // dB
const RISE = 6; // dB per second that the noise may seem to grow
const FALL = 60; // dB per second that it may seem to shrink

export class VoiceActivity extends Emitter {
  #options;

  /** @param {import("./index.d.ts").VoiceActivityOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = { above: 10, floor: -50, attack: 60, release: 500, ...options };
    this.reset();
  }

  reset() {
    this.speaking = false;
    this.level = QUIETEST;
    this.noise = -60;
    this.changing = 0; // ms of sound that speaks against `speaking`
    this.at = 0; // ms of sound
  }

  /**
   * @param {Int16Array} pcm @param {number} rate Hz
   * @returns {"start" | "end" | null}
   */
  feed(pcm, rate) {
    const { above, floor, attack, release } = this.#options;
    const duration = (1000 * pcm.length) / rate;
    this.at += duration;
    this.level = decibels(pcm);
    const line = Math.max(floor, this.noise + above) - (this.speaking ? HYSTERESIS : 0);
    const loud = this.level > line;
    if (!loud) {
      const toward = this.level - this.noise;
      this.noise += Math.max((-FALL * duration) / 1000, Math.min((RISE * duration) / 1000, toward));
      this.noise = Math.max(QUIETEST, this.noise);
    } else {
      this.noise += (0.1 * RISE * duration) / 1000; // a noise that begins is taken for speech, but not for ever
    }
    this.changing = loud === this.speaking ? 0 : this.changing + duration;
    if (this.changing < (this.speaking ? release : attack) - 0.5) {
      return null;
    }
    this.changing = 0;
    this.speaking = !this.speaking;
    const type = this.speaking ? "start" : "end";
    this.emit(type, { at: this.at });
    return type;
  }

  /** @param {import("./index.d.ts").Microphone} microphone @returns {() => void} */
  watch(microphone) {
    const silence = () => {
      if (this.speaking) {
        this.speaking = false;
        this.changing = 0;
        this.emit("end", { at: this.at });
      }
    };
    const offs = [
      microphone.on("audio", ({ pcm, rate }) => this.feed(pcm, rate)),
      microphone.on("muted", ({ muted }) => muted && silence()),
      microphone.on("stopped", silence),
    ];
    return () => offs.forEach((off) => off());
  }
}

/** @param {Int16Array} pcm @returns {number} dB of full scale */
function decibels(pcm) {
  let sum = 0;
  for (const sample of pcm) {
    sum += sample * sample;
  }
  return pcm.length && sum ? Math.max(QUIETEST, 10 * Math.log10(sum / pcm.length / 32768 ** 2)) : QUIETEST;
}
