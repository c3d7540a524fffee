// What the tests in a browser use, as globals beside the client's classes.

import * as client from "/client/index.js";

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function until(holds) {
  while (!holds()) {
    await wait(5);
  }
}

function base64(pcm) {
  const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** A sine of amplitude 0.25 as PCM. */
function tone(milliseconds, hertz = 500, rate = 24000) {
  const length = (rate * milliseconds) / 1000;
  return Int16Array.from({ length }, (_, at) => 8192 * Math.sin((2 * Math.PI * hertz * at) / rate));
}

/** Hands an answer to the player in frames of 20 ms. */
function play(player, stream, pcm, rate = 24000) {
  for (let at = 0; at < pcm.length; at += rate / 50) {
    player.enqueue({ stream, pcm: pcm.subarray(at, at + rate / 50), rate, position: (1000 * at) / rate });
  }
}

/** Records what leaves a player; seconds are the audio clock's. */
async function record(player) {
  await player.context.audioWorklet.addModule("/stage/recorder.js");
  const node = new AudioWorkletNode(player.context, "recorder");
  const quanta = [];
  node.port.onmessage = ({ data }) => quanta.push(data);
  player.output.connect(node).connect(player.context.destination);
  const rate = player.context.sampleRate;
  const loudest = (samples) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return {
    rate,
    /** The second at which each quantum leaves, and its loudest sample. */
    peaks: () => quanta.map(({ frame, samples }) => [frame / rate, loudest(samples)]),
    /** From the first sound on. */
    all() {
      const begun = quanta.slice(quanta.findIndex(({ samples }) => loudest(samples) > 0));
      const found = begun[0].samples.findIndex((sample) => sample !== 0);
      return { start: (begun[0].frame + found) / rate, samples: begun.flatMap(({ samples }) => [...samples]).slice(found) };
    },
  };
}

Object.assign(window, client, { wait, until, base64, tone, play, record, ready: true });
