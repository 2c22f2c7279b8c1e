// The main job: what an encoder publishes arrives at every destination, bit for bit, in order, with its timing.
// SIMULCASTD_E2E_SECONDS: how long the encoders publish (default 8).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertExact } from './lib/assertions.mjs';
import { TlsFront, makeCertificates } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { isKeyframe } from './lib/flv.mjs';
import { NginxRtmp } from './lib/nginx_rtmp.mjs';
import { ffmpegPublisher, fixtureTags, gstreamerPublisher, inflated } from './lib/publishers.mjs';
import { RtmpPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const SECONDS = Number(process.env.SIMULCASTD_E2E_SECONDS ?? 8);
const GOP = 120; // frames: an output has as long to connect if it is to have the first keyframe
const ENOUGH = Math.floor(SECONDS * 30 * 0.8); // frames; a sluggish machine may start late but not lose packets

let certificates;
const nginxes = [];
let secure;

before(async () => {
  certificates = await makeCertificates();
  for (let i = 0; i < 3; i++) nginxes.push(await NginxRtmp.start());
  secure = await TlsFront.listen(certificates.good, nginxes[0].port);
});
after(async () => {
  await secure?.close();
  for (const nginx of nginxes) await nginx.stop();
});

const report = (t, name, result) => t.diagnostic(`${name}: ${result.report}`);

test('ffmpeg, B-frames and AAC, to three nginx-rtmp and one RTMPS destination', async (t) => {
  const daemon = await Daemon.start(t, { caFile: certificates.caFile });
  const input = await LiveInput.create(daemon);
  for (const [i, nginx] of nginxes.entries()) await input.addOutput(nginx.output(`ffmpeg-${i}`));
  await input.addOutput({ url: `rtmps://localhost:${secure.port}/live`, streamKey: 'ffmpeg-tls' });

  const encoder = ffmpegPublisher(input.publishUrl, { seconds: SECONDS, gop: GOP });
  await encoder.finished();
  assert.ok(
    encoder.published.some(({ type, body }) => type === 9 && body[1] === 1 && body.readIntBE(2, 3) > 0),
    'the encoder made no B-frames',
  );
  for (const [i, nginx] of nginxes.entries()) {
    const name = `ffmpeg-${i}`;
    report(t, name, assertExact(encoder.published, await nginx.finished(name), { what: name, atLeast: ENOUGH }));
  }
  report(
    t,
    'ffmpeg-tls',
    assertExact(encoder.published, await nginxes[0].finished('ffmpeg-tls'), { what: 'rtmps', atLeast: ENOUGH }),
  );
});

// Of such a stream the relay lets the sound lie in the kernel until a picture comes.
test('60 large pictures a second, then sound alone, then a goodbye on a connection that stays open', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const slow = inflated(await fixtureTags({ gop: 300 }), 8000);
  const tags = slow.map((tag) => ({ ...tag, timestamp: Math.floor(tag.timestamp / 2) }));
  const sizes = tags.filter(({ type, body }) => type === 9 && body[1] === 1).map(({ body }) => body.length);
  assert.ok(Math.min(...sizes) > 3000, `a picture has but ${Math.min(...sizes)} bytes`);
  const both = tags.filter(({ timestamp }) => timestamp < 4000);
  const soundAlone = tags.filter(({ type, timestamp }) => type === 8 && timestamp >= 4000);

  const publisher = await RtmpPublisher.connect(input.publishTo);
  publisher.socket.setNoDelay(false); // as ffmpeg and others have it
  await publisher.publish();
  await publisher.send([...both, ...soundAlone]);
  const session = await sink.session('show');
  await until('the last sound, with nothing behind it', () => session.media.length === publisher.published.length);
  publisher.command('FCUnpublish', 100, null, publisher.key);
  publisher.command('deleteStream', 101, null, publisher.streamId);
  await until('the end of the broadcast', () => session.closed && session.deleteStream);
  report(t, 'show', assertExact(publisher.published, session.media, { atLeast: 200 }));
  publisher.halfClose();
});

test('GStreamer rtmp2sink, chunks of 128, 4096 and 60000 bytes', async (t) => {
  const daemon = await Daemon.start(t);
  const runs = [undefined, 4096, 60_000].map(async (chunkSize) => {
    const name = `gstreamer-${chunkSize ?? 128}`;
    const input = await LiveInput.create(daemon);
    await input.addOutput(nginxes[1].output(name));
    const encoder = gstreamerPublisher(input.publishUrl, { seconds: Math.max(3, SECONDS / 2), chunkSize, gop: GOP });
    await encoder.finished();
    report(
      t,
      name,
      assertExact(encoder.published, await nginxes[1].finished(name), { what: name, atLeast: ENOUGH / 2 }),
    );
  });
  await Promise.all(runs);
});

test('chunks of 128, 4096 and 60000 bytes from a publisher without habits', async (t) => {
  const daemon = await Daemon.start(t);
  const tags = await fixtureTags();
  const runs = [undefined, 4096, 60_000].map(async (chunkSize) => {
    const name = `chunks-${chunkSize ?? 128}`;
    const input = await LiveInput.create(daemon);
    await input.addOutput(nginxes[2].output(name));
    const publisher = await RtmpPublisher.connect({ ...input.publishTo, chunkSize });
    await publisher.publish();
    await publisher.send(tags, { speed: 4 });
    await publisher.end();
    report(t, name, assertExact(publisher.published, await nginxes[2].finished(name), { what: name, atLeast: 250 }));
  });
  await Promise.all(runs);
});

test('RTMPS ingest: ffmpeg that verifies the certificate', async (t) => {
  const daemon = await Daemon.start(t, { rtmps: certificates.good });
  const input = await LiveInput.create(daemon);
  assert.match(input.record.rtmps.url, new RegExp(`^rtmps://localhost:${daemon.ports.rtmps}/live/$`));
  await input.addOutput(nginxes[0].output('from-rtmps'));
  const encoder = ffmpegPublisher(`${input.record.rtmps.url}${input.record.rtmps.streamKey}`, {
    seconds: 4,
    gop: GOP,
    ca: certificates.caFile,
  });
  const status = await input.untilConnected();
  assert.equal(status.current.ingestProtocol, 'rtmps');
  await encoder.finished();
  report(t, 'from-rtmps', assertExact(encoder.published, await nginxes[0].finished('from-rtmps'), { atLeast: 80 }));
});

test('timestamps that cross 24, 31 and 32 bits', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const tags = await fixtureTags();
  const runs = [
    ['24', 2 ** 24],
    ['31', 2 ** 31],
    ['32', 2 ** 32],
  ].map(async ([name, bound]) => {
    const shifted = tags.map((tag) => ({ ...tag, timestamp: (tag.timestamp + bound - 5000) >>> 0 }));
    const input = await LiveInput.create(daemon);
    await input.addOutput(sink.url(name));
    const publisher = await RtmpPublisher.connect({ ...input.publishTo, chunkSize: 500 });
    await publisher.publish();
    await publisher.send(shifted, { speed: 4 });
    await publisher.end();
    const session = await sink.session(name);
    await until('the end of the broadcast at the sink', () => session.closed);
    assertExact(publisher.published, session.media, { what: `2^${name}`, atLeast: 250 });
    const start = session.media[0].timestamp;
    assert.ok(start < 1000, `a destination's time starts near 0, not at ${start}`);
  });
  await Promise.all(runs);
});

test('data messages pass, onMetaData with the @setDataFrame that servers expect', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('data'));
  const source = await fixtureTags({ seconds: 2, gop: 30 });
  const cue = Buffer.concat([
    Buffer.from([2, 0, 10]),
    Buffer.from('onTextData'),
    Buffer.from([2, 0, 2]),
    Buffer.from('hi'),
  ]);
  const tags = source.flatMap((tag, i) =>
    i === 20 ? [{ type: 18, timestamp: tag.timestamp, body: cue }, tag] : [tag],
  );
  const publisher = await RtmpPublisher.connect(input.publishTo);
  await publisher.publish();
  await publisher.send(tags);
  await publisher.end();
  const session = await sink.session('data');
  await until('the end of the broadcast at the sink', () => session.closed);
  const data = session.messages.filter((m) => m.kind === 'data').map((m) => m.body.toString('latin1'));
  assert.ok(
    data.some((body) => body.includes('@setDataFrame') && body.includes('onMetaData')),
    `data messages: ${JSON.stringify(data.map((d) => d.slice(0, 40)))}`,
  );
  assert.equal(
    data.filter((body) => body === cue.toString('latin1')).length,
    1,
    'onTextData arrives once, as it was sent',
  );
});

test('sound only, picture only, a megabyte keyframe, empty audio', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const source = await fixtureTags({ seconds: 2, gop: 30 });
  const publish = async (name, tags) => {
    const input = await LiveInput.create(daemon);
    await input.addOutput(sink.url(name));
    const publisher = await RtmpPublisher.connect({ ...input.publishTo, chunkSize: 4096 });
    await publisher.publish();
    await publisher.send(tags);
    await publisher.end();
    const session = await sink.session(name);
    await until(`the end of ${name} at the sink`, () => session.closed);
    return { published: publisher.published, session };
  };
  const [sound, picture, heavy] = await Promise.all([
    publish(
      'sound',
      source.filter((tag) => tag.type === 8),
    ),
    publish(
      'picture',
      source.filter((tag) => tag.type === 9),
    ),
    publish(
      'heavy',
      source.map((tag, i, all) => {
        if (isKeyframe(tag)) return { ...tag, body: Buffer.concat([tag.body, Buffer.alloc(1 << 20, 7)]) };
        return i === all.findLastIndex(({ type }) => type === 8) ? { ...tag, body: Buffer.alloc(0) } : tag;
      }),
    ),
  ]);
  const hashes = (messages) => messages.filter((m) => m.kind !== 'end').map((m) => m.hash);
  assert.ok(sound.published.length > 40 && picture.published.length > 30);
  assert.deepEqual(hashes(sound.session.media), hashes(sound.published), 'sound only arrives whole');
  assert.deepEqual(hashes(picture.session.media), hashes(picture.published), 'picture only arrives whole');
  assertExact(heavy.published, heavy.session.media, { what: 'megabyte keyframes' });
  assert.equal(heavy.session.media.filter((m) => m.size > 1 << 20).length, 2);
  assert.equal(heavy.session.media.filter((m) => m.size === 0).length, 1);
});

test('a late output starts at once, from the cached GOP', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const publisher = await RtmpPublisher.connect(input.publishTo);
  await publisher.publish();
  const sending = publisher.send(await fixtureTags({ gop: 300 })); // no second keyframe to begin with
  await until('some frames', () => publisher.published.length > 60);
  await input.addOutput(sink.url('late'));
  const session = await sink.session('late');
  await until('its first picture', () => session.firstVideo);
  assert.ok(session.firstVideo.keyframe);
  assert.ok(session.firstVideo.timestamp < 1000);
  await sending;
  await publisher.end();
  await until('the end of the broadcast at the sink', () => session.closed);
  assertExact(publisher.published, session.media, { atLeast: 300 });
});
