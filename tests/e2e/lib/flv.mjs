// FLV files and the first bytes of FLV tag bodies, as far as tests look into them.
//
//   file: 'F' 'L' 'V' version flags | u32 header size | u32 0 | { tag | u32 size of that tag } ...
//   tag:  u8 type | u24 body size | u24 timestamp | u8 its top byte | u24 stream id | body
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

export const AUDIO = 8;
export const VIDEO = 9;
export const DATA = 18;

const FILE_HEADER = 13;
const TAG_HEADER = 11;

/** Reads FLV bytes into { tags: [{ type, timestamp, body }], truncated }, the timestamp as unsigned 32 bits. */
export function parseFlv(bytes) {
  if (bytes.length < FILE_HEADER || bytes.toString('latin1', 0, 3) !== 'FLV') throw new Error('this is no FLV file');
  const { tags, used } = parseTags(bytes, bytes.readUInt32BE(5) + 4);
  return { tags, truncated: used < bytes.length };
}

function parseTags(bytes, at) {
  const tags = [];
  while (at + TAG_HEADER <= bytes.length) {
    const size = bytes.readUIntBE(at + 1, 3);
    const end = at + TAG_HEADER + size;
    if (end + 4 > bytes.length) break;
    tags.push({
      type: bytes[at] & 0x1f,
      timestamp: (bytes.readUIntBE(at + 4, 3) | (bytes[at + 7] << 24)) >>> 0,
      body: bytes.subarray(at + TAG_HEADER, end),
    });
    at = end + 4;
  }
  return { tags, used: at };
}

/** The tags of a file that may still be growing. */
export function readFlv(file) {
  return parseFlv(readFileSync(file)).tags;
}

/** Reads a growing file on and on: next() gives the tags that were added since the last call. */
export class FlvFollower {
  #at = FILE_HEADER;

  constructor(file) {
    this.file = file;
  }

  next() {
    if (!existsSync(this.file)) return [];
    const handle = openSync(this.file, 'r');
    try {
      const size = fstatSync(handle).size;
      if (size <= this.#at) return [];
      const bytes = Buffer.alloc(size - this.#at);
      readSync(handle, bytes, 0, bytes.length, this.#at);
      const { tags, used } = parseTags(bytes, 0);
      this.#at += used;
      return tags;
    } finally {
      closeSync(handle);
    }
  }
}

/** The file made of these tags. */
export function writeFlv(tags) {
  const parts = [Buffer.from([0x46, 0x4c, 0x56, 1, 5, 0, 0, 0, 9, 0, 0, 0, 0])];
  for (const { type, timestamp, body } of tags) {
    const header = Buffer.alloc(TAG_HEADER);
    header[0] = type;
    header.writeUIntBE(body.length, 1, 3);
    header.writeUIntBE(timestamp & 0xffffff, 4, 3);
    header[7] = timestamp >>> 24;
    const back = Buffer.alloc(4);
    back.writeUInt32BE(TAG_HEADER + body.length);
    parts.push(header, body, back);
  }
  return Buffer.concat(parts);
}

/** What a tag is: 'video', 'audio', 'video-config', 'audio-config', 'end' (AVC end of sequence) or 'data'. */
export function kindOf({ type, body }) {
  if (type === VIDEO) {
    if (body.length < 2) return 'video';
    if (body[1] === 0) return 'video-config';
    return body[1] === 2 ? 'end' : 'video';
  }
  if (type === AUDIO) return body.length >= 2 && body[0] >> 4 === 10 && body[1] === 0 ? 'audio-config' : 'audio';
  return 'data';
}

export function isKeyframe({ type, body }) {
  return type === VIDEO && body.length >= 2 && body[0] >> 4 === 1 && body[1] === 1;
}
