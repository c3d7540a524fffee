// The codec of antiphon.v1 (docs/protocol.md), the client's end: pure. Frames up are made, frames down are read.

export const SUBPROTOCOL = "antiphon.v1";
export const PCM = 1;
export const JPEG = 2;
export const PNG = 3;
export const HEADER_BYTES = 16;

const LARGEST = Number.MAX_SAFE_INTEGER;
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A frame that breaks the protocol. `code` is one of protocol 7.1. */
export class Malformed extends Error {
  constructor(message, code = "bad_message") {
    super(message);
    this.name = "Malformed";
    this.code = code;
  }
}

// --- up -----------------------------------------------------------------------------------------------------

/**
 * The text frame of a control message; fields that are null or undefined are left out.
 * @param {Record<string, unknown>} message
 * @returns {string}
 */
export function encodeControl(message) {
  return JSON.stringify(message, (_, value) => (value === null ? undefined : value));
}

/**
 * The binary frame of sound or of an image (protocol 2.1).
 * @param {{kind: number, rate?: number, stream?: number, number: number, at: number, data: Int16Array | Uint8Array}} media
 * `data`: samples of 16-bit mono PCM, or the bytes of an image. `rate`: Hz. `at`: milliseconds.
 * @returns {ArrayBuffer}
 */
export function encodeMedia({ kind, rate = 0, stream = 0, number, at, data }) {
  if (rate % 100 !== 0) {
    throw new RangeError(`Sound at ${rate} Hz: resample it to a multiple of 100 Hz.`);
  }
  const frame = new ArrayBuffer(HEADER_BYTES + data.byteLength);
  const view = new DataView(frame);
  view.setUint8(0, kind);
  view.setUint16(2, rate / 100);
  view.setUint32(4, stream);
  view.setUint32(8, number);
  view.setUint32(12, at);
  if (data instanceof Int16Array && !LITTLE_ENDIAN) {
    data.forEach((sample, index) => view.setInt16(HEADER_BYTES + 2 * index, sample, true));
  } else {
    new Uint8Array(frame, HEADER_BYTES).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return frame;
}

// --- down ---------------------------------------------------------------------------------------------------

/**
 * What the server sent. Media is `{type: "audio", stream, number, at, rate, pcm}`; a type of a later server comes as it is.
 * @param {string | ArrayBuffer} frame
 * @returns {any}
 */
export function decode(frame) {
  return typeof frame === "string" ? decodeControl(frame) : decodeMedia(frame);
}

/** @param {ArrayBuffer} frame */
function decodeMedia(frame) {
  if (frame.byteLength <= HEADER_BYTES) {
    throw new Malformed(`Media needs a header of ${HEADER_BYTES} bytes and a payload; ${frame.byteLength} bytes came.`);
  }
  const view = new DataView(frame);
  const rate = view.getUint16(2) * 100;
  const stream = view.getUint32(4);
  if (view.getUint8(0) !== PCM || stream === 0) {
    throw new Malformed("Only PCM comes down, and it belongs to an answer.");
  }
  if (rate < 8000 || rate > 48000) {
    throw new Malformed(`Sound has 8 to 48 kHz, not ${rate} Hz.`);
  }
  if (frame.byteLength % 2 !== 0) {
    throw new Malformed(`Sound is whole samples of 16 bits; ${frame.byteLength} bytes came.`);
  }
  return { type: "audio", stream, number: view.getUint32(8), at: view.getUint32(12), rate, pcm: samples(frame, view) };
}

function samples(frame, view) {
  if (LITTLE_ENDIAN) {
    return new Int16Array(frame, HEADER_BYTES);
  }
  const count = (frame.byteLength - HEADER_BYTES) / 2;
  return Int16Array.from({ length: count }, (_, index) => view.getInt16(HEADER_BYTES + 2 * index, true));
}

const whole = (least) => (value) => Number.isInteger(value) && value >= least && value <= LARGEST;
const text = (value) => typeof value === "string";
const flag = (value) => typeof value === "boolean";
const seconds = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const object = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const role = (value) => value === "speaker" || value === "watcher";
const optional = (check) => (value) => value === undefined || value === null || check(value);
const shape = (fields) => (value) => object(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const CAPABILITIES = shape({
  audio_input: flag,
  audio_output: flag,
  video_input: flag,
  text_output: flag,
  manual_activity: flag,
  input_rate: whole(1),
  output_rate: whole(1),
});

const DOWN = {
  hello: {
    protocol: text,
    conversation: text,
    session: text,
    user: text,
    agent: text,
    resume: text,
    grace: seconds,
    resumed: flag,
    role,
    received: whole(0),
    capabilities: CAPABILITIES,
    limits: object,
  },
  queue: { position: whole(1), length: whole(1) },
  received: { n: whole(0) },
  event: { seq: whole(1), event: object },
  flush: { seq: whole(1), stream: whole(0) },
  drain: { seq: whole(1), seconds },
  role: { seq: whole(1), role },
  closed: { seq: whole(1), reason: text },
  shed: { seq: whole(1), stream: whole(1), number: whole(0), frames: whole(1) },
  error: { code: text, message: text, n: optional(whole(0)) },
};

/** @param {string} frame */
function decodeControl(frame) {
  let message;
  try {
    message = JSON.parse(frame);
  } catch (error) {
    throw new Malformed(`A text frame is JSON (${error instanceof Error ? error.message : error}).`);
  }
  if (!object(message) || !text(message.type)) {
    throw new Malformed("A text frame is an object with a `type`.");
  }
  const fields = Object.hasOwn(DOWN, message.type) ? DOWN[message.type] : {};
  for (const [name, check] of Object.entries(fields)) {
    if (!check(message[name])) {
      throw new Malformed(`${message.type}: \`${name}\` cannot be ${JSON.stringify(message[name])}.`);
    }
  }
  return message;
}
