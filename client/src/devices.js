// What a conversation and the devices of a page have to tell each other.

/**
 * @param {import("./index.d.ts").Conversation} conversation
 * @param {{microphone?: any, player?: any, camera?: any}} devices
 * @param {{manual: boolean, sounding: (type: "audio" | "silent") => void}} ways `manual`: the client says when the user
 * speaks, so a microphone that is off says nothing
 * @returns {() => void}
 */
export function connect(conversation, { microphone, player, camera }, { manual, sounding }) {
  const offs = [];
  if (microphone) {
    offs.push(...speaking(conversation, microphone, manual));
  }
  if (player) {
    offs.push(...hearing(conversation, player, sounding));
  }
  if (camera) {
    offs.push(camera.on("image", ({ bytes, mimeType }) => conversation.image(bytes, mimeType)));
  }
  return () => offs.splice(0).forEach((off) => off());
}

function speaking(conversation, microphone, manual) {
  let told = true; // that nothing is to be heard
  const off = () => {
    if (!told && !manual && conversation.state !== "closed" && conversation.role === "speaker") {
      conversation.audioEnd();
    }
    told = true;
  };
  return [
    microphone.on("audio", ({ pcm, rate }) => {
      told = false;
      conversation.audio(pcm, rate);
    }),
    microphone.on("muted", ({ muted }) => muted && off()),
    microphone.on("stopped", off),
  ];
}

function hearing(conversation, player, sounding) {
  return [
    conversation.on("audio", (frame) => player.enqueue(frame)),
    conversation.on("audio end", ({ stream }) => player.end(stream)),
    conversation.on("flush", ({ stream }) => player.flush(stream)),
    conversation.on("hello", ({ resumed }) => resumed || player.reset()),
    conversation.on("closed", () => player.flush()),
    conversation.on("stopping", (detail) => (detail.played = Math.max(detail.played, player.played(detail.stream)))),
    player.on("played", ({ stream, played }) => conversation.state === "closed" || conversation.playback(stream, played)),
    player.on("playing", () => sounding("audio")),
    player.on("idle", () => sounding("silent")),
  ];
}
