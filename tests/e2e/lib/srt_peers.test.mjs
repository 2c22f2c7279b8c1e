// The SRT peers of the daemon against each other, without the daemon: what one sends, the other must receive exactly.
// When one of these fails, the failures of the other SRT files say nothing about the daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, comparePackets } from './access_units.mjs';
import { padTs, tsFixture, tsFixtureFile } from './ts_fixture.mjs';
import {
  SrtFilePublisher,
  SrtSink,
  decodeErrors,
  ffmpegSrtPublisher,
  gstreamerSrtPublisher,
  udpPortTaken,
} from './srt_peers.mjs';
import { until } from './until.mjs';

const PASSPHRASE = 'a-passphrase-of-the-tests';
const STREAM_ID = '#!::r=abc,m=publish';
const urlOf = (port) => `srt://127.0.0.1:${port}`;

function exact(published, received, options) {
  const result = compare(published, received, options);
  assert.ok(result.ok, result.report);
  assert.ok(result.video > 60 && result.audio > 80, result.report);
  return result.report;
}

test('the file publisher to every kind of sink: the very bytes, or the same access units', async (t) => {
  const bytes = await tsFixture({ seconds: 3 });
  const sinks = [
    ['plain', await SrtSink.listen(), { streamid: STREAM_ID }],
    ['AES-128', await SrtSink.listen({ passphrase: PASSPHRASE }), { passphrase: PASSPHRASE, pbkeylen: 16 }],
    ['AES-256', await SrtSink.listen({ passphrase: PASSPHRASE }), { passphrase: PASSPHRASE, pbkeylen: 32 }],
    ['GStreamer', await SrtSink.listen({ tool: 'gstreamer' }), {}],
    ['ffmpeg', await SrtSink.listen({ tool: 'ffmpeg', passphrase: PASSPHRASE }), { passphrase: PASSPHRASE }],
  ];
  await Promise.all(
    sinks.map(async ([name, sink, options]) => {
      t.after(() => sink.stop());
      const publisher = new SrtFilePublisher(bytes, { url: urlOf(sink.port), ...options });
      await publisher.start();
      await publisher.finished();
      assert.ok(publisher.sent.equals(padTs(bytes)));
      const received = await sink.finished();
      // ffmpeg, as a live receiver, has nothing to tell it that the last picture is whole.
      t.diagnostic(`${name}: ${exact(publisher.published, sink.units, { tailMs: name === 'ffmpeg' ? 200 : 0 })}`);
      if (name === 'ffmpeg') return;
      assert.equal(received.length, publisher.sent.length, name);
      assert.ok(received.equals(publisher.sent), `${name}: the bytes differ`);
      assert.ok(comparePackets(publisher.sent, received).ok);
      assert.equal(await decodeErrors(sink.file), '');
    }),
  );
});

test('ffmpeg and GStreamer to srt-live-transmit, all but the last moment', async (t) => {
  await Promise.all(
    [
      ['ffmpeg', ffmpegSrtPublisher, { pbkeylen: 32 }],
      ['ffmpeg, a file', ffmpegSrtPublisher, { source: true }],
      ['GStreamer', gstreamerSrtPublisher, { pbkeylen: 24 }],
    ].map(async ([name, start, { source, ...options }]) => {
      const sink = await SrtSink.listen({ passphrase: PASSPHRASE });
      t.after(() => sink.stop());
      const publisher = start(urlOf(sink.port), {
        ...{ seconds: 4, streamid: STREAM_ID, passphrase: PASSPHRASE, ...options },
        ...(source ? { source: await tsFixtureFile({ seconds: 4 }) } : {}),
      });
      await publisher.started();
      await publisher.finished();
      await sink.finished();
      // It closes without waiting, so that the stream may end anywhere, in a picture too.
      const { published } = publisher;
      t.diagnostic(`${name}: ${exact(published, sink.units, { end: 'any' })}`);
      const missing = published.video.length - sink.units.video.length;
      assert.ok(missing < 60, `${name}: ${missing} pictures are missing`);
    }),
  );
});

test('callers and a rendezvous as sinks', async (t) => {
  // Here srt-live-transmit is the output that listens or meets; its input is a file publisher's.
  const bytes = await tsFixture({ seconds: 3 });
  await Promise.all(
    ['srt-live-transmit', 'gstreamer', 'rendezvous'].map(async (kind) => {
      const meeting = kind === 'rendezvous';
      const sink = meeting ? await SrtSink.meet() : await SrtSink.caller({ tool: kind });
      t.after(() => sink.stop());
      const publisher = new SrtFilePublisher(bytes, {
        url: meeting ? `srt://127.0.0.2:${sink.port}` : urlOf(sink.port),
        ...(meeting ? { mode: 'rendezvous', adapter: '127.0.0.1' } : { mode: 'listener' }),
      });
      t.after(() => publisher.vanish());
      if (!meeting) {
        await until('the listener', () => udpPortTaken(sink.port));
        const calling = sink.call();
        await publisher.start();
        await calling;
      } else {
        await publisher.start();
      }
      await publisher.finished();
      await sink.finished();
      const run = comparePackets(publisher.sent, sink.received);
      assert.ok(run.ok, `${kind}: ${run.report}`);
    }),
  );
});
