/** Talk with an Antiphon agent from a browser: `antiphon.v1` (docs/protocol.md), microphone, player, camera. */

// --- the conversation ---------------------------------------------------------------------------------------

/** What the conversation is doing, for people to see. */
export type State =
  | "connecting"
  | "in line"
  | "listening"
  | "thinking"
  | "speaking"
  | "interrupted"
  | "reconnecting"
  | "closed";

export type Role = "speaker" | "watcher";

/** An agent event as its JSON (contract 3.1); only the fields that this client looks at are named. */
export interface AgentEvent {
  id?: string;
  author?: string;
  partial?: boolean;
  turnComplete?: boolean;
  interrupted?: boolean;
  interactionStatus?: string;
  content?: { role?: string; parts?: Array<Record<string, unknown>> };
  inputTranscription?: { text?: string; finished?: boolean };
  outputTranscription?: { text?: string; finished?: boolean };
  errorCode?: string;
  errorMessage?: string;
  [field: string]: unknown;
}

/** For a new conversation only. */
export interface ConversationConfig {
  modality?: "AUDIO" | "TEXT";
  proactivity?: boolean;
  affective_dialog?: boolean;
  /** The client says when the user speaks (`activityStart`, `activityEnd`): push-to-talk. */
  manual_activity?: boolean;
}

export interface Capabilities {
  audio_input: boolean;
  audio_output: boolean;
  video_input: boolean;
  text_output: boolean;
  manual_activity: boolean;
  /** Hz. */
  input_rate: number;
  /** Hz. */
  output_rate: number;
}

export interface Hello {
  type: "hello";
  protocol: "antiphon.v1";
  conversation: string;
  session: string;
  user: string;
  agent: string;
  resume: string;
  /** Seconds that the server keeps the conversation of a client that is away. */
  grace: number;
  resumed: boolean;
  role: Role;
  received: number;
  capabilities: Capabilities;
  limits: Record<string, number>;
}

/** What it takes to come back, also after the page was reloaded. Plain JSON. */
export interface Ticket {
  resume: string;
  /** The last control message that was processed. */
  seq: number;
  /** The last media frame that need not be told again: `[stream, number]`. */
  audio: [number, number] | null;
  /** Milliseconds of the answer `audio[0]` that lie before the next frame. */
  position: number;
}

export interface ReconnectOptions {
  /** Milliseconds before the first attempt after a break; doubles with each. Default 250. */
  first?: number;
  /** Milliseconds, at most, between two attempts. Default 8000. */
  longest?: number;
  /** Milliseconds without any success after which it closes with reason `"unreachable"`. Default 300 000. */
  giveUp?: number;
}

export interface ConversationOptions {
  config?: ConversationConfig;
  /** Only watch; `take()` asks for the floor. */
  watch?: boolean;
  /** A bearer token, or a function that is asked for one at every connection. */
  token?: string | (() => string | Promise<string>);
  /** What an earlier page kept (`conversation.ticket`). */
  ticket?: Ticket | null;
  /** Where to keep the ticket, so that a reloaded page comes back by itself: `sessionStorage`. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  reconnect?: ReconnectOptions;
  /** For tests and other runtimes: what stands for the browser's WebSocket, timers and chance. */
  WebSocket?: new (url: string, protocols?: string[]) => WebSocket;
  clock?: Clock;
  random?: () => number;
  /** Where `online` and `offline` are told. */
  network?: EventTarget;
}

export interface Clock {
  /** Milliseconds. */
  now(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

export type CloseReason =
  /** `close()` was called. */
  | "client"
  /** The conversation is over; `detail` says why. */
  | "server"
  /** The same conversation was opened by another socket of this client. */
  | "elsewhere"
  /** Who you are, or where you come from, is not allowed. */
  | "not_allowed"
  /** The line is full. */
  | "queue_full"
  | "idle"
  /** No connection within `reconnect.giveUp`. */
  | "unreachable"
  /** The server refused what this client sent. */
  | "refused";

export interface ConversationEvents {
  state: { state: State; before: State };
  /** At the first connection and after every return; `resumed` says whether it goes on or began anew. */
  hello: Hello;
  /** Place in line, from 1. */
  queue: { position: number; length: number };
  /** An event of the agent, once and in order. */
  event: AgentEvent;
  /** Sound to be played. `position` is where it begins in its answer, in milliseconds. */
  audio: AudioFrame;
  /** What was not played of `stream` and of all before it is never to be played. */
  flush: { stream: number };
  /** Sound that is missing. */
  shed: { stream: number; number: number; frames: number };
  /** No more sound of this answer comes. */
  "audio end": { stream: number };
  role: { role: Role };
  drain: { seconds: number };
  /** The server refused a message; the conversation goes on. */
  error: { code: string; message: string; n?: number };
  /** The connection broke; the next attempt is in `delay` ms. `reason` is for people. */
  reconnecting: { attempt: number; delay: number; reason: string };
  closed: { reason: CloseReason; detail: string; code: number | null };
  /** Every control message both ways, for consoles. Media is told by its header, without its payload. */
  message: { direction: "up" | "down"; at: number; message: Record<string, unknown> };
}

export interface AudioFrame {
  stream: number;
  number: number;
  /** Milliseconds since the conversation began. */
  at: number;
  /** Hz. */
  rate: number;
  /** Milliseconds from the answer's beginning. */
  position: number;
  pcm: Int16Array;
}

export type ConversationEvent = {
  [Type in keyof ConversationEvents]: { type: Type; detail: ConversationEvents[Type] };
}[keyof ConversationEvents];

export class Conversation extends EventTarget {
  /** `url` is `wss://host/ws/{user}/{session}`; `http(s)` and addresses relative to the page are taken too. */
  constructor(url: string | URL, options?: ConversationOptions);
  readonly url: string;
  /** Whether `manual_activity` was asked for. */
  readonly manual: boolean;
  readonly state: State;
  readonly role: Role;
  readonly hello: Hello | null;
  readonly queue: { position: number; length: number } | null;
  /** Control messages that were sent and not acknowledged yet. */
  readonly unacknowledged: number;
  /** Upstream media frames that were left out because the connection was away or slow. */
  readonly dropped: number;
  readonly reconnects: number;
  readonly ticket: Ticket | null;
  /** Resolves with the first `hello`; rejects with `ConversationClosed` if it ends before. */
  connect(): Promise<Hello>;
  /** A typed turn. These return the message's number `n`. */
  text(text: string): number;
  activityStart(): number;
  activityEnd(): number;
  /** The microphone is off for now. */
  audioEnd(): number;
  /** No more of the answer that is being told; without one, does nothing and returns null. */
  stop(): number | null;
  /** A watcher asks for the floor. */
  take(): number;
  /** 16-bit mono PCM. Kept for up to 2 s while reconnecting; the oldest goes first. */
  audio(pcm: Int16Array, rate?: number): void;
  /** JPEG or PNG. Left out while there is no connection, or faster than the server takes. */
  image(bytes: ArrayBuffer | Uint8Array, mimeType?: "image/jpeg" | "image/png"): void;
  /** How much of an answer was heard, in milliseconds. `attach` does this for a player. */
  playback(stream: number, played: number): void;
  /** Connects devices: what the microphone and camera give is sent, answers are played and reported. */
  attach(devices: { microphone?: Microphone; player?: Player; camera?: Camera }): () => void;
  /** Ends the conversation (`leave: true`: only this client's part in it, which may be resumed). */
  close(options?: { leave?: boolean }): void;
  /** Typed `addEventListener`; returns what takes the listener off. The listener gets the detail. */
  on<Type extends keyof ConversationEvents>(
    type: Type,
    listener: (detail: ConversationEvents[Type]) => void,
  ): () => void;
  /** All that happens, as `{type, detail}`, until it is closed. */
  [Symbol.asyncIterator](): AsyncIterator<ConversationEvent>;
}

export class ConversationClosed extends Error {
  readonly reason: CloseReason;
  readonly code: number | null;
}

// --- microphone ---------------------------------------------------------------------------------------------

export interface MicrophoneOptions {
  /** Hz of what it gives. Default 16 000. */
  rate?: number;
  /** Milliseconds per frame. Default 20. */
  frame?: number;
  deviceId?: string;
  /** All three default to true. */
  echoCancellation?: boolean;
  noiseSuppression?: boolean;
  autoGainControl?: boolean;
  /** Begin muted (push-to-talk). */
  muted?: boolean;
  /** A context to share; without one the microphone has its own. */
  context?: AudioContext;
  workletUrl?: string | URL;
}

export interface MicrophoneEvents {
  audio: { pcm: Int16Array; rate: number };
  /** RMS and peak from 0 to 1, also while muted; about 50 per second. */
  level: { rms: number; peak: number };
  muted: { muted: boolean };
  started: { deviceId: string; label: string; contextRate: number; resampled: boolean };
  /** It was stopped, or the device is gone. */
  stopped: { reason: "stopped" | "unplugged" };
}

export class Microphone extends EventTarget {
  constructor(options?: MicrophoneOptions);
  /** The devices there are; labels only after permission was given. */
  static devices(): Promise<Array<{ deviceId: string; label: string }>>;
  /** Asks for permission and begins. Throws `DeviceError`. Call it in a click. */
  start(): Promise<void>;
  stop(): void;
  /** Changes the device, also while it runs. */
  choose(deviceId: string): Promise<void>;
  readonly running: boolean;
  readonly rate: number;
  readonly stream: MediaStream | null;
  /** RMS of the last frame, 0 to 1. */
  readonly level: number;
  muted: boolean;
  on<Type extends keyof MicrophoneEvents>(
    type: Type,
    listener: (detail: MicrophoneEvents[Type]) => void,
  ): () => void;
}

/** The device cannot be used; the message tells a person what to do. */
export class DeviceError extends Error {
  readonly code: "refused" | "dismissed" | "no_device" | "busy" | "insecure" | "unsupported" | "failed";
  readonly device: "microphone" | "camera" | "screen" | "loudspeaker";
}

// --- player -------------------------------------------------------------------------------------------------

export interface PlayerOptions {
  /** Milliseconds of sound waited for before an answer begins; grows when it runs dry. Default 60. */
  jitter?: number;
  /** Milliseconds it may grow to. Default 300. */
  longestJitter?: number;
  /** Seconds of sound kept waiting at most; what is over is left out. Default 300. */
  capacity?: number;
  /** 0 to 1. */
  volume?: number;
  context?: AudioContext;
  workletUrl?: string | URL;
}

export interface PlayerEvents {
  /** `played` is milliseconds of `stream` that were heard: first after 250 ms, then every 500 ms, and at once when flushed or run dry. */
  played: { stream: number; played: number; flushed: boolean };
  /** The first sound of an answer leaves. */
  playing: { stream: number };
  /** Nothing is left to play. */
  idle: { stream: number };
  flushed: { stream: number; played: number };
  /** It ran dry inside an answer. */
  underrun: { stream: number; underruns: number };
  /** The browser lets the page sound, or no longer. */
  blocked: { blocked: boolean };
}

export class Player extends EventTarget {
  constructor(options?: PlayerOptions);
  /** Browsers let pages sound only after a click or key: call it there. Sound that came before waits. */
  start(): Promise<void>;
  /** True when the browser does not let the page sound yet. */
  readonly blocked: boolean;
  enqueue(frame: { stream: number; pcm: Int16Array; rate: number; position?: number }): void;
  /** No more comes of `stream`. */
  end(stream: number): void;
  /** Silent within one render quantum (128 samples). Without `stream`: everything. */
  flush(stream?: number): void;
  /** Forgets all answers: another conversation begins and numbers them anew. */
  reset(): void;
  /** Milliseconds of `stream` (default: the newest played) that were heard, by the audio clock, up to now. */
  played(stream?: number): number;
  /** The answer that sounds now. */
  readonly stream: number | null;
  /** Milliseconds waiting to be played. */
  readonly buffered: number;
  readonly underruns: number;
  /** Milliseconds that were left out because `capacity` was full. */
  readonly dropped: number;
  /** RMS of what leaves, 0 to 1. */
  readonly level: number;
  volume: number;
  readonly context: AudioContext | null;
  /** Its output, to connect meters, recorders and effects. */
  readonly output: AudioNode | null;
  chooseOutput(deviceId: string): Promise<void>;
  close(): Promise<void>;
  on<Type extends keyof PlayerEvents>(
    type: Type,
    listener: (detail: PlayerEvents[Type]) => void,
  ): () => void;
}

// --- voice activity, push-to-talk, camera -------------------------------------------------------------------

export interface VoiceActivityOptions {
  /** dB above the noise that is taken for speech. Default 10. */
  above?: number;
  /** dB of full scale that speech has at least. Default -50. */
  floor?: number;
  /** Milliseconds of speech before it counts. Default 60. */
  attack?: number;
  /** Milliseconds of silence before it is over. Default 500. */
  release?: number;
}

/** Tells speech from silence by energy: for lamps and meters. Who has the floor, the server decides. */
export class VoiceActivity extends EventTarget {
  constructor(options?: VoiceActivityOptions);
  /** Returns what changed, if anything. */
  feed(pcm: Int16Array, rate: number): "start" | "end" | null;
  readonly speaking: boolean;
  /** dB of full scale. */
  readonly level: number;
  readonly noise: number;
  reset(): void;
  /** Feeds itself from a microphone; returns what ends that. */
  watch(microphone: Microphone): () => void;
  on(type: "start" | "end", listener: (detail: { at: number }) => void): () => void;
}

export interface PushToTalkOptions {
  microphone: Microphone;
  /** `KeyboardEvent.code`; null for none. Default `"Space"`. Typing in a field is left alone. */
  key?: string | null;
  /** A button to hold; by pointer, and by Space or Enter when it has the focus. */
  button?: HTMLElement | null;
  /** Where keys are listened for. Default `document`. */
  target?: EventTarget;
}

/** Holds the microphone muted except while pressed; tells the server where `manual_activity` was asked for. */
export class PushToTalk extends EventTarget {
  constructor(conversation: Conversation, options: PushToTalkOptions);
  readonly pressed: boolean;
  press(): void;
  release(): void;
  /** Takes its listeners off; the microphone stays as it is. */
  detach(): void;
  on(type: "press" | "release", listener: () => void): () => void;
}

export interface CameraOptions {
  source?: "camera" | "screen";
  deviceId?: string;
  facing?: "user" | "environment";
  /** Default 1. */
  perSecond?: number;
  /** Pixels of the longer side, at most. Default 768. */
  size?: number;
  /** JPEG quality. Default 0.7. */
  quality?: number;
}

export interface CameraEvents {
  image: { bytes: Uint8Array; mimeType: "image/jpeg"; width: number; height: number };
  started: { source: "camera" | "screen"; label: string };
  /** Stopped here, by the browser's own "stop sharing", or unplugged. */
  stopped: { reason: "stopped" | "ended" };
}

export class Camera extends EventTarget {
  constructor(options?: CameraOptions);
  static devices(): Promise<Array<{ deviceId: string; label: string }>>;
  /** Throws `DeviceError`. */
  start(): Promise<void>;
  stop(): void;
  readonly running: boolean;
  /** For a `<video>` that shows what is sent. */
  readonly stream: MediaStream | null;
  on<Type extends keyof CameraEvents>(type: Type, listener: (detail: CameraEvents[Type]) => void): () => void;
}
