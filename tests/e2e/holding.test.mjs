// What an input may ask for while its encoder is away: how long, after a goodbye too, and which picture.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, tempDir } from './lib/cleanup.mjs';
import { Daemon } from './lib/daemon.mjs';
import { NginxRtmp } from './lib/nginx_rtmp.mjs';
import { ffmpegPublisher, fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { decodeErrors, ffmpegSrtPublisher, SrtSink } from './lib/srt_peers.mjs';
import { until } from './lib/until.mjs';

test('an input that asks to hold after a goodbye keeps its destinations', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon, { meta: { holdOnGoodbye: true }, recording: { timeoutSeconds: 600 } });
  const { uid } = await input.addOutput(sink.url('show'));
  const tags = await fixtureTags();
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  await first.stop();
  const { status } = await input.untilOutput(uid, 'holding');
  const left = Date.parse(status.holdEndsAt) - Date.now();
  assert.ok(left > 500_000 && left <= 600_000, `the hold ends in ${left} ms`);
  const away = session.videoCount;
  await until('the picture to be sent again', () => session.videoCount > away + 2);

  // The wish may change while it holds; the time counts from when the encoder left.
  await input.client.stream.liveInputs.update(input.uid, {
    account_id: daemon.account,
    recording: { timeoutSeconds: 1 },
  });
  await until('the end', () => session.closed);
  assert.ok(session.fcUnpublish && session.deleteStream);
  await input.untilOutput(uid, 'idle');
  assert.equal((await input.get()).status.current.reason, 'ttl_exceeded');
  assert.equal(sink.sessions.length, 1);
});

/** How bright the pictures of a file are on average, two a second. */
async function brightness(file) {
  const out = join(tempDir('bright'), 'bytes');
  await run('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-i', file, '-map', '0:v'],
    ...['-vf', 'fps=2,scale=1:1:flags=area,format=gray', '-f', 'rawvideo', out],
  ]);
  return [...readFileSync(out)];
}

for (const [way, publisher, options] of [
  ['RTMP', (input, seconds) => ffmpegPublisher(input.publishUrl, seconds), {}],
  [
    'SRT',
    (input, seconds) => {
      const { url, ...parameters } = input.publishSrt;
      return ffmpegSrtPublisher(url, { ...parameters, ...seconds });
    },
    { srt: { latency: 300 } },
  ],
]) {
  test(`a slate instead of the last picture, ${way}`, async (t) => {
    const slate = join(tempDir('slate'), 'white.png');
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'color=white:s=320x180', '-frames:v', '1', slate]);
    const daemon = await Daemon.start(t, { slate, ...options });
    const nginx = await NginxRtmp.start();
    const srt = await SrtSink.listen();
    t.after(async () => {
      await nginx.stop();
      await srt.stop();
    });
    const input = await LiveInput.create(daemon);
    const { uid } = await input.addOutput(nginx.output('show'));
    const { uid: other } = await input.addOutput(srt.output);

    const first = publisher(input, {});
    t.after(() => first.vanish());
    await input.untilOutput(uid, 'live');
    await input.untilOutput(other, 'live');
    await first.vanish();
    await input.untilOutput(uid, 'holding');
    const recorded = () => nginx.recorded('show').filter((tag) => tag.type === 9);
    const before = recorded().length;
    await until('some slates', () => recorded().length > before + 5);
    const second = publisher(input, { seconds: 4 });
    t.after(() => second.vanish());
    await second.started();
    await second.finished();
    await nginx.finished('show');
    await srt.finished();

    for (const file of [nginx.file('show'), srt.file]) {
      assert.equal(await decodeErrors(file), '');
      const seen = await brightness(file);
      const white = seen.map((mean) => mean > 230);
      const [from, to] = [white.indexOf(true), white.lastIndexOf(true)];
      assert.ok(from > 0 && to - from >= 1 && to < white.length - 2, `pictures were as bright as ${seen}`);
    }
  });
}
