// Memory by announcement: what a peer says that it will send costs nothing, what it has sent costs that much.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates } from '../lib/certificates.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { Type, fullHeader, u32 } from '../lib/rtmp.mjs';
import { EndlessPublisher, RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { SrtFilePublisher } from '../lib/srt_peers.mjs';
import { SrtServer, callSrt } from '../lib/srt_handshake.mjs';
import { tsFixture } from '../lib/ts_fixture.mjs';
import { until } from '../lib/until.mjs';

const LARGEST = 0xffffff; // what 24 bits of message length can say
const STRANGERS = 50;
const PUBLISHERS = 10;
const LOOK_MS = 1000;

const announce = (csid, length, type, chunk = Buffer.alloc(1)) =>
  Buffer.concat([fullHeader({ csid, length, type }), chunk]);
const control = (type, ...values) => announce(2, 4 * values.length, type, u32(...values));
const PING = announce(2, 6, Type.userControl, Buffer.from('000600000000', 'hex'));
const boast = Buffer.concat([
  control(Type.setChunkSize, 0x7fffffff),
  control(Type.windowAckSize, 0x7fffffff),
  announce(2, 5, Type.setPeerBandwidth, Buffer.from('7fffffff02', 'hex')),
]);
/** A message begun on each of `count` chunk streams, a chunk of it sent. */
const onStreams = (count, length, type, chunk = Buffer.alloc(1)) =>
  Buffer.concat([
    control(Type.setChunkSize, chunk.length),
    ...Array.from({ length: count }, (_, i) => announce(3 + i, length, type, chunk)),
  ]);

/** A command whose AMF promises more than there is. */
const amf = (hex) => {
  const connect = '020007636f6e6e656374003ff0000000000000';
  const body = Buffer.from(connect + hex, 'hex');
  return announce(3, body.length, Type.command, body);
};

// Before a key is shown; chunk size, window and bandwidth are announced as large as they go.
const BEFORE = {
  'messages of 16 MB on 64 chunk streams': onStreams(64, LARGEST, Type.video),
  'messages of 16 MB on 64 chunk streams, a little of each': onStreams(64, LARGEST, Type.data, Buffer.alloc(4096)),
  'messages as large as they may be, a byte of each': onStreams(4, 64 * 1024, Type.data),
  'messages as large as they may be, all but a byte': onStreams(4, 64 * 1024, Type.data, Buffer.alloc(64 * 1024 - 1)),
  'a message of 16 MB in one chunk, 6 MB of it sent': announce(4, LARGEST, Type.data, Buffer.alloc(6 << 20)),
  'a message as large as it may be in one chunk': announce(4, 64 * 1024, Type.data),
  'messages on 65,000 chunk streams': onStreams(65_000, 1, Type.data),
  'messages begun on 65,000 chunk streams': onStreams(65_000, 2, Type.data),
  'an AMF array of 2^31': amf('0a7fffffff'),
  'an AMF object array of 2^31': amf('087fffffff'),
  'an AMF string of 2^31': amf('0c7fffffff'),
  'AMF objects in each other': amf('03000161'.repeat(5000)),
  'pings, and no ear for the answers': Buffer.concat(Array(200_000).fill(PING)),
};
// And with the right key.
const AFTER = {
  'two messages of 16 MB announced': onStreams(2, LARGEST, Type.video, Buffer.alloc(100)),
  'messages of 500 kB on 60 chunk streams': onStreams(60, 500_000, Type.video, Buffer.alloc(100)),
  'messages of 16 MB on 64 chunk streams': onStreams(64, LARGEST, Type.video, Buffer.alloc(100)),
  'half a message of 16 MB in one chunk': announce(6, LARGEST, Type.video, Buffer.alloc(LARGEST >> 1, 0x27)),
};

/** What the daemon grows by, at the most, from before `act` until a moment after it; KiB. */
async function growth(daemon, act) {
  const before = daemon.residentKiB;
  let most = 0;
  const look = setInterval(() => (most = Math.max(most, daemon.residentKiB - before)), 10);
  try {
    await act();
    await delay(LOOK_MS);
  } finally {
    clearInterval(look);
  }
  return Math.max(most, daemon.residentKiB - before);
}

const gone = ({ socket, closed }) => closed || socket.destroyed;
const handedOver = (peers) => peers.every((peer) => gone(peer) || peer.socket.writableLength === 0);

/** KiB for each of STRANGERS that have shaken hands and say `bytes`, and hear nothing of what they are told. */
async function stranger(t, bytes, { secure } = {}) {
  const daemon = await Daemon.start(t, { logLevel: 'info', ...(secure ? { rtmps: secure.good } : {}) });
  const peers = [];
  const each = await growth(daemon, async () => {
    for (let i = 0; i < STRANGERS; i++) {
      const where = secure ? { port: daemon.ports.rtmps, ca: secure.ca } : { port: daemon.ports.rtmp };
      const peer = await RtmpPublisher.connect(where);
      peers.push(peer);
      peer.write(Buffer.concat([boast, bytes]));
      if (bytes === BEFORE['pings, and no ear for the answers']) peer.socket.pause();
    }
    await until('all to be handed over', () => handedOver(peers), { timeout: 30_000 });
  });
  peers.forEach(({ socket }) => socket.destroy());
  await daemon.stop();
  return each / STRANGERS;
}

/** The same for those with a key, beyond what they have sent; the bytes follow the codec headers. */
async function publisher(t, bytes, tags) {
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const inputs = [];
  for (let i = 0; i < PUBLISHERS; i++) inputs.push(await LiveInput.create(daemon));
  const peers = [];
  for (const input of inputs) {
    const peer = await RtmpPublisher.connect(input.publishTo);
    await peer.publish();
    await peer.send(tags.slice(0, 10), { speed: Infinity });
    peers.push(peer);
  }
  for (const input of inputs) await input.untilConnected();
  const all = await growth(daemon, async () => {
    for (const peer of peers) peer.write(Buffer.concat([boast, bytes]));
    await until('all to be handed over', () => handedOver(peers), { timeout: 30_000 });
  });
  peers.forEach((peer) => peer.vanish());
  await daemon.stop();
  return all / PUBLISHERS - bytes.length / 1024;
}

faultLine('S4', 'memory by announcement', {}, async (t, line) => {
  for (const [what, bytes] of Object.entries(BEFORE)) {
    line.atMost(`without a key, ${what}: memory`, await stranger(t, bytes), 4096, 'KiB');
  }
  const certificates = await makeCertificates();
  const all = BEFORE['messages as large as they may be, all but a byte'];
  line.atMost('without a key, the same by RTMPS: memory', await stranger(t, all, { secure: certificates }), 4096, 'KiB');

  const tags = await fixtureTags();
  for (const [what, bytes] of Object.entries(AFTER)) {
    line.atMost(`with a key, ${what}: memory beyond the bytes sent`, await publisher(t, bytes, tags), 4096, 'KiB');
  }

  // SRT: the window that a caller announces, and one that a destination does.
  for (const window of [65_536, 65_537, 10_000_000, 0x3fffffff, 0x7fffffff, 0xffffffff]) {
    const daemon = await Daemon.start(t, { srt: {}, logLevel: 'info' });
    const { uid } = await LiveInput.create(daemon);
    const grown = await growth(daemon, async () => {
      (await callSrt(daemon.ports.srt, { streamid: uid, window, timeout: 500 })).close();
    });
    assert.ok(daemon.child.running);
    line.atMost(`SRT without a passphrase, a window of ${window} packets: memory`, grown, 4096, 'KiB');
    await daemon.stop();
  }
  for (const announced of [{ window: 10_000_000 }, { window: 0x3fffffff }, { mtu: 44 }, { mtu: 0x80000000 }]) {
    const daemon = await Daemon.start(t, { logLevel: 'info' });
    const input = await LiveInput.create(daemon);
    const encoder = await EndlessPublisher.start({ ...input.publishTo, remember: false }, tags);
    await input.untilConnected();
    await delay(3000); // the memory of a stream grows until there is a GOP
    const server = await SrtServer.listen(announced);
    t.after(() => server.close());
    const grown = await growth(daemon, async () => {
      await input.addOutput({ url: `srt://127.0.0.1:${server.port}`, streamKey: '' });
      await until('a call', () => server.concluded > 0);
    });
    assert.ok(daemon.child.running);
    line.atMost(`an SRT destination that announces ${JSON.stringify(announced)}: memory`, grown, 4096, 'KiB');
    encoder.vanish();
    await daemon.stop();
  }

  // MPEG-TS taken apart: a broadcast by SRT to an output by RTMP.
  const daemon = await Daemon.start(t, { srt: {}, logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const bytes = await tsFixture({ seconds: 8 });
  const encoders = [];
  const each = await growth(daemon, async () => {
    for (let i = 0; i < PUBLISHERS; i++) {
      const input = await LiveInput.create(daemon);
      await input.addOutput(sink.url(`ts-${i}`));
      encoders.push(new SrtFilePublisher(bytes, { ...input.publishSrt, latency: 120 }));
    }
    for (const encoder of encoders) await encoder.start();
    const seen = () => sink.sessions.filter(({ videoCount }) => videoCount > 60).length;
    await until('pictures of all', () => seen() === PUBLISHERS, { timeout: 30_000 });
  });
  line.atMost('a broadcast by SRT to an output by RTMP: memory', each / PUBLISHERS, 4096 + bytes.length / 1024, 'KiB');
  for (const encoder of encoders) await encoder.vanish();
});
