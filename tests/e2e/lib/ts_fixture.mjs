// MPEG-TS for tests whose subject is not the encoder: made by ffmpeg once and kept, with what encoders of the broadcast
// world put in as well: a PID of private data. And the same with its clock set to another time.
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from './cleanup.mjs';
import { PACKET, PID, WRAP, crc32, parseTs, pidOf, readPcr, readTimestamp, sectionOf } from './mpegts.mjs';
import { SOUND, cached, encoding, picture } from './publishers.mjs';

export const PRIVATE_PID = 0x1f0;
const PRIVATE_PERIOD = 9000; // ticks of 90 kHz between two packets of it
const KLVA = Buffer.from([0x05, 4, ...Buffer.from('KLVA')]); // registration descriptor

/**
 * A 320x180 picture at 30 frames a second in H.264 with B-frames (`video: 'h265'`: HEVC) and AAC (`audio`: the name of
 * another encoder of ffmpeg, such as 'mp2'). `secondAudio`: a second sound. `privateData`: a PID of type 0x06 with the
 * registration KLVA, ten packets a second. Gives the path of the file.
 */
export async function makeTsFixture(options = {}) {
  const { seconds = 10, gop = 60, bitrate = '400k', size = '320x180', privateData = true } = options;
  const { video = 'h264', audio = 'aac', secondAudio = false } = options;
  const args = [
    ...['-f', 'lavfi', '-i', picture(size), '-f', 'lavfi', '-i', SOUND, '-t', String(seconds)],
    ...['-map', '0:v', '-map', '1:a', ...(secondAudio ? ['-map', '1:a'] : [])],
    ...encoding({ gop, bitrate }),
    ...(video === 'h265' ? ['-c:v', 'libx265', '-x265-params', `log-level=error:bframes=2:keyint=${gop}`] : []),
    ...['-c:a', audio],
    // Some frames of sound go into one PES, as encoders have it.
    ...['-muxdelay', '0.2', '-muxpreload', '0', '-pcr_period', '20', '-pat_period', '0.1'],
  ];
  return cached(`ts ${privateData} ${args.join(' ')}`, 'ts', async (file) => {
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, '-f', 'mpegts', file]);
    if (privateData) writeFileSync(file, withPrivateData(readFileSync(file)));
  });
}

export async function tsFixture(options) {
  return readFileSync(await makeTsFixture(options));
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
  const stuffing = Buffer.alloc(PACKET, 0xff);
  stuffing.set([0x47, PID.null >> 8, PID.null & 0xff, 0x10]);
  const missing = (7 - ((bytes.length / PACKET) % 7)) % 7;
  return Buffer.concat([bytes, ...Array.from({ length: missing + 7 * runOut }, () => stuffing)]);
}
