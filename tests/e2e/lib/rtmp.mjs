// RTMP below the commands, for both ends: handshake sizes, the chunk stream, message types. An implementation of its
// own, sharing nothing with the daemon's, so that both being wrong in the same way is unlikely.
import { randomBytes } from 'node:crypto';

export const HANDSHAKE = 1536;
export const Type = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  data: 18,
  command: 20,
};

/** C0+C1 or S0+S1 of the simple handshake. */
export function hello(version = 3) {
  const bytes = Buffer.alloc(1 + HANDSHAKE);
  bytes[0] = version;
  randomBytes(HANDSHAKE - 8).copy(bytes, 9);
  return bytes;
}

export function u32(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, 4 * i));
  return bytes;
}

/** Fixed-format chunk header, for those who build messages (also wrong ones) by hand. */
export function basicHeader(format, csid) {
  if (csid < 64) return Buffer.from([(format << 6) | csid]);
  if (csid < 320) return Buffer.from([format << 6, csid - 64]);
  return Buffer.from([(format << 6) | 1, (csid - 64) & 0xff, (csid - 64) >> 8]);
}

/** A format 0 chunk header; `length` need not be that of any body. */
export function fullHeader({ csid, timestamp = 0, length, type, streamId = 0 }) {
  const extended = timestamp >= 0xffffff;
  const header = Buffer.alloc(11);
  header.writeUIntBE(extended ? 0xffffff : timestamp, 0, 3);
  header.writeUIntBE(length, 3, 3);
  header[6] = type;
  header.writeUInt32LE(streamId, 7);
  return Buffer.concat([basicHeader(0, csid), header, ...(extended ? [u32(timestamp)] : [])]);
}

/**
 * Messages to chunks. Uses formats 0 and 1 as encoders do, and repeats the extended timestamp on format 3. Encoders differ
 * there: without `repeatExtended` it does not; with `absolute` every message has its whole timestamp (format 0).
 */
export class ChunkWriter {
  chunkSize = 128;
  repeatExtended = true;
  absolute = false;
  #last = new Map(); // csid -> { timestamp, streamId }

  /** The bytes of one message. */
  message({ csid, type, timestamp = 0, streamId = 0, body }) {
    const last = this.#last.get(csid);
    this.#last.set(csid, { timestamp, streamId });
    const step = last ? (timestamp - last.timestamp) >>> 0 : 0;
    let header;
    let field = timestamp;
    if (last && !this.absolute && last.streamId === streamId && step < 0x80000000) {
      field = step;
      const rest = Buffer.alloc(7);
      rest.writeUIntBE(Math.min(field, 0xffffff), 0, 3);
      rest.writeUIntBE(body.length, 3, 3);
      rest[6] = type;
      header = Buffer.concat([basicHeader(1, csid), rest, ...(field >= 0xffffff ? [u32(field)] : [])]);
    } else {
      header = fullHeader({ csid, timestamp, length: body.length, type, streamId });
    }
    const parts = [header, body.subarray(0, this.chunkSize)];
    const extended = field >= 0xffffff && this.repeatExtended;
    const again = extended ? Buffer.concat([basicHeader(3, csid), u32(field)]) : basicHeader(3, csid);
    for (let at = this.chunkSize; at < body.length; at += this.chunkSize) {
      parts.push(again, body.subarray(at, at + this.chunkSize));
    }
    return Buffer.concat(parts);
  }

  /** Announces a chunk size and uses it from the next message on. */
  setChunkSize(size) {
    const bytes = this.message({ csid: 2, type: Type.setChunkSize, body: u32(size) });
    this.chunkSize = size;
    return bytes;
  }
}

/** Chunks to messages: feed it bytes as they come, it calls onMessage({ type, timestamp, streamId, body }). */
export class ChunkReader {
  chunkSize = 128;
  #waiting = [];
  #size = 0;
  #states = new Map();

  constructor(onMessage) {
    this.onMessage = onMessage;
  }

  push(bytes) {
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    // Joining only when a whole chunk can be there keeps large messages from being copied over and over.
    if (this.#size < (this.wanted ?? 1)) return;
    let data = this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting);
    for (;;) {
      const used = this.#chunk(data);
      if (used === 0) break;
      data = data.subarray(used);
    }
    this.#waiting = data.length ? [data] : [];
    this.#size = data.length;
  }

  // Takes one chunk off the front; 0 when it is not all there yet.
  #chunk(data) {
    this.wanted = 1;
    if (data.length < 1) return 0;
    const format = data[0] >> 6;
    let csid = data[0] & 0x3f;
    let at = csid === 0 ? 2 : csid === 1 ? 3 : 1;
    if (data.length < at) return 0;
    if (csid === 0) csid = 64 + data[1];
    else if (csid === 1) csid = 64 + data[1] + 256 * data[2];
    const fields = [11, 7, 3, 0][format];
    if (data.length < at + fields) return 0;

    const state = this.#states.get(csid) ?? {
      timestamp: 0,
      length: 0,
      type: 0,
      streamId: 0,
      field: 0,
      parts: [],
      got: 0,
    };
    const starting = state.got === 0;
    const next = { ...state };
    if (format <= 2) next.field = data.readUIntBE(at, 3);
    if (format <= 1) {
      next.length = data.readUIntBE(at + 3, 3);
      next.type = data[at + 6];
    }
    if (format === 0) next.streamId = data.readUInt32LE(at + 7);
    at += fields;
    next.extended = format <= 2 ? next.field === 0xffffff : state.extended;
    if (next.extended) {
      if (data.length < at + 4) return 0;
      next.value = data.readUInt32BE(at);
      at += 4;
    } else {
      next.value = next.field;
    }
    const take = Math.min(this.chunkSize, next.length - (starting ? 0 : state.got));
    if (data.length < at + take) {
      this.wanted = at + take;
      return 0;
    }
    if (!starting && format <= 1) throw new Error(`chunk stream ${csid}: a new message before the last one was whole`);
    if (starting) {
      next.timestamp = format === 0 ? next.value : (state.timestamp + next.value) >>> 0;
      next.parts = [];
    }
    next.parts.push(data.subarray(at, at + take));
    next.got = (starting ? 0 : state.got) + take;
    if (next.got === next.length) {
      const body = next.parts.length === 1 ? next.parts[0] : Buffer.concat(next.parts);
      next.parts = [];
      next.got = 0;
      this.#states.set(csid, next);
      if (next.type === Type.setChunkSize) this.chunkSize = body.readUInt32BE(0) & 0x7fffffff;
      this.onMessage({ csid, type: next.type, timestamp: next.timestamp, streamId: next.streamId, body });
    } else {
      this.#states.set(csid, next);
    }
    return at + take;
  }
}
