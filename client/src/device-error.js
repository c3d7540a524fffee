// Devices that cannot be used, told so that a person knows what to do.

/** `code` is for programs, the message for people. */
export class DeviceError extends Error {
  /**
   * @param {import("./index.d.ts").DeviceError["code"]} code
   * @param {import("./index.d.ts").DeviceError["device"]} device
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(code, device, message, cause) {
    super(message, { cause });
    this.name = "DeviceError";
    this.code = code;
    this.device = device;
  }
}

const ADVICE = {
  refused: (device) => `This page may not use the ${device}: allow it in the browser's site settings, then try again.`,
  dismissed: (device) => `The ${device} was not allowed: try again and choose "Allow".`,
  no_device: (device) => `There is no ${device}: connect one, or choose another, then try again.`,
  busy: (device) => `The ${device} cannot be opened: close the program that uses it, then try again.`,
  insecure: (device) => `Browsers give the ${device} only to pages of https:// or localhost: open the page there.`,
  unsupported: (device) => `This browser cannot use the ${device}: take a recent Chrome, Edge, Firefox or Safari.`,
  failed: (device) => `The ${device} does not work: try again, or choose another.`,
};

/** @type {Record<string, import("./index.d.ts").DeviceError["code"]>} */
const CODES = {
  NotAllowedError: "dismissed",
  PermissionDeniedError: "dismissed",
  NotFoundError: "no_device",
  DevicesNotFoundError: "no_device",
  OverconstrainedError: "no_device",
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
  SecurityError: "insecure",
  NotSupportedError: "unsupported",
};

/**
 * @param {import("./index.d.ts").DeviceError["code"]} code
 * @param {import("./index.d.ts").DeviceError["device"]} device
 * @param {unknown} [cause] what the browser said
 */
export function deviceError(code, device, cause) {
  return new DeviceError(code, device, ADVICE[code](device), cause);
}

/**
 * What a browser's refusal means.
 * @param {any} error of getUserMedia or getDisplayMedia
 * @param {import("./index.d.ts").DeviceError["device"]} device
 * @param {{denied?: boolean}} [permission] `denied`: the browser does not even ask
 */
export function explain(error, device, { denied = false } = {}) {
  if (error instanceof DeviceError) {
    return error;
  }
  const code = CODES[error?.name] ?? "failed";
  return deviceError(code === "dismissed" && denied ? "refused" : code, device, error);
}

/**
 * `navigator.mediaDevices`, or the error that says why there is none.
 * @param {import("./index.d.ts").DeviceError["device"]} device
 * @param {"getUserMedia" | "getDisplayMedia" | "enumerateDevices"} way
 */
export function mediaDevices(device, way) {
  const devices = globalThis.navigator?.mediaDevices;
  if (globalThis.isSecureContext === false) {
    throw deviceError("insecure", device);
  }
  if (typeof devices?.[way] !== "function") {
    throw deviceError("unsupported", device);
  }
  return devices;
}

/** Whether the browser refuses without asking. @param {string} name of the permission */
export async function denied(name) {
  try {
    const { state } = await navigator.permissions.query({ name: /** @type {any} */ (name) });
    return state === "denied";
  } catch {
    return false; // browsers that do not tell
  }
}

/** @param {"audioinput" | "videoinput"} kind @param {"microphone" | "camera"} device */
export async function devicesOf(kind, device) {
  const all = await mediaDevices(device, "enumerateDevices").enumerateDevices();
  return all
    .filter((each) => each.kind === kind)
    .map(({ deviceId, label }, index) => ({ deviceId, label: label || `${device} ${index + 1}` }));
}
