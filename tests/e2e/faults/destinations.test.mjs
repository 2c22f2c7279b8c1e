// A destination that is down, dies, does not read, is too slow or says no: how it is dealt with, and that nobody else
// notices.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tempDir } from '../lib/cleanup.mjs';
import { goodScene, gopsOf, syntheticTags } from '../lib/destinations.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { FaultProxy } from '../lib/fault_proxy.mjs';
import { writeFlv } from '../lib/flv.mjs';
import { fixtureTags, inflated } from '../lib/publishers.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { decodeErrors } from '../lib/srt_peers.mjs';
import { until } from '../lib/until.mjs';

const CAP = { seconds: 2, bytes: 4 << 20 };
const daemonOptions = { queue: { seconds: `${CAP.seconds}`, bytes: `${CAP.bytes >> 20}MiB` } };

/** Heavy, so that the socket buffers are full soon: 10 Mbit/s, a keyframe each half second. */
const heavyTags = () => syntheticTags({ frames: 300, gop: 15, size: 40_000 });

faultLine('D1', 'a destination that is down at the start and up after 30 s', {}, async (t, line) => {
  const { input, sink, finish } = await goodScene(t);
  const proxies = [];
  for (let i = 0; i < 8; i++) {
    const proxy = await FaultProxy.open({ to: sink.port });
    t.after(() => proxy.close());
    await proxy.refuse();
    proxies.push({ proxy, waits: new Set() });
  }
  const began = performance.now();
  for (const [i, each] of proxies.entries()) {
    each.uid = (await input.addOutput({ url: `rtmp://127.0.0.1:${each.proxy.port}/live`, streamKey: `late-${i}` })).uid;
  }
  // How long each says that it waits, try by try.
  while (performance.now() - began < 30_000) {
    for (const each of proxies) {
      const { status } = await input.output(each.uid);
      if (status.state !== 'retrying') continue;
      assert.match(status.message, /refused/i);
      each.waits.add(`${status.attempt} ${Date.parse(status.nextRetryAt) - Date.parse(status.since)}`);
    }
    await delay(100);
  }
  const up = performance.now();
  for (const { proxy } of proxies) await proxy.accept();
  const connected = [];
  for (const i of proxies.keys()) {
    const session = await sink.session(`late-${i}`, 0, { timeout: 40_000 });
    connected.push(session.publishedAt - up);
    await until('a picture', () => session.firstVideo);
    assert.ok(session.firstVideo.keyframe);
  }
  line.atMost('connected after it is up, the latest of 8', Math.max(...connected), 5000, 'ms');
  const waits = proxies.flatMap((each) => [...each.waits].map((text) => text.split(' ').map(Number)));
  line.atLeast('shortest wait between two tries', Math.min(...waits.map(([, ms]) => ms)), 500, 'ms');
  const third = new Set(waits.filter(([attempt]) => attempt === 3).map(([, ms]) => ms));
  line.atLeast('different lengths of the third wait, of 8', third.size, 4);
  const keyframes = proxies.filter((_, i) => sink.named(`late-${i}`)[0].firstVideo.keyframe).length;
  line.exactly('first video packet is a keyframe, of 8', keyframes, 8);
  await finish(line);
});

faultLine('D2', 'a destination dies and returns after 3 s', { quick: true }, async (t, line) => {
  const { input, sink, publisher, finish } = await goodScene(t, { tags: await fixtureTags({ gop: 30 }) });
  const proxy = await FaultProxy.open({ to: sink.port });
  t.after(() => proxy.close());
  const { uid } = await input.addOutput({ url: `rtmp://127.0.0.1:${proxy.port}/live`, streamKey: 'mortal' });
  for (let death = 0; death < (FULL ? 6 : 1); death++) {
    const session = await sink.session('mortal', death);
    await until('pictures', () => session.videoCount > 30);
    await input.untilOutput(uid, 'live');
    await proxy.refuse();
    const died = performance.now();
    proxy.reset();
    await until('its death to show', () => session.closed);
    await delay(Math.max(0, died + 3000 - performance.now())); // how long it is away is what this is about
    const returned = performance.now();
    await proxy.accept();
    const again = await sink.session('mortal', death + 1, { timeout: 90_000 });
    line.atMost('connected again after its return', again.publishedAt - returned, timed(5000), 'ms');
    await until('pictures', () => again.videoCount > 30);

    // Where the last frame before and the first one behind stand in the show, which goes round in ten seconds.
    const place = ({ hash, at }) => publisher.published.findLast((tag) => tag.hash === hash && tag.at <= at);
    const last = place(session.media.filter(({ kind }) => kind === 'video').at(-1));
    const next = place(again.firstVideo);
    const outage = again.publishedAt - died;
    line.atMost('hole beyond the outage', next.timestamp - last.timestamp - outage, timed(1000), 'ms');
    line.exactly('first video packet is a keyframe', again.firstVideo.keyframe, true);
    const { orphans, back, strange } = gopsOf(publisher.published, again);
    line.exactly('frames without their keyframe, out of order, or never sent', orphans + back + strange, 0);
  }
  await finish(line);
});

faultLine('D3', 'a destination accepts and never reads', { quick: true }, async (t, line) => {
  const { daemon, input, sink, publisher, finish } = await goodScene(t, {
    tags: heavyTags(),
    decide: ({ name }) => (name === 'deaf' ? 'stall' : 'accept'),
    daemonOptions,
  });
  const before = daemon.residentKiB;
  const since = performance.now();
  const { uid } = await input.addOutput(sink.url('deaf'));
  const deaf = await sink.session('deaf');
  const stalled = performance.now();
  let most = 0;
  let queued = 0;
  let progress = stalled;
  let bytes = 0;
  const cut = await until(
    'it to be cut',
    async () => {
      const { status, stats } = await input.output(uid);
      most = Math.max(most, daemon.residentKiB - before);
      queued = Math.max(queued, stats.queueMs);
      if (stats.bytesSent !== bytes) progress = performance.now();
      bytes = stats.bytesSent;
      return status.state === 'retrying' && { status, stats };
    },
    { timeout: 60_000, interval: 100 },
  );
  const cutAfter = performance.now() - progress;
  assert.match(cut.status.message, /took no data for 10 s/);
  line.atLeast('frames dropped for it', cut.stats.framesDropped, 30);
  line.atMost('media waiting for it', queued, CAP.seconds * 1000 + 500, 'ms');
  if (!daemon.sanitized) line.atMost('memory for it', most, CAP.bytes / 1024, 'KiB');
  if (FULL) line.atLeast('cut after the last progress', cutAfter, 9500, 'ms');
  line.atMost('cut after the last progress', cutAfter, timed(12_000), 'ms');

  // At the second try it reads, after a while.
  const again = await sink.session('deaf', 1, { timeout: 60_000 });
  line.atMost('tried again after', again.publishedAt - progress - cutAfter, timed(5000), 'ms');
  const dropped = cut.stats.framesDropped + 15;
  await until('frames to be dropped', async () => (await input.output(uid)).stats.framesDropped > dropped);
  again.resume();
  const seen = again.videoCount;
  await until('pictures', () => again.videoCount > seen + 120, { timeout: 60_000 });
  const first = gopsOf(publisher.published, deaf);
  const { holes, orphans, back, strange } = gopsOf(publisher.published, again);
  line.atLeast('holes', holes, 1);
  const wrong = orphans + back + strange + first.orphans;
  line.exactly('frames without their keyframe, out of order, or never sent', wrong, 0);
  await finish(line, { since });
});

faultLine('D5', 'a link at half the bitrate', {}, async (t, line) => {
  // A real picture with B-frames, for a decoder to look at, filled up to 4 Mbit/s.
  const tags = inflated(await fixtureTags({ gop: 30 }), 4000);
  const { input, sink, publisher, finish } = await goodScene(t, { tags, daemonOptions });
  const slow = await RtmpSink.listen({ bodies: true });
  t.after(() => slow.close());
  const RATE = 2_000_000;
  const proxy = await FaultProxy.open({ to: slow.port, bitrate: RATE });
  t.after(() => proxy.close());
  const { uid } = await input.addOutput({ url: `rtmp://127.0.0.1:${proxy.port}/live`, streamKey: 'slow' });
  const session = await slow.session('slow');
  const since = performance.now();
  let queued = 0;
  let held = 0;
  let shown = false;
  while (performance.now() - since < 40_000) {
    const { status, stats } = await input.output(uid);
    queued = Math.max(queued, stats.queueMs);
    held = Math.max(held, proxy.held);
    shown ||= status.state === 'live' && stats.framesDropped > 0;
    await delay(200);
  }
  const { stats, status } = await input.output(uid);
  const over = performance.now(); // from then on nothing new pushes out what waits
  await finish(line);
  await until('the end', () => session.closed, { timeout: 60_000 });

  const { gops, holes, orphans, back, strange } = gopsOf(publisher.published, session);
  line.atLeast('GOPs that arrived', gops, 10);
  line.atLeast('holes', holes, 5);
  line.exactly('frames without their keyframe, out of order, or never sent', orphans + back + strange, 0);
  // A show that goes round has each frame again and again: it was sent when that was last done before it came.
  const late = session.media
    .filter(({ kind, at }) => kind === 'video' && at < over)
    .map(({ hash, at }) => at - publisher.published.findLast((tag) => tag.hash === hash && tag.at <= at).at);
  // Behind the queue lie what has been made ready for the socket (256 KiB), what the kernel has not sent (128 KiB), and
  // what the link itself holds, which is not the daemon's doing.
  const limit = CAP.seconds * 1000 + ((384 * 1024 + held) * 8) / (RATE / 1000);
  line.atMost(`longest delay of a frame, with ${held} bytes in the link`, Math.max(...late), limit, 'ms');
  line.atMost('media waiting for it, as the API says', queued, CAP.seconds * 1000 + 500, 'ms');
  line.atLeast('frames dropped, as the API says', stats.framesDropped, 100);
  line.exactly('the API says so while it is live', shown && status.state === 'live', true);
  line.exactly('connections', slow.sessions.length, 1);
  const file = join(tempDir('slow'), 'received.flv');
  writeFileSync(file, writeFlv(session.messages.filter(({ type }) => type)));
  line.exactly('what a decoder says', await decodeErrors(file), '');
});

faultLine('D7', 'a wrong key, and servers that turn away without a word', { quick: true }, async (t, line) => {
  const asked = new Map();
  const { input, sink, finish } = await goodScene(t, {
    decide: ({ name }) => {
      if (name.startsWith('good')) return 'accept';
      asked.set(name, (asked.get(name) ?? 0) + 1);
      return name === 'mute' ? 'reset' : { refuse: 'This stream key expired on Tuesday.' };
    },
  });
  const since = performance.now();
  const wrong = await input.addOutput(sink.url('key-of-last-week'));
  const refused = await until('the words in the API', async () => {
    const output = await input.output(wrong.uid);
    return output.status.message?.includes('This stream key expired on Tuesday.') && output;
  });
  line.atMost("the server's words in the API after", performance.now() - since, timed(2000), 'ms');
  assert.equal(refused.status.state, 'retrying');
  assert.ok(!refused.status.message.includes('key-of-last-week'), 'the key is not among the words');
  const wait = ({ status }) => Date.parse(status.nextRetryAt) - Date.parse(status.since);
  // A whole hour takes an hour: every wait is as long as that one or longer, a unit test says so of thousands.
  line.atMost('tries an hour of a refused key', 1 + (3600 * 1000) / wait(refused), 60);

  // Many services say the same by hanging up. That may be a restart as well, so a few tries are quick.
  const { uid } = await input.addOutput(sink.url('mute'));
  const settled = await until(
    'the tries to become rare',
    async () => {
      const output = await input.output(uid);
      return output.status.state === 'retrying' && wait(output) > 30_000 && output;
    },
    { timeout: 120_000, interval: 50 },
  );
  assert.match(settled.status.message, /a wrong stream key or application is the usual cause/);
  line.atMost('tries an hour of one that hangs up', settled.status.attempt + (3600 * 1000) / wait(settled), 60);
  line.exactly('tries of it that the server saw', asked.get('mute'), settled.status.attempt);
  const due = 1 + Math.floor((performance.now() - since) / wait(refused));
  line.atMost('tries of the refused key until then', asked.get('key-of-last-week'), due);
  await finish(line);
});

