// The daemon dies or is stopped: what was wanted is still wanted, and comes back without anybody asking.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import tls from 'node:tls';
import { assertSinkExact } from './lib/assertions.mjs';
import { makeCertificates } from './lib/certificates.mjs';
import { tempDir } from './lib/cleanup.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

async function liveScene(t) {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon, { meta: { name: 'show', nested: { a: [1, 'zwei', null] } } });
  for (const name of ['a', 'b', 'c']) await input.addOutput(sink.url(name), { name: `label ${name}` });
  await input.addOutput(sink.url('off'), { enabled: false });
  const tags = await fixtureTags();
  const endless = await EndlessPublisher.start(input.publishTo, tags);
  for (const name of ['a', 'b', 'c']) {
    const session = await sink.session(name);
    await until(`pictures at ${name}`, () => session.videoCount > 15);
  }
  return { daemon, sink, input, tags, endless };
}

const wish = ({ uid, url, streamKey, enabled, name, created }) => ({ uid, url, streamKey, enabled, name, created });
const identity = ({ uid, rtmp, meta, created, modified, enabled, recording }) => ({
  uid,
  rtmp,
  meta,
  created,
  modified,
  enabled,
  recording,
});

test('kill -9: everything is there again, and live as soon as the encoder is back', async (t) => {
  const { daemon, sink, input, tags, endless } = await liveScene(t);
  const wanted = (await input.outputs()).map(wish);
  const known = identity(await input.get());
  // Changed in the last moment before the crash: answered, therefore kept.
  const last = await input.addOutput(sink.url('last'));
  wanted.push(wish(last));

  await daemon.crash();
  await until('the publisher to notice', () => endless.publisher.closed);
  endless.vanish();
  await daemon.restart();

  assert.deepEqual((await input.outputs()).map(wish), wanted);
  assert.deepEqual(identity(await input.get()), known);
  const before = sink.sessions.length;
  const again = await EndlessPublisher.start(input.publishTo, tags); // the encoder's own retry, with the same key
  await until(
    'all four to be on air, and only them',
    () => sink.sessions.slice(before).filter((s) => s.videoCount > 15).length === 4,
  );
  const sessions = sink.sessions.slice(before);
  assert.deepEqual(sessions.map((s) => s.name).sort(), ['a', 'b', 'c', 'last']);
  assert.equal((await input.untilConnected()).current.state, 'connected');
  await again.stop();
  for (const session of sessions) {
    await until(`the end of ${session.name}`, () => session.closed);
    await assertSinkExact(again.published, session, { what: `${session.name} after the crash`, atLeast: 15 });
  }
});

test('SIGTERM: exit 0, and the destinations are not told that the show is over', async (t) => {
  const { daemon, sink, input, tags } = await liveScene(t);
  const { ms } = await daemon.stop();
  t.diagnostic(`stopped in ${Math.round(ms)} ms`);
  assert.equal(sink.sessions.length, 3);
  for (const session of sink.sessions) {
    await until(`the end of ${session.name}`, () => session.closed);
    assert.equal(session.fcUnpublish, false, `${session.name} was told FCUnpublish`);
    assert.equal(session.deleteStream, false, `${session.name} was told deleteStream`);
  }
  await daemon.restart();
  const again = await EndlessPublisher.start(input.publishTo, tags);
  await until(
    'all three to be on air again',
    () => sink.sessions.slice(3).filter((s) => s.videoCount > 5).length === 3,
  );
  await again.stop();
});

test('SIGTERM with a destination that never reads and one that cannot be reached', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen({ decide: ({ name }) => (name === 'deaf' ? 'stall' : 'accept') });
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('deaf'));
  await input.addOutput({ url: 'rtmp://127.0.0.1:1/live', streamKey: 'closed' });
  await EndlessPublisher.start(input.publishTo, await fixtureTags());
  await sink.session('deaf');
  const { ms } = await daemon.stop();
  assert.ok(ms < 8000, `it took ${ms} ms`); // a destination that takes no data is given up after 10 s
});

test('SIGINT is a stop, too; SIGHUP is none', async (t) => {
  const daemon = await Daemon.start(t);
  process.kill(daemon.pid, 'SIGHUP');
  assert.equal((await daemon.request('GET', '')).status, 200);
  const { code } = await daemon.child.stop('SIGINT', 20_000);
  assert.equal(code, 0);
});

test('SIGHUP takes over renewed certificates, for encoders and for the API, without touching a live stream', async (t) => {
  const first = await makeCertificates();
  const second = await makeCertificates();
  const folder = tempDir('certificates');
  const served = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const install = (certificate) => {
    copyFileSync(certificate.certFile, served.certFile);
    copyFileSync(certificate.keyFile, served.keyFile);
  };
  install(first.good);
  const daemon = await Daemon.start(t, { rtmps: served, tls: served });
  const trusting = (port, { ca }) =>
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host: 'localhost', port, ca }, () => resolve(socket));
      socket.on('error', reject);
    });
  const ports = [daemon.ports.rtmps, daemon.ports.api];
  const kept = [];
  t.after(() => kept.forEach((socket) => socket.destroy()));
  for (const port of ports) kept.push(await trusting(port, first));

  install({ certFile: second.good.certFile, keyFile: first.good.keyFile });
  process.kill(daemon.pid, 'SIGHUP');
  await until('the mistake to be told', () => /reload failed.*key/.test(daemon.log));
  for (const port of ports) kept.push(await trusting(port, first));

  install(second.good);
  process.kill(daemon.pid, 'SIGHUP');
  await until('the reload', () => daemon.log.includes('reloaded the log level'));
  for (const port of ports) {
    await until('the new certificate', async () => kept.push(await trusting(port, second)));
    await assert.rejects(trusting(port, first));
  }
  assert.ok(kept.slice(0, 2).every((socket) => !socket.destroyed), 'old connections stay');
});

test('a second daemon on a port that is taken says so and ends with 1', async (t) => {
  const first = await Daemon.start(t);
  const second = new Daemon();
  second.ports.rtmp = first.ports.rtmp;
  await assert.rejects(second.launch(), (error) => {
    assert.match(error.message, /ended with 1/);
    assert.match(error.message, new RegExp(`${first.ports.rtmp}`));
    assert.match(error.message, /in use/i);
    return true;
  });
});
