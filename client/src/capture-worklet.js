// Runs in the audio thread: hands the microphone's sound to the page in blocks, mixed to mono. Imports nothing.

/** Collects render quanta. Pure. */
export class Blocks {
  /** @param {number} length samples */
  constructor(length) {
    this.length = length;
    this.block = new Float32Array(length);
    this.filled = 0;
  }

  /**
   * @param {Float32Array[]} channels of one quantum; none when nothing is connected
   * @param {(block: Float32Array) => void} give called with every full block, which is not used here any more
   */
  push(channels, give) {
    const count = channels.length;
    const samples = count > 0 ? channels[0].length : 0;
    for (let at = 0; at < samples; at += 1) {
      let sum = 0;
      for (let channel = 0; channel < count; channel += 1) {
        sum += channels[channel][at];
      }
      this.block[this.filled] = sum / count;
      this.filled += 1;
      if (this.filled === this.length) {
        give(this.block);
        this.block = new Float32Array(this.length);
        this.filled = 0;
      }
    }
  }
}

if (typeof registerProcessor === "function") {
  registerProcessor(
    "antiphon-capture",
    class extends AudioWorkletProcessor {
      constructor({ processorOptions }) {
        super();
        this.blocks = new Blocks(processorOptions.block);
        this.running = true;
        this.port.onmessage = () => (this.running = false);
      }

      process([channels]) {
        this.blocks.push(channels, (block) => this.port.postMessage(block, [block.buffer]));
        return this.running;
      }
    },
  );
}
