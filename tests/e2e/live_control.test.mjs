// The API while the show is on: outputs come and go, one at a time, and nobody else notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertExact, assertSinkExact } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { NginxRtmp } from './lib/nginx_rtmp.mjs';
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
  return { daemon, sink, input, tags: await fixtureTags() };
}

const endedProperly = async (session) => {
  await until(`the end of ${session.name} at the sink`, () => session.closed);
  assert.ok(session.fcUnpublish, `${session.name} saw no FCUnpublish`);
  assert.ok(session.deleteStream, `${session.name} saw no deleteStream`);
};

test('enable, disable, create, delete while live; the others stay exact', async (t) => {
  const { sink, input, tags } = await scene(t);
  const nginx = await NginxRtmp.start();
  t.after(() => nginx.stop());
  await input.addOutput(nginx.output('steady'));
  await input.addOutput(sink.url('steady'));
  const toggled = await input.addOutput(sink.url('toggled'), { enabled: false });
  const endless = await EndlessPublisher.start(input.publishTo, tags);
  const steady = await sink.session('steady');
  await until('a GOP', () => steady.videoCount > 60);
  assert.equal(sink.named('toggled').length, 0, 'a disabled output is not dialled');

  for (let round = 0; round < 3; round++) {
    assert.equal((await input.enable(toggled.uid)).enabled, true);
    const session = await sink.session('toggled', round);
    await until('half a second of pictures', () => session.videoCount > 15);
    const headers = session.media
      .slice(
        0,
        session.media.findIndex((m) => m.kind === 'video'),
      )
      .map((m) => m.kind);
    assert.ok(
      headers.includes('video-config') && headers.includes('audio-config'),
      `before the first picture came ${headers}`,
    );
    assert.ok(session.firstVideo.keyframe, 'the first picture is a keyframe');
    assert.equal((await input.disable(toggled.uid)).enabled, false);
    await endedProperly(session);
    assertExact(endless.published, session.media, { what: `round ${round}`, start: 'any', end: 'any', atLeast: 15 });
  }

  const created = await input.addOutput(sink.url('created'));
  const session = await sink.session('created');
  await until('half a second of pictures', () => session.videoCount > 15);
  await input.remove(created.uid);
  await endedProperly(session);
  assertExact(endless.published, session.media, { what: 'created', start: 'any', end: 'any', atLeast: 15 });

  await endless.stop();
  await endedProperly(steady);
  await assertSinkExact(endless.published, steady, { what: 'the untouched sink' });
  assertExact(endless.published, await nginx.finished('steady'), { what: 'the untouched nginx-rtmp' });
  assert.equal(sink.named('steady').length, 1, 'one connection from beginning to end');
});

test('an output passes through its states, and its figures move', async (t) => {
  const { sink, input, tags } = await scene(t);
  const off = await input.addOutput(sink.url('off'), { enabled: false });
  const on = await input.addOutput(sink.url('on'));
  assert.equal(off.status.state, 'disabled');
  assert.equal(on.status.state, 'idle');
  const idle = await input.output(on.uid);
  assert.equal(idle.stats.bytesSent, 0);

  const endless = await EndlessPublisher.start(input.publishTo, tags);
  const live = await input.untilOutput(on.uid, 'live');
  assert.ok(Date.parse(live.status.since) <= Date.now() + 1000);
  assert.ok(Date.parse(live.stats.connectedAt) > 0);
  assert.equal((await input.output(off.uid)).status.state, 'disabled');
  const moved = await until('the figures to move', async () => {
    const output = await input.output(on.uid);
    return output.stats.framesSent >= live.stats.framesSent + 30 && output.stats.bitrate > 100_000 && output;
  });
  assert.ok(moved.stats.bytesSent > live.stats.bytesSent);
  assert.equal(moved.stats.framesDropped, 0);
  assert.equal(moved.stats.reconnects, 0);

  await input.disable(on.uid);
  await input.untilOutput(on.uid, 'disabled');
  await input.enable(on.uid);
  await input.untilOutput(on.uid, 'live');
  await endless.stop();
  await input.untilOutput(on.uid, 'idle');
});

test('a change of key moves that output alone', async (t) => {
  const { sink, input, tags } = await scene(t);
  await input.addOutput(sink.url('steady'));
  const moving = await input.addOutput(sink.url('before'));
  const endless = await EndlessPublisher.start(input.publishTo, tags);
  const before = await sink.session('before');
  await until('pictures', () => before.videoCount > 15);
  const changed = await input.update(moving.uid, { streamKey: 'after', name: 'renamed' });
  assert.equal(changed.uid, moving.uid);
  assert.equal(changed.streamKey, 'after');
  assert.equal(changed.name, 'renamed');
  await endedProperly(before);
  const after = await sink.session('after');
  await until('pictures', () => after.videoCount > 30);
  await endless.stop();
  const steady = await sink.session('steady');
  await until('the end', () => steady.closed && after.closed);
  await assertSinkExact(endless.published, steady, { what: 'the other output' });
  await assertSinkExact(endless.published, after, { what: 'the moved output', start: 'any' });
  assert.equal(sink.named('steady').length, 1);
});

test('the input shows who is there; disabling it ends the broadcast, deleting it too', async (t) => {
  const { daemon, sink, input, tags } = await scene(t);
  assert.equal((await input.get()).status, null);
  const lifecycle = async () => (await daemon.request('GET', `//${input.uid}/lifecycle`, { token: null })).json;
  assert.deepEqual(await lifecycle(), { isInput: true, videoUID: null, live: false });
  await input.addOutput(sink.url('show'));
  let endless = await EndlessPublisher.start(input.publishTo, tags);
  const status = await input.untilConnected();
  assert.equal(status.current.ingestProtocol, 'rtmp');
  assert.equal(status.current.reason, 'connected');
  const session = await sink.session('show');
  assert.equal((await lifecycle()).live, true);

  await input.client.stream.liveInputs.update(input.uid, { account_id: daemon.account, enabled: false });
  await until('the publisher to be cut', () => endless.publisher.closed);
  await endedProperly(session);
  await input.untilConnected(false);
  await assert.rejects(EndlessPublisher.start(input.publishTo, tags));

  await input.client.stream.liveInputs.update(input.uid, { account_id: daemon.account, enabled: true });
  endless = await EndlessPublisher.start(input.publishTo, tags);
  const again = await sink.session('show', 1);
  await until('pictures again', () => again.videoCount > 5);
  await input.client.stream.liveInputs.delete(input.uid, { account_id: daemon.account });
  await until('the publisher to be cut', () => endless.publisher.closed);
  await endedProperly(again);
  await assert.rejects(input.get(), { status: 404 });
  await assert.rejects(EndlessPublisher.start(input.publishTo, tags));
});
