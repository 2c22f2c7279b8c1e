// Publishers with the key that vanish again and again, each time leaving behind what is dear to hold: sound on 256 tracks,
// a keyframe of 15 MB, headers that announce pictures of 16000 x 16000.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run, tempDir } from '../lib/cleanup.mjs';
import { goodScene } from '../lib/destinations.mjs';
import { faultLine, timed } from '../lib/fault_line.mjs';
import { Queueing } from '../lib/loaded.mjs';
import { metricsOf } from '../lib/prometheus.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { Type } from '../lib/rtmp.mjs';
import { RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const ROUNDS = 8;
const AWAY_MS = 1200; // two pictures and a look at the figures
const AVC_KEYFRAME = Buffer.from('1701000000', 'hex');

/** Bits, and the codes of Exp-Golomb that H.264 is made of (ITU-T H.264, 9.1). */
class Bits {
  text = '';
  u(value, count) {
    this.text += value.toString(2).padStart(count, '0');
    return this;
  }
  ue(...values) {
    for (const value of values) {
      const code = (value + 1).toString(2);
      this.text += '0'.repeat(code.length - 1) + code;
    }
    return this;
  }
  /** A NAL unit of these bits; none of ours needs emulation prevention. */
  unit(header) {
    const bits = `${this.text}1`.replace(/.+/, (all) => all.padEnd(Math.ceil(all.length / 8) * 8, '0'));
    return Buffer.from([header, ...bits.match(/.{8}/g).map((byte) => parseInt(byte, 2))]);
  }
}

/** H.264 that says it is of this size, in blocks of 16; header and keyframe. */
function sized(width, height) {
  const sps = new Bits().u(66, 8).u(0, 8).u(51, 8).ue(0, 0, 2, 1).u(0, 1).ue(width - 1, height - 1).u(0b1100, 4).unit(0x67);
  const pps = new Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(0, 3).unit(0x68);
  const slice = Buffer.concat([
    new Bits().ue(0, 7, 0).u(0, 4).ue(0).u(0, 2).ue(0).unit(0x65),
    Buffer.alloc(200, 0x55),
  ]);
  const length16 = (unit) => Buffer.from([unit.length >> 8, unit.length & 0xff]);
  const record = [Buffer.from([1, 66, 0, 51, 0xff, 0xe1]), length16(sps), sps, Buffer.from([1]), length16(pps), pps];
  const length32 = Buffer.alloc(4);
  length32.writeUInt32BE(slice.length);
  return [
    { type: Type.video, timestamp: 0, body: Buffer.concat([Buffer.from('1700000000', 'hex'), ...record]) },
    { type: Type.video, timestamp: 0, body: Buffer.concat([AVC_KEYFRAME, length32, slice]) },
  ];
}

/** The picture's last unit, which is a slice, made so long that the body has `size` bytes. */
function grown({ body, ...keyframe }, size) {
  let last = AVC_KEYFRAME.length;
  for (let next = last; next < body.length; next += 4 + body.readUInt32BE(next)) last = next;
  const bytes = Buffer.concat([body, randomBytes(size - body.length).map((byte) => byte | 1)]);
  bytes.writeUInt32BE(bytes.length - last - 4, last);
  return { ...keyframe, body: bytes };
}

/** AAC on a track of its own, as Enhanced RTMP has it. */
function sound(track, timestamp, kind, body) {
  const head = Buffer.from([0x95, kind, ...Buffer.from('mp4a'), track]);
  return { type: Type.audio, timestamp, body: Buffer.concat([head, body]) };
}

faultLine('S18', 'holds that are dear: 256 tracks, a keyframe of 15 MB, pictures of 16000 x 16000', {}, async (t, line) => {
  const slate = join(tempDir('slate'), 'white.png');
  await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'color=white:s=320x180', '-frames:v', '1', slate]);
  const scene = await goodScene(t, { daemonOptions: { slate } });
  const { daemon, sink } = scene;
  const tags = await fixtureTags();
  const [header, keyframe] = tags.filter(({ type }) => type === Type.video);
  const tracks = Array.from({ length: 256 }, (_, track) => track);
  const attacks = {
    '256 tracks of sound': [
      header,
      keyframe,
      // As many formats as there are: one that was met before costs nothing.
      ...tracks.map((track) => {
        const config = (2 << 11) | (track % 13 << 7) | ((1 + (track % 7)) << 3);
        return sound(track, 0, 0, Buffer.from([config >> 8, config & 0xff]));
      }),
      ...tracks.map((track) => sound(track, 0, 1, randomBytes(100))),
    ],
    'a keyframe of 15 MB': [header, grown(keyframe, 15_000_000)],
    'pictures of 16000 x 16000': sized(1000, 1000),
  };

  for (const [what, attack] of Object.entries(attacks)) {
    const input = await LiveInput.create(daemon);
    const { uid } = await input.addOutput(sink.url(what.replaceAll(' ', '-')));
    let memory = 0;
    let lag = 0;
    let queued = 0;
    const queue = new Queueing(daemon.pid, 0);
    const before = daemon.residentKiB;
    const look = setInterval(() => {
      memory = Math.max(memory, daemon.residentKiB - before);
      queued = Math.max(queued, queue.look());
    }, 10);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const publisher = await RtmpPublisher.connect({ ...input.publishTo, remember: false });
        await publisher.publish();
        await publisher.send(attack);
        publisher.halfClose(); // all that was written is read, but there is no goodbye
        await input.untilConnected(false);
        for (const began = performance.now(); performance.now() - began < AWAY_MS; await delay(200)) {
          const figures = await metricsOf(`${daemon.base}/metrics`);
          lag = Math.max(lag, ...figures.filter(({ name }) => name === 'simulcastd_shard_loop_lag_seconds').map(({ value }) => value));
        }
      }
    } finally {
      clearInterval(look);
    }
    assert.ok(daemon.child.running);
    // The machine may have let it wait.
    const late = Math.max(0, 1000 * lag - queued);
    line.atMost(`${what}: event loop late by, beyond its wait for a processor`, late, timed(50, 500), 'ms');
    if (!daemon.sanitized) line.atMost(`${what}: memory`, memory / 1024, 64, 'MiB');
  }
  assert.match(daemon.log, /the slate cannot be shown, the last keyframe is instead .* size=16000x16000/);
  await scene.finish(line);
});
