// MPEG-TS as strictly as ISO/IEC 13818-1 has it, as far as tests look into it: what is wrong in a stream is said, not
// skipped over.
//
//   const ts = parseTs(bytes);
//   ts.errors                 -> sentences: lost sync, broken continuity, wrong CRC, a PES that is no PES ...
//   ts.streams                -> [{ pid, type, kind, descriptors }] of the PMT
//   ts.pes(pid)               -> [{ pts, dts, data, index, randomAccess }]
//   ts.accessUnits(pid)       -> H.264 and H.265: [{ pts, dts, nals, keyframe, index }]
//   ts.aacFrames(pid)         -> raw AAC without ADTS header: [{ pts, raw, config, index }]
//   ts.packetsOf(pid), ts.pcrs, ts.pats, ts.pmts
//
// `index` is a number of packets from the beginning. Times are ticks of 90 kHz, PCRs of 27 MHz, and both go on over the
// 33-bit wrap.
export const PACKET = 188;
export const SYNC = 0x47;
export const PID = { pat: 0, null: 0x1fff };
export const WRAP = 2 ** 33;
const FIRST_FREE_PID = 0x20;

const KINDS = new Map([
  [0x03, 'mpeg-audio'],
  [0x04, 'mpeg-audio'],
  [0x06, 'private'],
  [0x0f, 'aac'],
  [0x11, 'latm'],
  [0x15, 'metadata'],
  [0x1b, 'h264'],
  [0x24, 'h265'],
]);
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const FRAME_SAMPLES = 1024;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** CRC-32/MPEG-2; over a section with its CRC it is 0. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = ((crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ byte) & 0xff]) >>> 0;
  return crc;
}

/** Undoes the wrap: gives each time the one nearest to the time before it. */
export class Unwrapper {
  #last = null;

  constructor(modulus = WRAP) {
    this.modulus = modulus;
  }

  next(time) {
    if (this.#last === null) {
      this.#last = time;
    } else {
      const behind = (((time - this.#last) % this.modulus) + this.modulus) % this.modulus;
      this.#last += behind >= this.modulus / 2 ? behind - this.modulus : behind;
    }
    return this.#last;
  }
}

export const pidOf = (packet) => packet.readUInt16BE(1) & 0x1fff;

/** The packets of a stream, as many as are whole. */
export function* splitPackets(bytes) {
  for (let at = 0; at + PACKET <= bytes.length; at += PACKET) yield bytes.subarray(at, at + PACKET);
}

function parsePacket(bytes, index) {
  const packet = {
    index,
    bytes,
    pid: pidOf(bytes),
    broken: (bytes[1] & 0x80) !== 0,
    unitStart: (bytes[1] & 0x40) !== 0,
    scrambled: bytes[3] >> 6 !== 0,
    counter: bytes[3] & 0x0f,
    discontinuity: false,
    randomAccess: false,
    payload: null,
  };
  const control = (bytes[3] >> 4) & 3;
  let at = 4;
  if (control & 2) {
    const length = bytes[4];
    if (length > (control & 1 ? 182 : 183)) throw new Error(`an adaptation field of ${length} bytes`);
    if (length > 0) {
      packet.discontinuity = (bytes[5] & 0x80) !== 0;
      packet.randomAccess = (bytes[5] & 0x40) !== 0;
      if (bytes[5] & 0x10) packet.pcr = readPcr(bytes, 6);
    }
    at += 1 + length;
  }
  if (control & 1) packet.payload = bytes.subarray(at);
  if (control === 0) throw new Error('neither adaptation field nor payload');
  return packet;
}

export function readPcr(bytes, at) {
  const base = bytes.readUInt32BE(at) * 2 + (bytes[at + 4] >> 7);
  return base * 300 + (((bytes[at + 4] & 1) << 8) | bytes[at + 5]);
}

export function readTimestamp(bytes, at) {
  if (!(bytes[at] & 1) || !(bytes[at + 2] & 1) || !(bytes[at + 4] & 1)) throw new Error('a timestamp without markers');
  return (
    ((bytes[at] >> 1) & 7) * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1)
  );
}

function parsePes(bytes) {
  if (bytes.length < 9 || bytes.readUIntBE(0, 3) !== 1) throw new Error('a PES without its start code');
  const length = bytes.readUInt16BE(4);
  const data = bytes.subarray(9 + bytes[8], length ? 6 + length : bytes.length);
  if (length && bytes.length < 6 + length) throw new Error(`a PES of ${bytes.length} bytes that says ${6 + length}`);
  if (length && bytes.length > 6 + length)
    throw new Error(`${bytes.length - 6 - length} bytes behind the end of a PES`);
  const times = bytes[7] >> 6;
  if (times === 1) throw new Error('a PES with a DTS but no PTS');
  const pts = times & 2 ? readTimestamp(bytes, 9) : null;
  return { streamId: bytes[3], pts, dts: times === 3 ? readTimestamp(bytes, 14) : pts, data };
}

// Descriptors as [{ tag, data }].
function parseDescriptors(bytes) {
  const list = [];
  for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes[at + 1]) {
    list.push({ tag: bytes[at], data: bytes.subarray(at + 2, at + 2 + bytes[at + 1]) });
  }
  return list;
}

/** A PAT or PMT section that lies in one packet, without pointer field and padding. */
export function sectionOf(payload) {
  const at = 1 + payload[0];
  const end = at + 3 + (payload.readUInt16BE(at + 1) & 0x0fff);
  if (end > payload.length) throw new Error('a table that goes over several packets');
  return payload.subarray(at, end);
}

export function parsePmt(section) {
  const programInfo = section.readUInt16BE(10) & 0x0fff;
  const streams = [];
  for (let at = 12 + programInfo; at < section.length - 4;) {
    const length = section.readUInt16BE(at + 3) & 0x0fff;
    const type = section[at];
    streams.push({
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      type,
      kind: KINDS.get(type) ?? 'other',
      descriptors: parseDescriptors(section.subarray(at + 5, at + 5 + length)),
    });
    at += 5 + length;
  }
  return { program: section.readUInt16BE(3), pcrPid: section.readUInt16BE(8) & 0x1fff, streams };
}

/** Annex B to NAL units, without the zeros between them. */
export function splitAnnexB(data) {
  const nals = [];
  let start = -1;
  for (let at = data.indexOf('\0\0\x01', 0, 'latin1'); ; at = data.indexOf('\0\0\x01', at + 3, 'latin1')) {
    if (start >= 0) nals.push(withoutTrailingZeros(data.subarray(start, at < 0 ? data.length : at)));
    if (at < 0) break;
    start = at + 3;
  }
  return nals;
}

export function withoutTrailingZeros(nal) {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end -= 1;
  return nal.subarray(0, end);
}

export const nalType = (kind, nal) => (kind === 'h265' ? (nal[0] >> 1) & 0x3f : nal[0] & 0x1f);

export function isKeyNal(kind, nal) {
  const type = nalType(kind, nal);
  return kind === 'h265' ? type >= 16 && type <= 21 : type === 5;
}

class Ts {
  errors = [];
  packets = []; // { index, pid, counter, unitStart, randomAccess, pcr, payload, bytes }
  pats = []; // indexes of the packets they came in
  pmts = [];
  pcrs = []; // { index, pcr }
  orphans = 0; // packets of a unit whose beginning is not in the stream
  unfinished = 0; // units that the end of the stream cut off
  pmtPid = null;
  pmt = null;
  #pes = new Map();

  constructor(bytes) {
    this.#readPackets(bytes);
    this.#readTables();
    this.#checkContinuity();
    this.#gatherPes();
  }

  get streams() {
    return this.pmt?.streams ?? [];
  }

  #readPackets(bytes) {
    const pcr = new Unwrapper(WRAP * 300);
    let index = 0;
    for (const one of splitPackets(bytes)) {
      if (one[0] !== SYNC) {
        this.errors.push(`packet ${index} does not begin with the sync byte`);
        break;
      }
      try {
        const packet = parsePacket(one, index);
        if (packet.broken) this.errors.push(`packet ${index} is marked as broken`);
        if (packet.scrambled) this.errors.push(`packet ${index} is scrambled`);
        if (packet.pcr !== undefined) {
          packet.pcr = pcr.next(packet.pcr);
          this.pcrs.push({ index, pcr: packet.pcr });
        }
        this.packets.push(packet);
      } catch (error) {
        this.errors.push(`packet ${index} has ${error.message}`);
      }
      index += 1;
    }
    if (bytes.length % PACKET) this.errors.push(`${bytes.length % PACKET} bytes at the end are no whole packet`);
  }

  #checkContinuity() {
    const last = new Map();
    // Who joins late is sent off with a copy of the tables, which has its place elsewhere.
    const copies = new Set();
    for (const packet of this.packets) {
      const { pid, counter, payload, index } = packet;
      if (pid === PID.null) continue;
      const before = last.get(pid);
      last.set(pid, packet);
      const table = pid < FIRST_FREE_PID || pid === this.pmtPid;
      if (!before && table) copies.add(packet);
      if (!before || packet.discontinuity || copies.has(before)) continue;
      const expected = payload ? (before.counter + 1) & 0x0f : before.counter;
      if (counter === expected) continue;
      const again = payload && counter === before.counter && packet.bytes.equals(before.bytes);
      this.errors.push(
        again
          ? `packet ${index} of PID ${pid} came twice`
          : `packet ${index} of PID ${pid} has the counter ${counter} where ${expected} was due`,
      );
    }
  }

  #readTables() {
    const table = (packet, id) => {
      const section = sectionOf(packet.payload);
      if (section[0] !== id) throw new Error(`the table id ${section[0]}`);
      if (crc32(section) !== 0) throw new Error('a wrong CRC');
      return section;
    };
    for (const packet of this.packets) {
      if (!packet.unitStart || !packet.payload) continue;
      try {
        if (packet.pid === PID.pat) {
          const section = table(packet, 0);
          for (let at = 8; at < section.length - 4; at += 4) {
            if (section.readUInt16BE(at)) this.pmtPid ??= section.readUInt16BE(at + 2) & 0x1fff;
          }
          this.pats.push(packet.index);
        } else if (packet.pid === this.pmtPid) {
          this.pmt = parsePmt(table(packet, 2));
          this.pmts.push(packet.index);
        }
      } catch (error) {
        this.errors.push(`the table in packet ${packet.index} has ${error.message}`);
      }
    }
    if (!this.pmt) this.errors.push('there is no program');
  }

  #gatherPes() {
    const clock = new Unwrapper(); // one for all, so that the tracks stay together
    const open = new Map();
    const finish = (pid, atEnd) => {
      const unit = open.get(pid);
      if (!unit) return;
      open.delete(pid);
      const bytes = Buffer.concat(unit.parts);
      if (atEnd && (bytes.length < 9 || bytes.length < 6 + bytes.readUInt16BE(4))) {
        this.unfinished += 1;
        return;
      }
      try {
        this.#pes.get(pid).push({ index: unit.index, randomAccess: unit.randomAccess, ...parsePes(bytes) });
      } catch (error) {
        this.errors.push(`PID ${pid} has, from packet ${unit.index} on, ${error.message}`);
      }
    };
    for (const { pid } of this.streams) this.#pes.set(pid, []);
    for (const { pid, payload, unitStart, index, randomAccess } of this.packets) {
      if (!payload || !this.#pes.has(pid)) continue;
      if (unitStart) {
        finish(pid);
        open.set(pid, { index, randomAccess, parts: [] });
      }
      const unit = open.get(pid);
      if (unit) unit.parts.push(payload);
      else this.orphans += 1;
    }
    for (const pid of [...open.keys()]) finish(pid, true);
    const inOrder = [...this.#pes.values()].flat().sort((a, b) => a.index - b.index);
    for (const unit of inOrder) {
      if (unit.pts === null) continue;
      const ahead = (unit.pts - unit.dts + WRAP) % WRAP;
      unit.dts = clock.next(unit.dts);
      unit.pts = unit.dts + ahead;
    }
  }

  pes(pid) {
    return this.#pes.get(pid) ?? [];
  }

  packetsOf(pid) {
    return this.packets.filter((packet) => packet.pid === pid);
  }

  stream(...kinds) {
    return this.streams.find(({ kind }) => kinds.includes(kind));
  }

  accessUnits(pid) {
    const { kind } = this.streams.find((stream) => stream.pid === pid);
    const delimiter = kind === 'h265' ? 35 : 9;
    return this.pes(pid).map(({ pts, dts, data, index, randomAccess }) => {
      const nals = splitAnnexB(data);
      if (pts === null) this.errors.push(`the picture in packet ${index} has no time`);
      if (nals.filter((nal) => nalType(kind, nal) === delimiter).length > 1)
        this.errors.push(`the PES in packet ${index} has several access units`);
      return { pts, dts, nals, keyframe: nals.some((nal) => isKeyNal(kind, nal)), index, randomAccess };
    });
  }

  aacFrames(pid) {
    const frames = [];
    let rest = Buffer.alloc(0);
    let restTime = null; // of the frame that `rest` begins, as { pts, steps }
    let restIndex = 0;
    for (const { pts, data, index } of this.pes(pid)) {
      // A time is that of the first frame that begins in its PES; a frame may have begun in the one before.
      const bytes = Buffer.concat([rest, data]);
      let time = rest.length ? restTime : { pts, steps: 0 };
      let from = rest.length ? restIndex : index;
      const border = rest.length;
      let at = 0;
      while (at + 7 <= bytes.length) {
        if (bytes.readUInt16BE(at) >> 4 !== 0xfff) {
          this.errors.push(`the PES in packet ${index} is no ADTS at byte ${at}`);
          at = bytes.length;
          break;
        }
        const size = ((bytes[at + 3] & 3) << 11) | (bytes[at + 4] << 3) | (bytes[at + 5] >> 5);
        if (size < 7 || at + size > bytes.length) break;
        const rate = AAC_RATES[(bytes[at + 2] >> 2) & 0x0f];
        frames.push({
          // Whole numbers up to the one division: the steps do not add up their errors.
          pts: (time.pts * rate + time.steps * FRAME_SAMPLES * 90_000) / rate,
          raw: bytes.subarray(at + (bytes[at + 1] & 1 ? 7 : 9), at + size),
          config: `aac type ${(bytes[at + 2] >> 6) + 1}, ${rate} Hz, channels ${((bytes[at + 2] & 1) << 2) | (bytes[at + 3] >> 6)}`,
          index: from,
        });
        at += size;
        const firstHere = at >= border && at - size < border && border > 0;
        time = firstHere && pts !== null ? { pts, steps: 0 } : { ...time, steps: time.steps + 1 };
        if (at >= border) from = index;
      }
      rest = bytes.subarray(at);
      restTime = time;
      restIndex = from;
    }
    if (rest.length) this.unfinished += 1;
    return frames;
  }
}

export function parseTs(bytes) {
  return new Ts(bytes);
}

export function aacConfigOf(audioSpecificConfig) {
  const [first, second] = audioSpecificConfig;
  return `aac type ${first >> 3}, ${AAC_RATES[((first & 7) << 1) | (second >> 7)]} Hz, channels ${(second >> 3) & 0x0f}`;
}
