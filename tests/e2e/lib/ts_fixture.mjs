// MPEG-TS for tests whose subject is not the encoder: from tests/fixtures/e2e, and what is made of it here, the same on
// every machine. What encoders of the broadcast world put in as well: a PID of private data, stuffing. And the same with
// its clock set to another time.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './cleanup.mjs';
import { PACKET, PID, WRAP, crc32, parseTs, pidOf, readPcr, readTimestamp, sectionOf, splitPackets } from './mpegts.mjs';
import { FPS, fixtureFile } from './publishers.mjs';

export const PRIVATE_PID = 0x1f0;
const PRIVATE_PERIOD = 9000; // ticks of 90 kHz between two packets of it
const KLVA = Buffer.from([0x05, 4, ...Buffer.from('KLVA')]); // registration descriptor

// Those with sound that lasts exactly as long as the pictures can be repeated without a seam.
const SEAMLESS = ['gop30.ts', 'gop120_two_sounds.ts', 'h265.ts'];

/**
 * A 320x180 picture at 30 frames a second in H.264 with B-frames and AAC, `gop` 30, 120 (with a second sound) or 300;
 * `video: 'h265'`: HEVC, `audio: 'mp2'`: MP2. `privateData`: a PID of type 0x06 with the registration KLVA, ten packets a
 * second. `kbps`: null packets fill it up to this bitrate. Gives the bytes.
 */
export async function tsFixture({ seconds = 8, gop = 30, video, audio, privateData = true, kbps } = {}) {
  const name = video ? `${video}.ts` : audio ? `${audio}.ts` : gop === 120 ? 'gop120_two_sounds.ts' : `gop${gop}.ts`;
  const bytes = ofLength(name, readFileSync(fixtureFile(name)), seconds);
  const whole = privateData ? withPrivateData(bytes) : bytes;
  return kbps ? atConstantRate(whole, kbps) : whole;
}

/** The same as the path of a file. */
export async function tsFixtureFile(options) {
  const file = join(tempDir('fixture'), 'fixture.ts');
  writeFileSync(file, await tsFixture(options));
  return file;
}

/** As many seconds of it: cut off ahead of a picture, or gone through again and again. */
function ofLength(name, bytes, seconds) {
  const ts = parseTs(bytes);
  const pictures = ts.pes(ts.stream('h264', 'h265').pid);
  const wanted = Math.round(seconds * FPS);
  if (wanted > pictures.length && !SEAMLESS.includes(name))
    throw new Error(`${name} lasts ${pictures.length / FPS} s, not ${seconds}, and cannot be repeated`);
  const rounds = Math.floor(wanted / pictures.length);
  const rest = pictures[wanted % pictures.length].index * PACKET; // 0 or more packets ahead of the first picture
  const parts = Array.from({ length: rounds }, (_, round) => againTs(ts, bytes, round, pictures.length));
  if (wanted % pictures.length) parts.push(againTs(ts, bytes, rounds, pictures.length).subarray(0, rest));
  return Buffer.concat(parts);
}

/** The stream as it comes in its nth round, when each has as many pictures: clocks and counters run on. */
function againTs(ts, bytes, round, pictures) {
  if (round === 0) return bytes;
  const again = shiftTs(bytes, (round * pictures * 90_000) / FPS);
  const payloads = new Map();
  for (const { pid, payload } of ts.packets) if (payload) payloads.set(pid, (payloads.get(pid) ?? 0) + 1);
  for (const packet of splitPackets(again)) {
    packet[3] = (packet[3] & 0xf0) | ((packet[3] + round * (payloads.get(pidOf(packet)) ?? 0)) & 0x0f);
  }
  return again;
}

function stuffing() {
  const packet = Buffer.alloc(PACKET, 0xff);
  packet.set([0x47, PID.null >> 8, PID.null & 0xff, 0x10]);
  return packet;
}

/** The same with null packets ahead of each PCR, up to this bitrate. */
function atConstantRate(bytes, kbps) {
  const parts = [];
  const { packets, pcrs } = parseTs(bytes);
  for (const packet of packets) {
    if (packet.pcr !== undefined) {
      const due = ((packet.pcr - pcrs[0].pcr) / 27_000) * (kbps / 8 / PACKET);
      while (parts.length < due) parts.push(stuffing());
    }
    parts.push(packet.bytes);
  }
  return Buffer.concat(parts);
}

/**
 * The same, but the last picture fills its packets to the last byte, so that nothing in them shows where it ends. A
 * message to nobody (ITU-T H.264, D.1.7) ahead of its slices makes up for what is missing.
 */
export function withLastPictureFilled(bytes) {
  const ts = parseTs(bytes);
  const { pid } = ts.stream('h264');
  const last = ts.pes(pid).at(-1).index;
  const [first, ...others] = ts.packets.filter((packet) => packet.pid === pid && packet.index >= last);
  const pes = Buffer.concat([first, ...others].map(({ payload }) => payload));
  const slices = 9 + pes[8] + 6; // behind the PES header and the delimiter
  if (pes.readUInt16BE(4) !== 0 || !pes.subarray(slices - 6).toString('hex').startsWith('0000000109'))
    throw new Error('the last picture is not as it is expected: without a length, with a delimiter');
  const room = PACKET - 4;
  const open = (room - ((pes.length - first.payload.length) % room)) % room;
  const message = Buffer.alloc(open < 23 ? open + room : open, 0x55);
  message.set([0, 0, 1, 6, 5, message.length - 7]);
  message[message.length - 1] = 0x80;
  const whole = Buffer.concat([pes.subarray(0, slices), message, pes.subarray(slices)]);

  const made = [Buffer.concat([first.bytes.subarray(0, PACKET - first.payload.length), whole.subarray(0, first.payload.length)])];
  for (let at = first.payload.length; at < whole.length; at += room) {
    const header = Buffer.from([0x47, pid >> 8, pid & 0xff, 0x10 | ((first.counter + made.length) & 0x0f)]);
    made.push(Buffer.concat([header, whole.subarray(at, at + room)]));
  }
  const behind = ts.packets.filter((packet) => packet.index > last && packet.pid !== pid).map((packet) => packet.bytes);
  return Buffer.concat([bytes.subarray(0, last * PACKET), ...made, ...behind]);
}

/** A packet of PSI with this section in it, in place of the one that `packet` has. */
function withSection(packet, section) {
  const whole = Buffer.alloc(PACKET, 0xff);
  packet.copy(whole, 0, 0, 4);
  whole[4] = 0; // the section begins at once
  section.copy(whole, 5);
  return whole;
}

function announcePrivateData(section) {
  const entry = Buffer.alloc(5 + KLVA.length);
  entry[0] = 0x06;
  entry.writeUInt16BE(0xe000 | PRIVATE_PID, 1);
  entry.writeUInt16BE(0xf000 | KLVA.length, 3);
  KLVA.copy(entry, 5);
  const longer = Buffer.concat([section.subarray(0, -4), entry, Buffer.alloc(4)]);
  longer.writeUInt16BE(0xb000 | (longer.length - 3), 1);
  longer.writeUInt32BE(crc32(longer.subarray(0, -4)), longer.length - 4);
  return longer;
}

// One packet with a whole PES of private data: a key, the number of the packet, and bytes that look like nothing else.
function privatePacket(number) {
  const size = PACKET - 4;
  const packet = Buffer.alloc(PACKET);
  packet[0] = 0x47;
  packet.writeUInt16BE(0x4000 | PRIVATE_PID, 1);
  packet[3] = 0x10 | (number & 0x0f);
  packet.writeUIntBE(1, 4, 3);
  packet[7] = 0xfc; // metadata stream: no times
  packet.writeUInt16BE(size - 6, 8);
  packet[10] = 0x80;
  Buffer.from('060e2b34020b01010e01030101000000', 'hex').copy(packet, 13);
  packet.writeUInt32BE(number, 29);
  for (let at = 33; at < PACKET; at++) packet[at] = (number * 31 + at * 7) & 0xff;
  return packet;
}

/** The same stream with a PID of private data between its packets. */
export function withPrivateData(bytes) {
  const { packets, pmtPid } = parseTs(bytes);
  const parts = [];
  let due = null;
  let number = 0;
  let announced = false;
  for (const packet of packets) {
    if (packet.pid === pmtPid) {
      parts.push(withSection(packet.bytes, announcePrivateData(sectionOf(packet.payload))));
      announced = true;
      continue;
    }
    if (announced && packet.pcr !== undefined) {
      due ??= packet.pcr;
      if (packet.pcr >= due) {
        due += PRIVATE_PERIOD * 300;
        parts.push(privatePacket(number));
        number += 1;
      }
    }
    parts.push(packet.bytes);
  }
  return Buffer.concat(parts);
}

function writeTimestamp(bytes, at, time) {
  bytes[at] = (bytes[at] & 0xf0) | (Math.floor(time / 2 ** 30) << 1) | 1;
  bytes.writeUInt16BE(((Math.floor(time / 2 ** 15) & 0x7fff) << 1) | 1, at + 1);
  bytes.writeUInt16BE(((time & 0x7fff) << 1) | 1, at + 3);
}

function writePcr(bytes, at, pcr) {
  const base = Math.floor(pcr / 300);
  bytes.writeUInt32BE(Math.floor(base / 2), at);
  bytes.writeUInt16BE(((base % 2) << 15) | 0x7e00 | (pcr % 300), at + 4);
}

/** The same stream with `ticks` of 90 kHz added to every PTS, DTS and PCR, modulo 2^33. */
export function shiftTs(bytes, ticks) {
  const shifted = Buffer.from(bytes);
  const by = (time, modulus, amount) => (((time + amount) % modulus) + modulus) % modulus;
  const { streams } = parseTs(bytes);
  const withTimes = new Set(streams.filter(({ pid }) => pid !== PRIVATE_PID).map(({ pid }) => pid));
  for (let at = 0; at + PACKET <= shifted.length; at += PACKET) {
    const packet = shifted.subarray(at, at + PACKET);
    const adaptation = packet[3] & 0x20 ? 1 + packet[4] : 0;
    if (adaptation > 1 && packet[5] & 0x10) writePcr(packet, 6, by(readPcr(packet, 6), WRAP * 300, ticks * 300));
    if (!(packet[1] & 0x40) || !withTimes.has(pidOf(packet))) continue;
    const pes = 4 + adaptation;
    if (packet[pes + 7] & 0x80) writeTimestamp(packet, pes + 9, by(readTimestamp(packet, pes + 9), WRAP, ticks));
    if (packet[pes + 7] & 0x40) writeTimestamp(packet, pes + 14, by(readTimestamp(packet, pes + 14), WRAP, ticks));
  }
  return shifted;
}

/**
 * The same stream with stuffing at its end: its last datagram of 7 packets whole, and `runOut` more. SRT does not send
 * again what is lost at the very end: only the packet behind it shows that it is missing.
 */
export function padTs(bytes, { runOut = 10 } = {}) {
  const missing = (7 - ((bytes.length / PACKET) % 7)) % 7;
  return Buffer.concat([bytes, ...Array.from({ length: missing + 7 * runOut }, stuffing)]);
}
