// A piece of the log as it is sent: a byte for its type, eight for its offset, and the bytes.
const HEADER = 9;
const BYTES = 1; // the only type there is

export function parse(data) {
  const view = new DataView(data);
  if (view.getUint8(0) !== BYTES) return undefined;
  const offset = Number(view.getBigUint64(1));
  const bytes = new Uint8Array(data, HEADER);
  return { offset, bytes, end: offset + bytes.length };
}
