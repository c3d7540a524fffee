/** @antiphon/client: talk with an Antiphon agent from a browser. */

export { Camera } from "./camera.js";
export { Conversation } from "./conversation.js";
export { DeviceError } from "./device-error.js";
export { ConversationClosed } from "./endings.js";
export { Microphone } from "./microphone.js";
export { Player } from "./player.js";
export { PushToTalk } from "./push-to-talk.js";
export { VoiceActivity } from "./voice-activity.js";
