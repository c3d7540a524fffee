/** The codec of antiphon.v1, the client's end. */
export const SUBPROTOCOL: "antiphon.v1";
export const PCM: 1;
export const JPEG: 2;
export const PNG: 3;
export const HEADER_BYTES: 16;
export class Malformed extends Error {
  readonly code: string;
}
export function encodeControl(message: Record<string, unknown>): string;
export function encodeMedia(media: {
  kind: 1 | 2 | 3;
  rate?: number;
  stream?: number;
  number: number;
  at: number;
  data: Int16Array | Uint8Array;
}): ArrayBuffer;
export function decode(frame: string | ArrayBuffer): { type: string; [field: string]: any };
