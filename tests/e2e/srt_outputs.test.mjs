// Destinations of SRT: those that refuse, those that are not there yet, those that call or meet instead of being called;
// and how an output begins, ends and tells how it is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comparePackets, fromFlv, fromTs } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { RtmpPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { ACCEPTED, callSrt } from './lib/srt_handshake.mjs';
import { SrtFilePublisher, SrtSink, decodeErrors, freeUdpPort } from './lib/srt_peers.mjs';
import { PRIVATE_PID, tsFixture } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const PASSPHRASE = 'the-destination-has-its-own';

// A live input published to by SRT, with one RTMP output that must get all of it.
async function scene(t, { fixture = { seconds: 30 }, good = true, daemonOptions } = {}) {
  const daemon = await Daemon.start(t, { srt: {}, ...daemonOptions });
  const sink = await RtmpSink.listen({ bodies: true });
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const first = good && (await input.addOutput(sink.url('good')));
  const bytes = await tsFixture(fixture);
  const publisher = new SrtFilePublisher(bytes, input.publishSrt);
  t.after(() => publisher.vanish());
  await publisher.start();
  await input.untilConnected();
  if (first) await input.untilOutput(first.uid, 'live');
  const finish = async ({ atLeast = 45 } = {}) => {
    const session = await sink.session('good');
    await until('enough to compare', () => session.videoCount > atLeast);
    await publisher.stop();
    await until('the end of the good one', () => session.closed);
    const what = 'the good destination';
    // It was stopped anywhere, also within a frame: what arrived is a part of the whole.
    const received = fromFlv(session.messages);
    const whole = fromTs(bytes);
    const result = assertUnits(whole, received, { what, start: 'any', end: 'any', atLeast });
    const last = received.video.at(-2).hash; // the very last may be torn
    const at = whole.video.findLastIndex((unit) => unit.hash === last);
    assert.ok(at >= publisher.published.video.length - 60, 'the last two seconds are missing');
    assert.equal(sink.named('good').length, 1);
    return result;
  };
  return { daemon, sink, input, publisher, finish };
}

// Most of their time is spent waiting.
describe('outputs of SRT', { concurrency: 3 }, () => {
  test('a destination with another passphrase, or with one where we have none: said in words, tried again', async (t) => {
    const { daemon, input, finish } = await scene(t);
    for (const [what, ours] of [
      ['another', 'not-the-one-it-has'],
      ['none', undefined],
    ]) {
      const sink = await SrtSink.listen({ passphrase: PASSPHRASE });
      t.after(() => sink.stop());
      const url = `srt://127.0.0.1:${sink.port}${ours ? `?passphrase=${ours}` : ''}`;
      const { uid } = await input.addOutput({ url, streamKey: '' });
      const { status } = await input.untilOutput(uid, 'retrying');
      t.diagnostic(`${what}: ${status.message}`);
      assert.match(status.message, /passphrase/i);
      assert.ok(status.attempt >= 1);
      assert.ok(Date.parse(status.nextRetryAt) > 0);
      assert.equal(sink.size, 0);
    }
    await finish();
    for (const secret of [PASSPHRASE, 'not-the-one-it-has'])
      assert.ok(!daemon.log.includes(secret), 'a passphrase is in the log');
  });

  test('nobody there: the cause is told; somebody later: live', async (t) => {
    const { input, publisher, finish } = await scene(t);
    const port = await freeUdpPort();
    const { uid } = await input.addOutput({ url: `srt://127.0.0.1:${port}`, streamKey: 'a-stream-id' });
    const { status } = await input.untilOutput(uid, 'retrying');
    t.diagnostic(status.message);
    assert.match(status.message, /no answer|refused|listening|timed? out/i);
    assert.ok(status.message.includes(String(port)));
    const sink = await SrtSink.listen({ port });
    t.after(() => sink.stop());
    const live = await input.untilOutput(uid, 'live');
    assert.equal(live.url, `srt://127.0.0.1:${port}`);
    await until('a good deal of media', () => sink.size > 60_000);
    await finish();
    await sink.finished();
    const run = comparePackets(publisher.sent, sink.received, { start: 'any', end: 'any' });
    assert.ok(run.ok, run.report);
  });

  test('enabled in the middle of a GOP of 10 s: it begins at once, and with a picture that can be decoded', async (t) => {
    const gop = { seconds: 12, gop: 300 };
    const { daemon, input, publisher, finish } = await scene(t, { fixture: gop });
    // The same from an RTMP encoder, of which the relay makes the TS.
    const other = await LiveInput.create(daemon);
    const tags = await fixtureTags({ gop: 300 });
    const rtmp = await RtmpPublisher.connect(other.publishTo);
    await rtmp.publish();
    const sending = rtmp.send(tags);
    await until(
      '3 s of the GOP',
      () => publisher.published.video.at(-1)?.dts - publisher.published.video[0]?.dts > 270_000,
      {
        interval: 200,
      },
    );

    const joins = [
      ['SRT', input, () => publisher.published],
      ['RTMP', other, () => fromFlv(tags)],
    ].map(async ([name, into, published]) => {
      const sink = await SrtSink.listen({ tool: 'gstreamer' });
      t.after(() => sink.stop());
      const { uid } = await into.addOutput(sink.output, { enabled: false });
      const began = performance.now();
      await into.enable(uid);
      await sink.untilBytes();
      t.diagnostic(`from ${name}: the first byte after ${(performance.now() - began).toFixed(0)} ms`);
      await until('the cached GOP and some more', () => sink.units.video.length > 120, { interval: 200 });
      await into.disable(uid);
      await sink.finished();
      assert.equal(await decodeErrors(sink.file, { cut: true }), '', `from ${name}: a decoder complains`);
      assert.equal(sink.ts.orphans, 0, `from ${name}: it begins within a picture or a sound`);
      const result = assertUnits(published(), sink.units, { what: `from ${name}`, end: 'any', atLeast: 100 });
      t.diagnostic(`from ${name}: ${result.report}`);
      return sink;
    });
    const [fromSrt] = await Promise.all(joins);
    const run = comparePackets(publisher.sent, fromSrt.received, { end: 'any' });
    assert.ok(run.ok, run.report);
    await finish();
    await sending;
    await rtmp.end();
  });

  test('disabling stops one output, now and for good; the others do not notice', async (t) => {
    const { input, finish } = await scene(t);
    // One that takes silence for an end only long after this test has given up.
    const sink = await SrtSink.listen({ peeridletimeo: 120_000 });
    t.after(() => sink.stop());
    const { uid } = await input.addOutput(sink.output);
    await input.untilOutput(uid, 'live');
    await sink.untilBytes(30_000);
    const began = performance.now();
    await input.disable(uid);
    await sink.finished(); // a goodbye, not a silence
    t.diagnostic(`the destination was told after ${(performance.now() - began).toFixed(0)} ms`);
    await input.untilOutput(uid, 'disabled');
    const late = await SrtSink.listen({ port: sink.port });
    t.after(() => late.stop());
    await finish({ atLeast: 120 });
    assert.equal(late.size, 0, 'it came back');
  });

  test('sound that RTMP cannot carry is left out and told; the picture flows, and SRT has it all', async (t) => {
    const { sink, input, publisher } = await scene(t, { fixture: { seconds: 5, audio: 'mp2' }, good: false });
    const { uid } = await input.addOutput(sink.url('silent'));
    const whole = await SrtSink.listen();
    t.after(() => whole.stop());
    const srt = await input.addOutput(whole.output);
    const session = await sink.session('silent');
    await until('pictures', () => session.videoCount > 30);
    const told = await until('the word about the sound', async () => {
      const { status } = await input.output(uid);
      return status.state === 'live' && status.message && status;
    });
    t.diagnostic(told.message);
    assert.match(told.message, /audio|sound|MP2|MPEG/i);
    assert.ok(!(await input.output(srt.uid)).status.message, 'nothing is missing by SRT');
    await publisher.finished();
    await until('the end of the broadcast at the sink', () => session.closed);
    const received = fromFlv(session.messages);
    assert.equal(received.audio.length, 0);
    assertUnits({ ...fromTs(publisher.sent), audio: [] }, received, {
      what: 'the picture',
      start: 'any',
      atLeast: 100,
    });
    await whole.finished();
    const run = comparePackets(publisher.sent, whole.received, { start: 'any' });
    assert.ok(run.ok, run.report);
    assert.ok(run.pids[PRIVATE_PID] > 10, 'the private data passes');
  });

  test('what an output tells about its connection', async (t) => {
    const { input, finish } = await scene(t);
    const sink = await SrtSink.listen({ latency: 250 });
    t.after(() => sink.stop());
    const { uid } = await input.addOutput(sink.output);
    await input.untilOutput(uid, 'live');
    const { stats } = await until('figures', async () => {
      const output = await input.output(uid);
      return output.stats.bitrate > 0 && output.stats.rttMs > 0 && output;
    });
    t.diagnostic(JSON.stringify(stats));
    for (const name of [
      'rttMs',
      'retransmits',
      'sendBufferMs',
      'packetsLost',
      'packetsDropped',
      'framesSent',
      'bitrate',
    ])
      assert.equal(typeof stats[name], 'number', `${name} is ${stats[name]}`);
    assert.ok(stats.rttMs < 50, `a round trip on loopback of ${stats.rttMs} ms`);
    assert.equal(stats.packetsDropped, 0);
    assert.ok(stats.framesSent > 0 && stats.bitrate > 100_000);
    await finish();
  });

  test('an output that listens waits for its destination, again when that has gone; a stranger is turned away', async (t) => {
    const { input, publisher, finish } = await scene(t);
    const sink = await SrtSink.caller({ passphrase: PASSPHRASE, streamid: 'the-one-we-know' });
    t.after(() => sink.stop());
    const { uid } = await input.addOutput(sink.output);
    await until('the output to listen', async () => (await input.output(uid)).status.state === 'connecting');
    const stranger = await SrtSink.caller({ port: sink.port, passphrase: 'not-the-one-it-has' });
    t.after(() => stranger.stop());
    await assert.rejects(stranger.call({ timeout: 1000 }), /in vain/);
    await stranger.stop();
    await sink.call();
    await input.untilOutput(uid, 'live');
    await sink.untilBytes(30_000);
    await sink.stop();
    const first = comparePackets(publisher.sent, sink.received, { start: 'any', end: 'any' });
    assert.ok(first.ok, first.report);

    const next = await SrtSink.caller({ port: sink.port, passphrase: PASSPHRASE, streamid: 'the-one-we-know' });
    t.after(() => next.stop());
    await next.call();
    await next.untilBytes(30_000);
    await finish();
    await next.finished();
    const second = comparePackets(publisher.sent, next.received, { start: 'any', end: 'any' });
    assert.ok(second.ok, second.report);
  });

  test('an output that meets its destination half way (rendezvous)', async (t) => {
    const { input, publisher, finish } = await scene(t);
    const sink = await SrtSink.meet({ passphrase: PASSPHRASE });
    t.after(() => sink.stop());
    const { uid } = await input.addOutput(sink.output);
    await input.untilOutput(uid, 'live');
    await sink.untilBytes(60_000);
    await finish();
    await sink.finished();
    const run = comparePackets(publisher.sent, sink.received, { start: 'any', end: 'any' });
    assert.ok(run.ok, run.report);
  });

  test('strangers that call an output use up a little memory, and not what others need', async (t) => {
    const { daemon, input, finish } = await scene(t);
    const port = await freeUdpPort();
    const url = `srt://127.0.0.1:${port}?mode=listener&passphrase=${PASSPHRASE}`;
    const { uid } = await input.addOutput({ url, streamKey: '' });
    await input.untilOutput(uid, 'connecting');
    const call = async (options) => {
      const { code, close } = await callSrt(port, options);
      close();
      return code;
    };
    await until('it to listen', async () => !Number.isNaN(await call({ passphrase: 'wrong', timeout: 500 })));
    const before = daemon.residentKiB;
    const codes = [];
    for (let i = 0; i < 150; i++) codes.push(await call({ passphrase: 'wrong' }));
    const [WRONG, TOO_MANY] = [10, 1402];
    assert.deepEqual([...new Set(codes)].sort(), [WRONG, TOO_MANY]);
    const grown = (daemon.residentKiB - before) / 1024;
    if (!daemon.sanitized) assert.ok(grown < 32, `they took ${grown} MiB`);
    assert.equal(await call({ passphrase: PASSPHRASE, from: '127.0.0.2' }), ACCEPTED, 'from elsewhere');
    await finish();
  });
});
