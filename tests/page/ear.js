// Tells the page what passes, block by block, with the audio clock's time: a busy page misses none of it.

class Ear extends AudioWorkletProcessor {
  process([input]) {
    this.port.postMessage({ at: currentTime * 1000, samples: input[0]?.slice() ?? null });
    return true;
  }
}

registerProcessor("ear", Ear);
