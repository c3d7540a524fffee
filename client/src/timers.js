// Timers by what they wait for: one of each.

export class Timers {
  /** @param {import("./index.d.ts").Clock} clock */
  constructor(clock) {
    this.clock = clock;
    /** @type {Map<string, unknown>} */
    this.running = new Map();
  }

  /** @param {string} what @param {number} milliseconds @param {() => void} callback */
  start(what, milliseconds, callback) {
    this.stop(what);
    const done = () => {
      this.running.delete(what);
      callback();
    };
    this.running.set(what, this.clock.setTimeout(done, milliseconds));
  }

  has(what) {
    return this.running.has(what);
  }

  stop(what) {
    if (this.running.has(what)) {
      this.clock.clearTimeout(this.running.get(what));
      this.running.delete(what);
    }
  }

  clear() {
    [...this.running.keys()].forEach((what) => this.stop(what));
  }
}
