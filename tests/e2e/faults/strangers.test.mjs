// Strangers at the door: many of them, slow ones, and those who guess.
import assert from 'node:assert/strict';
import net from 'node:net';
import { assertSinkExact } from '../lib/assertions.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { HANDSHAKE, hello } from '../lib/rtmp.mjs';
import { EndlessPublisher, RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

/** A connection from one of many addresses of the loopback network, which the test may trickle bytes into. */
class Stranger {
  closedAt = null;
  openedAt = null;

  constructor(port, nth) {
    this.socket = net.connect({ host: '127.0.0.1', port, localAddress: `127.0.${1 + (nth >> 8)}.${1 + (nth & 0xff) % 250}` });
    this.socket.on('connect', () => (this.openedAt = performance.now()));
    this.socket.on('error', () => {});
    this.socket.on('data', () => {});
    this.socket.on('close', () => (this.closedAt = performance.now()));
  }
}

faultLine('S2', 'sockets that send the handshake byte by byte, and that stop after each step', { quick: true }, async (t, line) => {
  const count = FULL ? 5000 : 400; // 1024 descriptors are all that some machines give to a process
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const input = await LiveInput.create(daemon);
  const tags = await fixtureTags();
  const resident = daemon.residentKiB;
  const strangers = [];
  t.after(() => strangers.forEach(({ socket }) => socket.destroy()));
  const c0c1 = hello();
  const steps = [Buffer.alloc(0), c0c1.subarray(0, 1), c0c1, Buffer.concat([c0c1, Buffer.alloc(HANDSHAKE)])];
  for (let i = 0; i < count; i++) {
    const stranger = new Stranger(daemon.ports.rtmp, i);
    stranger.trickles = i % 5 === 0;
    if (!stranger.trickles) stranger.socket.write(steps[i % steps.length]);
    strangers.push(stranger);
  }
  await until('all to be connected', () => strangers.every(({ openedAt, closedAt }) => openedAt || closedAt), { timeout: 30_000 });
  let sent = 0;
  const trickle = setInterval(() => {
    sent += 1;
    for (const { socket, trickles } of strangers) if (trickles && !socket.destroyed) socket.write(c0c1.subarray(sent, sent + 1));
  }, 100);
  t.after(() => clearInterval(trickle));
  const each = (daemon.residentKiB - resident) / strangers.filter(({ closedAt }) => !closedAt).length;
  if (!daemon.sanitized) line.atMost('memory for each', each, 16, 'KiB');

  const began = performance.now();
  const encoder = await EndlessPublisher.start(input.publishTo, tags);
  line.atMost('an encoder is taken meanwhile after', performance.now() - began, timed(1000), 'ms');
  await until('all of them to be closed', () => strangers.every(({ closedAt }) => closedAt), { timeout: 60_000 });
  const longest = Math.max(...strangers.map(({ openedAt, closedAt }) => closedAt - (openedAt ?? closedAt)));
  line.atMost('the last one was closed after', longest, timed(11_000), 'ms'); // 10 s, and the second it may take to hang up
  await encoder.stop();
});

faultLine('S5', 'guessed keys are answered later and later, and nobody else is', { quick: true }, async (t, line) => {
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const tags = await fixtureTags();
  const wrong = async (key) => {
    const began = performance.now();
    const guess = await RtmpPublisher.connect({ port: daemon.ports.rtmp, key });
    const words = await guess.publish().then(
      () => 'accepted',
      (error) => error.message,
    );
    guess.socket.destroy();
    return { words, ms: performance.now() - began };
  };
  const near = `${input.key.slice(0, -1)}${input.key.at(-1) === '0' ? '1' : '0'}`;
  const answers = [];
  for (const key of ['nobody', near, input.uid, near.toUpperCase(), `${input.key}0`]) answers.push(await wrong(key));
  const free = Math.max(...answers.map(({ ms }) => ms));
  const late = await wrong(near);
  const words = new Set([...answers, late].map((answer) => answer.words));
  line.exactly('different answers to unknown and wrong keys', words.size, 1);
  assert.match([...words][0], /not accepted/);
  line.atLeast('the sixth is answered after', late.ms, 1000, 'ms');
  if (FULL) assert.ok(late.ms > free, `the first five took ${free} ms at most`);

  const began = performance.now();
  const encoder = await EndlessPublisher.start(input.publishTo, tags); // the same address
  line.atMost('the right key is taken after', performance.now() - began, timed(500), 'ms');
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  await encoder.stop();
  await until('the end', () => session.closed);
  await assertSinkExact(encoder.published, session, { atLeast: 15 });
});
