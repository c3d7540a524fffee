// Samples as 16-bit integers and as floats, pieces of even length, and how loud they are. Pure.

/** @param {Int16Array} pcm @returns {Float32Array} from -1 to 1 */
export function toFloat(pcm) {
  return Float32Array.from(pcm, (sample) => sample / 32768);
}

/** @param {Float32Array} samples @returns {Int16Array} */
export function toPcm(samples) {
  return Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))));
}

/** RMS and peak from 0 to 1. @param {Float32Array} samples */
export function loudness(samples) {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rms: samples.length ? Math.sqrt(sum / samples.length) : 0, peak };
}

/** Cuts sound into frames of one length. */
export class Framer {
  /** @param {number} length samples per frame */
  constructor(length) {
    this.frame = new Float32Array(length);
    this.filled = 0;
  }

  /** @param {Float32Array} samples @returns {Float32Array[]} the frames that are full now */
  push(samples) {
    const frames = [];
    let at = 0;
    while (at < samples.length) {
      const take = Math.min(samples.length - at, this.frame.length - this.filled);
      this.frame.set(samples.subarray(at, at + take), this.filled);
      this.filled += take;
      at += take;
      if (this.filled === this.frame.length) {
        frames.push(this.frame);
        this.frame = new Float32Array(this.frame.length);
        this.filled = 0;
      }
    }
    return frames;
  }
}
