// The machine that the daemon is on: a disk without room, a clock that is set.
import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { comparePackets } from '../lib/access_units.mjs';
import { assertSinkExact } from '../lib/assertions.mjs';
import { tempDir } from '../lib/cleanup.mjs';
import { BINARY, Daemon, SHIFTED_CLOCK } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { SrtFilePublisher, SrtSink } from '../lib/srt_peers.mjs';
import { tsFixture } from '../lib/ts_fixture.mjs';
import { until } from '../lib/until.mjs';

/** A daemon, supervised, whose state is on a disk of its own of 1 MiB. */
async function onSmallDisk(t) {
  const namespace = ['unshare', ...(process.getuid() === 0 ? [] : ['--map-root-user']), '--mount', '--'];
  const script = 'mkdir -p "$0" && mount -t tmpfs -o size=1m,mode=0700 tmpfs "$0" && exec "$@"';
  const daemon = new Daemon({ logLevel: 'info' });
  daemon.options.launcher = [
    ...[...namespace, 'sh', '-c', script, daemon.stateDir],
    ...[join(dirname(BINARY), 'supervisor'), '0', '100'],
  ];
  t.after(async () => {
    if (daemon.child?.running) await daemon.stop();
    if (!t.passed) daemon.showLog();
  });
  await daemon.launch();
  await daemon.stop();
  await daemon.restart(); // the ports are known now, and the same ones each time it is started
  const ballast = () => join(`/proc/${daemon.pid}/root`, daemon.stateDir, 'ballast');
  const fill = () => {
    for (const size of [4096, 1]) {
      try {
        for (;;) writeFileSync(ballast(), Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        assert.equal(error.code, 'ENOSPC');
      }
    }
  };
  return { daemon, fill, free: () => rmSync(ballast()) };
}

faultLine('H6', 'the disk is full', {}, async (t, line) => {
  const { daemon, fill, free } = await onSmallDisk(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const spare = await input.addOutput(sink.url('spare'), { enabled: false });
  const tags = await fixtureTags();
  const encoder = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);

  fill();
  const outputs = `/${input.uid}/outputs`;
  const body = { url: 'rtmp://127.0.0.1:1/live', streamKey: 'another', enabled: false };
  const writes = {
    'a new input': () => daemon.request('POST', '', { body: { meta: { name: 'x'.repeat(2000) } } }),
    'a change of an input': () => daemon.request('PUT', `/${input.uid}`, { body: { meta: { name: 'x'.repeat(2000) } } }),
    'a new output': () => daemon.request('POST', outputs, { body }),
    'a change of an output': () => daemon.request('PUT', `${outputs}/${spare.uid}`, { body: { enabled: false, name: 'n' } }),
    'a deletion': () => daemon.request('DELETE', `${outputs}/${spare.uid}`),
  };
  // What the store has room for within its own files is still written, and answered as such.
  const full = await until('the first 507', async () => {
    const answer = await writes['a new input']();
    assert.ok([200, 507].includes(answer.status), answer.text);
    return answer.status === 507 && answer;
  });
  assert.match(full.json.errors[0].message, /disk is full/i);
  assert.ok(!/sqlite|database or disk/i.test(full.text), full.text);
  for (const [what, write] of Object.entries(writes)) line.exactly(`answer to ${what}`, (await write()).status, 507);
  line.exactly('answer to a question', (await daemon.request('GET', outputs)).status, 200);
  const ready = await until('readyz to say so', async () => {
    const answer = await fetch(`${daemon.base}/readyz`);
    return answer.status !== 200 && `${answer.status} ${(await answer.json()).errors[0].message}`;
  });
  line.exactly('readyz', ready, '503 The disk of the store is full');
  line.exactly('outputs that are there', (await input.outputs()).length, 2);

  free();
  const freed = performance.now();
  await until('a write', async () => (await writes['a change of an output']()).status === 200);
  line.atMost('writes are taken again after', performance.now() - freed, 1000, 'ms');

  await until('more pictures', () => session.videoCount > 60);
  await encoder.stop();
  await until('the end', () => session.closed);
  await assertSinkExact(encoder.published, session);
  line.exactly('packets lost', encoder.published.length - session.media.length, 0);

  // Nor does it keep a daemon from starting that has to start just then.
  fill();
  const { pid } = daemon;
  process.kill(pid, 'SIGKILL');
  await until('another process', () => daemon.pid !== pid);
  await until('it to answer', async () => (await fetch(`${daemon.base}/healthz`)).status === 200);
  const second = await EndlessPublisher.start(input.publishTo, tags);
  const again = await sink.session('show', 1);
  await until('pictures', () => again.videoCount > 15);
  line.atLeast('kill -9 meanwhile: pictures of the next run', again.videoCount, 15);
  await second.stop();
});

const HOUR = 3600;

/** A wall clock for one process: `env` starts the process with it, set() moves it by this many seconds from the real one. */
class WallClock {
  file = join(tempDir('clock'), 'shift');
  #handle = openSync(this.file, 'w');

  constructor(t) {
    t.after(() => closeSync(this.#handle));
    this.set(0);
  }
  set(seconds) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.#handle, bytes, 0, 8, 0); // in place: the process has it mapped
  }
  get launcher() {
    return ['env', `LD_PRELOAD=${SHIFTED_CLOCK}`, `SHIFTED_CLOCK=${this.file}`];
  }
}

faultLine('H7', 'the wall clock is put forward and back by an hour', {}, async (t, line) => {
  const clock = new WallClock(t);
  const daemon = await Daemon.start(t, { launcher: clock.launcher, logLevel: 'info', srt: { latency: 1000 } });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const broken = await RtmpSink.listen();
  await broken.close();
  const { uid: retried } = await input.addOutput(broken.url('broken'));

  const srtInput = await LiveInput.create(daemon);
  const srtSink = await SrtSink.listen();
  t.after(() => srtSink.stop());
  await srtInput.addOutput(srtSink.output);
  const publisher = new SrtFilePublisher(await tsFixture({ seconds: 20 }), srtInput.publishSrt);
  t.after(() => publisher.vanish());

  const held = await LiveInput.create(daemon, { recording: { mode: 'off', timeoutSeconds: 5 } });
  await held.addOutput(sink.url('held'));

  const tags = await fixtureTags();
  const encoder = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await publisher.start();

  const step = async (to, title) => {
    // A hold of 5 s is under way when the clock is set, and the output that is retried waits for its next try.
    const nth = sink.named('held').length;
    const lost = await EndlessPublisher.start(held.publishTo, tags);
    const holding = await sink.session('held', nth);
    await until('pictures', () => holding.videoCount > 15);
    lost.vanish();
    const vanished = performance.now();
    await delay(2000); // the clock is set in the middle of the hold
    clock.set(to);
    const { modified } = await (await LiveInput.create(daemon)).get();
    const now = Date.now() + to * 1000;
    assert.ok(Math.abs(Date.parse(modified) - now) < 5000, `${title}: the daemon says it is ${modified}`);
    await until('the end of the hold', () => holding.closed);
    const ended = performance.now() - vanished;
    line.atMost(`${title}: a hold of 5 s, off by`, Math.abs(ended - 5000), 1100, 'ms');
  };
  await step(HOUR, 'an hour forward');
  await step(-HOUR, 'two hours back');
  clock.set(0);

  await input.untilOutput(retried, 'retrying');
  const repaired = await RtmpSink.listen({ port: broken.port });
  t.after(() => repaired.close());
  const up = performance.now();
  const fresh = await repaired.session('broken');
  line.atMost('an output that is retried is connected after its server is up', fresh.publishedAt - up, 5000, 'ms');
  await encoder.stop();
  await until('the end', () => session.closed);
  await assertSinkExact(encoder.published, session);
  line.exactly('packets lost (RTMP)', encoder.published.length - session.media.length, 0);
  line.exactly('connections (RTMP)', sink.named('show').length, 1);
  await publisher.finished();
  const received = await srtSink.finished({ timeout: 20_000 });
  const same = comparePackets(publisher.sent, received);
  line.exactly('everything arrived as it was sent (SRT)', same.ok ? 'yes' : same.report, 'yes');
});
