// The daemon and its host: killed, hanging, out of descriptors, with a log that nobody reads.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertSinkExact } from '../lib/assertions.mjs';
import { run } from '../lib/cleanup.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

/** The 95th percentile of some figures; the largest of few. */
const p95 = (figures) => figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * 0.95) - 1];

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const wish = ({ uid, url, streamKey, enabled, created, modified }) => ({ uid, url, streamKey, enabled, created, modified });

/** An encoder that comes back until it is taken. */
async function encoderReturns(input, tags) {
  return until('the encoder to be taken', () => EndlessPublisher.start(input.publishTo, tags), { interval: 50 });
}

faultLine('H1', 'kill -9 under a supervisor', { quick: true }, async (t, line) => {
  const rounds = FULL ? 20 : 3;
  const daemon = await Daemon.start(t);
  await daemon.supervise({ restart: 100 });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon, { meta: { name: 'show' } });
  for (const name of ['a', 'b']) await input.addOutput(sink.url(name));
  await input.addOutput(sink.url('off'), { enabled: false });
  const wanted = (await input.outputs()).map(wish);
  const record = await input.get();
  const tags = await fixtureTags();

  const listening = [];
  const flowing = [];
  let intact = 0;
  for (let round = 0; round < rounds; round++) {
    const seen = sink.sessions.length;
    const returned = performance.now();
    const encoder = await encoderReturns(input, tags);
    await until('both outputs to flow, and no other', () => {
      const fresh = sink.sessions.slice(seen);
      return fresh.length === 2 && fresh.every((session) => session.videoCount > 0);
    });
    if (round > 0) flowing.push(performance.now() - returned);
    const killed = performance.now();
    const pid = daemon.pid;
    process.kill(pid, 'SIGKILL');
    await until('another process', () => daemon.pid !== pid, { interval: 2 });
    await until('it to listen', () => accepts(daemon.ports.rtmp), { interval: 5 });
    listening.push(performance.now() - killed);
    await until('the API', async () => (await fetch(`${daemon.base}/readyz`)).status === 200);
    encoder.vanish();
    const now = (await input.outputs()).map(wish);
    const same = await input.get();
    if (
      JSON.stringify(now) === JSON.stringify(wanted) &&
      same.rtmp.streamKey === record.rtmp.streamKey &&
      same.modified === record.modified
    )
      intact += 1;
  }
  line.atMost('listening again after, p95', p95(listening), timed(1000), 'ms');
  line.atMost('outputs flow after the encoder is back, slowest', Math.max(...flowing), timed(5000), 'ms');
  line.exactly('rounds with everything as it was wanted', intact, rounds);
});

faultLine('H2', 'the daemon hangs: SIGSTOP', {}, async (t, line) => {
  const daemon = await Daemon.start(t);
  await daemon.supervise({ watchdog: 10_000 }); // as in the unit
  const unit = readFileSync(new URL('../../../systemd/simulcastd.service.in', import.meta.url), 'utf8');
  assert.match(unit, /^WatchdogSec=10s$/m);
  const pid = daemon.pid;
  process.kill(pid, 'SIGSTOP');
  const stopped = performance.now();
  await until('another process', () => daemon.pid !== pid, { timeout: 30_000 });
  await until('it to listen', () => accepts(daemon.ports.rtmp));
  line.atMost('running again after', performance.now() - stopped, 15_000, 'ms');
  // And one that works is left alone.
  const fresh = daemon.pid;
  const calm = performance.now();
  await until('three periods', () => performance.now() - calm > 12_000, { timeout: 15_000 });
  line.exactly('the new one is still the same', daemon.pid, fresh);
});

faultLine('H5', 'a restart with live streams', {}, async (t, line) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  for (const name of ['a', 'b', 'c']) await input.addOutput(sink.url(name));
  const tags = await fixtureTags();
  const first = await EndlessPublisher.start(input.publishTo, tags);
  await until('three outputs', () => sink.sessions.filter((session) => session.videoCount > 15).length === 3);
  const { ms } = await daemon.stop();
  const before = sink.sessions.map((session) => session.lastMediaAt);
  line.atMost('clean stop', ms, 2000, 'ms');
  await daemon.restart();
  first.vanish();
  const second = await encoderReturns(input, tags); // its own retry takes no time
  await until('three outputs again', () => sink.sessions.slice(3).filter((session) => session.videoCount > 0).length === 3);
  const gaps = sink.sessions.slice(3).map((session) => session.firstMediaAt - before[0]);
  line.atMost('longest gap at a destination', Math.max(...gaps), 3000, 'ms');
  await second.stop();
});

faultLine('H8', 'file descriptors run out', {}, async (t, line) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const tags = await fixtureTags();
  const encoder = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);

  await run('prlimit', ['--pid', String(daemon.pid), '--nofile=128:128']);
  const strangers = [];
  t.after(() => strangers.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 300; i++) {
    const socket = net.connect({ host: '127.0.0.1', port: daemon.ports.rtmp });
    socket.on('error', () => {});
    strangers.push(socket);
  }
  await until('connections to be turned away', () => daemon.log.includes('too few file descriptors'));
  const cpu = daemon.cpuSeconds;
  const began = performance.now();
  await until('three seconds of it', () => performance.now() - began > 3000);
  line.atMost('CPU meanwhile', ((daemon.cpuSeconds - cpu) / 3) * 100, 25, '%');

  // What is kept back is for outputs and the store.
  const late = await input.addOutput(sink.url('late'));
  await input.untilOutput(late.uid, 'live');
  line.atMost('descriptors in use', daemon.descriptors, 127, '');
  strangers.forEach((socket) => socket.destroy());
  const freed = performance.now();
  const other = await LiveInput.create(daemon);
  await until('an encoder to get in', () => EndlessPublisher.start(other.publishTo, tags), { interval: 20 });
  line.atMost('an encoder gets in after they are free again', performance.now() - freed, 1000, 'ms');

  await encoder.stop();
  await until('the end', () => session.closed);
  await assertSinkExact(encoder.published, session);
  line.exactly('packets lost', encoder.published.length - session.media.length, 0);
});

faultLine('H9', 'a flood of log lines, and a log that nobody reads', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const tags = await fixtureTags();
  const encoder = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);

  // A source that provokes lines, as fast as it can: what it speaks is not RTMP.
  const from = daemon.log.length;
  const began = performance.now();
  let refused = 0;
  const knock = async () => {
    while (performance.now() - began < 5000) {
      const stranger = net.connect({ host: '127.0.0.1', port: daemon.ports.rtmp });
      stranger.on('error', () => {}).on('data', () => {}).write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
      await once(stranger, 'close').catch(() => {});
      refused += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, knock));
  const seconds = (performance.now() - began) / 1000;
  await until('the rest to be told', () => /publisher refused.*\(repeated \d+ times\)/.test(daemon.log.slice(from)));
  const lines = daemon.log.slice(from).split('\n').filter((text) => text.includes('publisher refused'));
  assert.ok(refused / seconds > 20, `only ${refused} tries in ${seconds} s`);
  line.atMost('lines a second of one source', lines.length / Math.ceil(seconds + 1), 10, '');

  // Nobody reads standard error any more: its pipe fills up, and everything goes on.
  daemon.child.process.stderr.pause();
  daemon.child.process.stdout.pause();
  process.kill(daemon.pid, 'SIGHUP');
  const churn = await LiveInput.create(daemon);
  for (let i = 0; i < 3000; i++) {
    const { uid } = await churn.addOutput(sink.url(`x${i}`));
    await churn.remove(uid);
  }
  const at = session.videoCount;
  await until('pictures to flow', () => session.videoCount > at + 60, { timeout: 5000 });
  await encoder.stop();
  await until('the end', () => session.closed);
  await assertSinkExact(encoder.published, session);
  line.exactly('packets lost', encoder.published.length - session.media.length, 0);
  daemon.child.process.stderr.resume();
  daemon.child.process.stdout.resume();
});

faultLine('H3', 'kill -9 in the middle of API writes', { quick: true }, async (t, line) => {
  const rounds = FULL ? 1000 : 50;
  const daemon = await Daemon.start(t, { logLevel: 'info', outputsPerInput: 1000 });
  const input = await LiveInput.create(daemon);
  const path = `/${input.uid}/outputs`;
  const kept = new Map(); // uid -> what was answered with 200
  const doubtful = new Set(); // of what was under way: uids, or keys of outputs that may have been made
  let broken = 0;
  let unsound = 0;
  let written = 0;

  /** One write; what it was about is doubtful until it is answered. */
  const write = async (nth) => {
    const victim = nth % 3 && [...kept.keys()][(nth * 7) % Math.max(1, kept.size)];
    const key = `key-${nth}-${Math.random().toString(36).slice(2)}`;
    doubtful.add(victim || key);
    const answer = !victim
      ? await daemon.request('POST', path, { body: { url: 'rtmp://127.0.0.1:1/live', streamKey: key, enabled: false } })
      : nth % 3 === 1
        ? await daemon.request('PUT', `${path}/${victim}`, { body: { streamKey: key, name: key } })
        : await daemon.request('DELETE', `${path}/${victim}`);
    if (answer.status !== 200) return;
    written += 1;
    doubtful.delete(victim || key);
    if (victim && nth % 3 === 2) kept.delete(victim);
    else kept.set(answer.json.result.uid, key);
  };

  for (let round = 0; round < rounds; round++) {
    let stop = false;
    const writer = async (lane) => {
      // One lane: two writes to the same output must not overtake each other.
      for (let nth = lane + round * 1000; !stop; nth++) await write(nth).catch(() => (stop = true));
    };
    const writing = writer(0);
    // A slow disk takes its time for each; then somewhere within one of the next.
    const least = written + 2;
    await until('two writes to be answered', () => written >= least, { interval: 1 });
    const moment = performance.now() + Math.random() * 40;
    while (performance.now() < moment) await new Promise(setImmediate);
    await daemon.crash();
    stop = true;
    await writing;
    const { output } = await run('sqlite3', [join(daemon.stateDir, 'simulcastd.db'), 'PRAGMA integrity_check']);
    unsound += output.trim() === 'ok' ? 0 : 1;
    await daemon.restart();
    const found = new Map((await input.outputs()).map((o) => [o.uid, o]));
    for (const [uid, key] of kept) {
      const output = found.get(uid);
      if (output ? output.streamKey !== key && !doubtful.has(uid) : !doubtful.has(uid)) broken += 1;
    }
    for (const [uid, output] of found) {
      if (kept.has(uid)) continue;
      if (!doubtful.has(output.streamKey) && !doubtful.has(uid)) broken += 1;
    }
    // Whatever became of it, it is so from now on, and whole: name and key were changed together.
    kept.clear();
    for (const [uid, output] of found) {
      if (output.name !== null && output.name !== output.streamKey) broken += 1;
      kept.set(uid, output.streamKey);
    }
    doubtful.clear();
  }
  assert.ok(written > rounds, `only ${written} writes were answered`);
  line.exactly('answered writes that are missing, others that are there in part', broken, 0);
  line.exactly('rounds after which the database was not sound', unsound, 0);
});
