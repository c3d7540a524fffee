// In the audio thread: everything that passes, with the frame of the audio clock at which it does.
registerProcessor(
  "recorder",
  class extends AudioWorkletProcessor {
    process([[input]]) {
      this.port.postMessage({ frame: currentFrame, samples: input ? input.slice() : new Float32Array(128) });
      return true;
    }
  },
);
