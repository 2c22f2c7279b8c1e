// The encoder goes and comes back: destinations keep their one connection, time goes on, two shows are never mixed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

async function scene(t, options) {
  const daemon = await Daemon.start(t, options);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const { uid } = await input.addOutput(sink.url('show'));
  return { daemon, sink, input, uid, tags: await fixtureTags() };
}

function assertForward(session) {
  for (const kind of ['video', 'audio']) {
    const times = session.media.filter((m) => m.kind === kind).map((m) => m.timestamp);
    times.forEach((time, i) => assert.ok(i === 0 || time >= times[i - 1], `${kind} went back from ${times[i - 1]} to ${time}`));
  }
}

const next = (session, from, kind) => session.media.slice(from).find((m) => m.kind === kind);

test('an encoder that vanishes and returns: one connection, headers and a keyframe at the seam', async (t) => {
  const { sink, input, uid, tags } = await scene(t);
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  await input.untilOutput(uid, 'live');
  first.vanish();
  const holding = await input.untilOutput(uid, 'holding');
  assert.match(holding.status.message, /away/);
  await input.untilConnected(false);
  assert.equal((await input.get()).status.current.reason, 'reconnecting');
  const seam = session.media.length;

  const second = await EndlessPublisher.start(input.publishTo, tags);
  await until('pictures of the second run', () => session.videoCount > 60);
  await input.untilOutput(uid, 'live');
  assert.equal((await input.get()).status.current.reason, 'reconnected');
  assert.equal(session.media[seam].kind.endsWith('-config'), true, `the seam begins with ${session.media[seam].kind}`);
  assert.ok(next(session, seam, 'video').keyframe, 'the first picture behind the seam is a keyframe');
  await second.stop();
  await until('the end', () => session.closed);
  assertForward(session);
  assert.equal(sink.named('show').length, 1, 'one connection from beginning to end');
});

test('a second encoder with the same key takes over; the first is closed', async (t) => {
  const { sink, input, tags } = await scene(t);
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  const second = await EndlessPublisher.start(input.publishTo, tags);
  await until('the first encoder to be told', () => first.publisher.closed);
  const seam = session.media.length;
  await until('more pictures', () => session.media.length > seam + 60);
  await second.stop();
  await until('the end', () => session.closed);
  assertForward(session);
  assert.equal(sink.named('show').length, 1);
});

test('an encoder that stays away longer than the hold: the broadcast is ended properly', async (t) => {
  const { sink, input, uid, tags } = await scene(t, { hold: '500ms' });
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  first.vanish();
  await until('the end of the broadcast', () => session.closed);
  assert.ok(session.fcUnpublish && session.deleteStream);
  await input.untilOutput(uid, 'idle');
  assert.equal((await input.get()).status.current.reason, 'ttl_exceeded');
  const second = await EndlessPublisher.start(input.publishTo, tags);
  assert.ok((await sink.session('show', 1)).name);
  await input.untilOutput(uid, 'live');
  await second.stop();
});
