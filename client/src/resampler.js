// Changes the rate of sound piece by piece: a windowed sinc, one row of weights for each phase. Pure.

const ZERO_CROSSINGS = 24; // on each side
const ROLL_OFF = 0.92; // of the lower Nyquist frequency: where it is 6 dB down
const KAISER_BETA = 8; // 80 dB of stop band

export class Resampler {
  /** @param {number} from Hz @param {number} to Hz */
  constructor(from, to) {
    const common = divisor(from, to);
    this.from = from / common;
    this.to = to / common;
    const scale = Math.min(1, to / from);
    this.half = from === to ? 0 : Math.ceil(ZERO_CROSSINGS / scale);
    this.rows = from === to ? [] : weights(this.to, this.half, scale * ROLL_OFF);
    this.reset();
  }

  /** Begins another sound. */
  reset() {
    // Silence before the first sample, so that the first to come out is the first that went in.
    this.held = new Float32Array(this.half);
    this.index = 0; // in `held`, of the whole part of the place of the next sample to come out, less `half`
    this.phase = 0; // its fraction, in units of 1/to
    this.taken = 0;
    this.given = 0;
  }

  /**
   * What can be told of the sound so far.
   * @param {Float32Array} samples
   * @returns {Float32Array}
   */
  push(samples) {
    this.taken += samples.length;
    if (this.half === 0) {
      this.given += samples.length;
      return samples;
    }
    const held = new Float32Array(this.held.length + samples.length);
    held.set(this.held);
    held.set(samples, this.held.length);
    const taps = 2 * this.half + 1;
    const out = new Float32Array(Math.max(0, Math.ceil(((held.length - this.index) * this.to) / this.from) + 1));
    let count = 0;
    while (this.index + taps <= held.length) {
      const row = this.rows[this.phase];
      let sum = 0;
      for (let tap = 0; tap < taps; tap += 1) {
        sum += row[tap] * held[this.index + tap];
      }
      out[count] = sum;
      count += 1;
      this.phase += this.from;
      this.index += Math.floor(this.phase / this.to);
      this.phase %= this.to;
    }
    const done = Math.min(this.index, held.length);
    this.held = held.slice(done);
    this.index -= done;
    this.given += count;
    return out.subarray(0, count);
  }

  /** The rest, when no more sound comes; it may begin anew then. @returns {Float32Array} */
  end() {
    const wanted = Math.ceil((this.taken * this.to) / this.from) - this.given;
    const rest = this.push(new Float32Array(this.half + this.from)).subarray(0, Math.max(0, wanted));
    this.reset();
    return rest;
  }
}

function divisor(a, b) {
  return b === 0 ? a : divisor(b, a % b);
}

/** @param {number} phases @param {number} half taps on each side @param {number} cutoff of the input's Nyquist frequency */
function weights(phases, half, cutoff) {
  const edge = bessel(KAISER_BETA);
  return Array.from({ length: phases }, (_, phase) => {
    const row = new Float32Array(2 * half + 1);
    let sum = 0;
    for (let tap = 0; tap <= 2 * half; tap += 1) {
      const at = tap - half - phase / phases;
      const inside = 1 - (at / (half + 1)) ** 2;
      const window = inside > 0 ? bessel(KAISER_BETA * Math.sqrt(inside)) / edge : 0;
      const x = Math.PI * cutoff * at;
      row[tap] = window * (x === 0 ? 1 : Math.sin(x) / x);
      sum += row[tap];
    }
    return row.map((weight) => weight / sum); // as loud as before, in every phase
  });
}

/** The modified Bessel function of order 0. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
