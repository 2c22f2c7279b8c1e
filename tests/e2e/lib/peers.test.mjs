// The peers of the daemon against each other, without the daemon: what one sends, the other must receive exactly.
// When one of these fails, the failures of the other files say nothing about the daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TlsFront, makeCertificates } from './certificates.mjs';
import { compare } from './exactness.mjs';
import { NginxRtmp } from './nginx_rtmp.mjs';
import { ffmpegPublisher, fixtureTags, gstreamerPublisher } from './publishers.mjs';
import { EndlessPublisher, RtmpPublisher } from './rtmp_publisher.mjs';
import { RtmpSink } from './rtmp_sink.mjs';
import { until } from './until.mjs';

const exact = (published, received, options) => {
  const result = compare(published, received, options);
  assert.ok(result.ok, result.report);
  assert.ok(result.video > 30 && result.audio > 30, result.report);
};

test('our publisher to nginx-rtmp, in chunks of 128, 4096 and 60000 bytes', async (t) => {
  const nginx = await NginxRtmp.start();
  t.after(() => nginx.stop());
  const tags = await fixtureTags();
  for (const chunkSize of [undefined, 4096, 60_000]) {
    const name = `chunks-${chunkSize}`;
    const publisher = await RtmpPublisher.connect({ port: nginx.port, key: name, chunkSize });
    await publisher.publish();
    await publisher.send(tags, { speed: Infinity });
    await publisher.end();
    exact(tags, await nginx.finished(name));
  }
});

test('our publisher to our sink, timestamps beyond 24 and 32 bits', async (t) => {
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const tags = await fixtureTags();
  for (const [name, start] of [
    ['24', 0xffffff - 5000],
    ['32', 0xffffffff - 5000],
  ]) {
    const shifted = tags.map((tag) => ({ ...tag, timestamp: (tag.timestamp + start) >>> 0 }));
    const publisher = await RtmpPublisher.connect({ port: sink.port, key: name, chunkSize: 500 });
    await publisher.publish();
    await publisher.send(shifted, { speed: Infinity });
    await publisher.end();
    const session = await sink.session(name);
    await until('the end of the session', () => session.closed);
    assert.ok(session.fcUnpublish && session.deleteStream);
    exact(shifted, session.media);
  }
});

test('ffmpeg and GStreamer to nginx-rtmp and to our sink', async (t) => {
  const nginx = await NginxRtmp.start();
  t.after(() => nginx.stop());
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const runs = [
    ['ffmpeg', ffmpegPublisher, {}],
    ['gstreamer', gstreamerPublisher, {}],
    ['gstreamer-large', gstreamerPublisher, { chunkSize: 60_000 }],
  ].map(async ([name, start, options]) => {
    const { url } = nginx.output(name);
    const toNginx = start(`${url}/${name}`, { seconds: 3, ...options });
    await toNginx.finished();
    exact(toNginx.published, await nginx.finished(name));
    const toSink = start(`${sink.url(name).url}/${name}`, { seconds: 3, ...options });
    await toSink.finished();
    const session = await sink.session(name);
    await until('the end of the session', () => session.closed);
    exact(toSink.published, session.media);
  });
  await Promise.all(runs);
});

test('the endless publisher loops without a seam', async (t) => {
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const endless = await EndlessPublisher.start({ port: sink.port, key: 'loop' }, await fixtureTags({ seconds: 1, gop: 30 }));
  await until('three rounds', () => sink.named('loop')[0]?.videoCount > 95);
  await endless.stop();
  const [session] = sink.sessions;
  await until('the end of the session', () => session.closed);
  exact(endless.published, session.media);
  const times = session.media.filter((m) => m.kind === 'video').map((m) => m.timestamp);
  for (let i = 1; i < times.length; i++)
    assert.ok(times[i] - times[i - 1] >= 30 && times[i] - times[i - 1] <= 37, `${times[i - 1]} -> ${times[i]}`);
});

test('TLS: nginx-rtmp behind the front, ffmpeg verifying; each wrong certificate is refused by node', async (t) => {
  const nginx = await NginxRtmp.start();
  t.after(() => nginx.stop());
  const certificates = await makeCertificates();
  const front = await TlsFront.listen(certificates.good, nginx.port);
  t.after(() => front.close());
  const encoder = ffmpegPublisher(`rtmps://localhost:${front.port}/live/tls`, { seconds: 2, ca: certificates.caFile });
  await encoder.finished();
  exact(encoder.published, await nginx.finished('tls'));
  for (const [name, code] of [
    ['wrongHost', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['selfSigned', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]) {
    const bad = await RtmpSink.listen({ tls: certificates[name] });
    t.after(() => bad.close());
    const publisher = new RtmpPublisher({ port: bad.port, key: 'x', ca: certificates.ca });
    await until(`the refusal of ${name}`, () => publisher.error);
    assert.equal(publisher.error.code, code);
  }
});

test('refusals reach the publisher in words', async (t) => {
  const sink = await RtmpSink.listen({ decide: () => ({ refuse: 'this key has retired' }) });
  t.after(() => sink.close());
  const publisher = await RtmpPublisher.connect({ port: sink.port, key: 'old' });
  await assert.rejects(publisher.publish(), /BadName: this key has retired/);
  const nginx = await NginxRtmp.start({ deny: (name) => name === 'bad' });
  t.after(() => nginx.stop());
  const denied = await RtmpPublisher.connect({ port: nginx.port, key: 'bad' });
  await assert.rejects(denied.publish());
});
