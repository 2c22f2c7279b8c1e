// Encoders that publish by SRT: who is let in and who is not, who takes over, and how the end of a show is told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Child, run } from './lib/cleanup.mjs';
import { Daemon, SRT_TOOL } from './lib/daemon.mjs';
import { fixture } from './lib/publishers.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const SRT = { srt: {} };

/** ffmpeg sending a recording over and over; `query` overrides the stream id and so on. */
async function encoder(input, query = {}) {
  const { streamId, passphrase } = input.record.srt;
  const { streamid = streamId, ...others } = query;
  const wanted = new URLSearchParams({ passphrase, pbkeylen: '16', ...others });
  const source = ['-re', '-stream_loop', '-1', '-i', await fixture(), '-c', 'copy', '-f', 'mpegts'];
  return new Child('ffmpeg', [
    '-nostdin',
    '-v',
    'error',
    ...source,
    '-srt_streamid',
    streamid,
    `srt://127.0.0.1:${input.daemon.ports.srt}?${wanted}`,
  ]);
}

async function scene(t, options = {}) {
  const daemon = await Daemon.start(t, { ...SRT, ...options });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const { uid } = await input.addOutput(sink.url('show'));
  return { daemon, sink, input, uid };
}

// Most of their time is spent waiting.
describe('encoders by SRT', { concurrency: 3 }, () => {
test('callers that may not publish are rejected with the code that says why', async (t) => {
  const daemon = await Daemon.start(t, SRT);
  const input = await LiveInput.create(daemon);
  const off = await LiveInput.create(daemon, { enabled: false });
  const { streamId, passphrase } = input.record.srt;
  const stranger = '0'.repeat(32);
  const rows = [
    // what, stream id, passphrase, code, what the log says
    ['no passphrase', streamId, '', 11, 'the passphrase is wrong or missing'],
    ['a wrong passphrase', streamId, 'quite another passphrase', 10, 'the passphrase is wrong or missing'],
    ["another input's passphrase", streamId, off.record.srt.passphrase, 10, 'the passphrase is wrong or missing'],
    ['no stream id', '', passphrase, 1400, 'the stream id is missing'],
    ['an unknown stream id', stranger, passphrase, 1404, 'no live input has this uid'],
    ['an unknown stream id, unencrypted', stranger, '', 1404, 'no live input has this uid'],
    ['a stream id of 512 bytes', 'x'.repeat(512), passphrase, 1404, 'no live input has this uid'],
    ['a disabled input', off.record.srt.streamId, off.record.srt.passphrase, 1403, 'this live input is disabled'],
    ['a player', `#!::r=${streamId},m=request`, passphrase, 1405, 'to publish'],
    ['access control without a resource', '#!::m=publish', passphrase, 1400, 'the stream id is missing'],
  ];
  for (const [what, id, secret, code, cause] of rows) {
    const from = daemon.log.length;
    const answer = JSON.parse((await run(SRT_TOOL, ['probe', `${daemon.ports.srt}`, id, secret])).output);
    assert.equal(answer.code, code, `${what}: rejected with ${answer.code}`);
    t.diagnostic(`${what}: rejected with ${answer.code} after ${answer.ms} ms`);
    // The same refusal of the same host is logged once.
    await until(`the log to say why (${what})`, () => daemon.log.slice(from).includes(cause) || rows.some(
      (row) => row[4] === cause && row[0] !== what && daemon.log.slice(0, from).includes(cause),
    ));
  }
  // libsrt itself refuses to call with a passphrase that is too short.
  await assert.rejects(run(SRT_TOOL, ['probe', `${daemon.ports.srt}`, streamId, '12345']), /passphrase/);
  for (const secret of [passphrase, off.record.srt.passphrase, 'quite another passphrase']) {
    assert.ok(!daemon.log.includes(secret), 'a passphrase is in the log');
  }
  assert.ok(!daemon.log.includes('publisher connected'));
});

test('stream ids in both forms, and keys of every length', async (t) => {
  const { sink, input } = await scene(t);
  const { streamId } = input.record.srt;
  const forms = [
    { pbkeylen: '16' },
    { pbkeylen: '24', streamid: `#!::r=${streamId},m=publish` },
    { pbkeylen: '32', streamid: `#!::u=me,m=publish,t=stream,x=1,r=${streamId}` },
  ];
  for (const [i, query] of forms.entries()) {
    const sending = await encoder(input, query);
    const status = await input.untilConnected();
    assert.equal(status.current.ingestProtocol, 'srt');
    const session = await until(`show ${i}`, () => sink.named('show')[i]);
    await until('pictures', () => session.videoCount > 15);
    await sending.stop('SIGINT');
    await input.untilConnected(false);
    await until('the end', () => session.closed);
  }
});

test('a second encoder takes over; the first is closed and the destination keeps its connection', async (t) => {
  const { daemon, sink, input } = await scene(t);
  const first = await encoder(input);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  const second = await encoder(input);
  await until('the first encoder to end', () => !first.running);
  const seam = session.videoCount;
  await until('pictures of the second', () => session.videoCount > seam + 60);
  assert.match(daemon.log, /publisher gone.*another encoder took over/);
  await second.stop('SIGINT');
  await until('the end', () => session.closed);
  assert.equal(sink.named('show').length, 1, 'one connection from beginning to end');
  const times = session.media.filter((m) => m.kind === 'video').map((m) => m.timestamp);
  times.forEach((time, i) => assert.ok(i === 0 || time >= times[i - 1], `video went back at ${i}`));
});

test('an encoder that closes ends the show; one that vanishes is noticed and held for', async (t) => {
  const { daemon, sink, input, uid } = await scene(t);
  const first = await encoder(input);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  await input.untilOutput(uid, 'live');
  await first.stop('SIGKILL');
  const vanished = performance.now();
  await input.untilConnected(false);
  t.diagnostic(`noticed after ${((performance.now() - vanished) / 1000).toFixed(1)} s`);
  assert.equal((await input.get()).status.current.reason, 'reconnecting');
  await input.untilOutput(uid, 'holding');

  const seam = session.videoCount;
  const second = await encoder(input);
  await until('pictures of the second run', () => session.videoCount > seam + 30);
  assert.equal((await input.get()).status.current.reason, 'reconnected');
  await second.stop('SIGINT');
  await input.untilConnected(false);
  assert.equal((await input.get()).status.current.reason, 'client_disconnect');
  await input.untilOutput(uid, 'idle');
  await until('the end', () => session.closed);
  assert.equal(sink.named('show').length, 1);
  assert.match(daemon.log, /goodbye=true/);
});

test('the encoder changes from RTMP to SRT and back; destinations of both kinds run on', async (t) => {
  const { sink, input } = await scene(t);
  const rtmp = await (async () =>
    new Child('ffmpeg', [
      ...['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', await fixture(), '-c', 'copy', '-f', 'flv'],
      input.publishUrl,
    ]))();
  const session = await sink.session('show');
  await until('pictures by RTMP', () => session.videoCount > 15);
  const srt = await encoder(input);
  await until('the RTMP encoder to end', () => !rtmp.running);
  const seam = session.videoCount;
  await until('pictures by SRT', () => session.videoCount > seam + 30);
  assert.equal((await input.get()).status.current.ingestProtocol, 'srt');
  await srt.stop('SIGINT');
  await until('the end', () => session.closed);
  assert.equal(sink.named('show').length, 1);
});
});
