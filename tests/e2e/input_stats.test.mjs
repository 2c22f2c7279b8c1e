// What the API tells of the media that comes in, beside what ffprobe finds in it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from './lib/cleanup.mjs';
import { Daemon } from './lib/daemon.mjs';
import { readFlv } from './lib/flv.mjs';
import { fixtureFile, fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher } from './lib/srt_peers.mjs';
import { tsFixture } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const LONG = 120; // seconds, more than any test of these goes on

/** What ffprobe says of a file's first video and audio track. */
async function probe(file) {
  const { output } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', file]);
  const { streams } = JSON.parse(output);
  return {
    video: streams.find(({ codec_type }) => codec_type === 'video'),
    audio: streams.find(({ codec_type }) => codec_type === 'audio'),
  };
}

/** Publishes until the test is over, without a seam, or until stop(). `ts`: what tsFixture() takes. */
async function play(t, input, { file, ts }) {
  const publisher = ts
    ? await new SrtFilePublisher(await tsFixture({ seconds: LONG, ...ts }), input.publishSrt).start()
    : await EndlessPublisher.start(input.publishTo, readFlv(fixtureFile(file)));
  t.after(() => publisher.vanish());
  return publisher;
}

/** The input's stats once all is measured, the rate is steady and `fits` is true of them, or what it asserts. */
const measured = (input, fits = () => true) =>
  until('the figures', async () => {
    const { stats } = await input.get();
    return stats?.keyframeIntervalMs && stats.fps && Math.abs(stats.fps - 30) < 1 && stats.bitrate > 0 && fits(stats) && stats;
  });

function assertAsProbed(stats, { video, audio }) {
  assert.equal(stats.videoCodec, video.codec_name);
  assert.equal(stats.videoProfile, video.profile);
  assert.equal(stats.width, video.width);
  assert.equal(stats.height, video.height);
  // ffprobe: 41 for 4.1 of H.264, 123 (thirtieths) of H.265
  const level = video.codec_name === 'h264' ? video.level / 10 : video.level / 30;
  assert.equal(stats.videoLevel, level.toFixed(1));
  assert.equal(stats.audioCodec, audio.codec_name);
  if (audio.codec_name === 'aac') assert.equal(stats.audioProfile, audio.profile);
  assert.equal(stats.audioSampleRate, Number(audio.sample_rate));
  assert.equal(stats.audioChannels, audio.channels);
}

// Most of their time is spent waiting.
describe('the figures of an input', { concurrency: 3 }, () => {
  const rows = [
    ['H.264 High with B-frames, by RTMP', { file: 'gop60.flv' }, 2000],
    ['H.264 Constrained Baseline and mono, by RTMP', { file: 'baseline_mono.flv' }, 1000],
    ['MP3 sound, by RTMP', { file: 'mp3.flv' }, 1500],
    ['H.264 and AAC, by SRT', { file: 'gop30.ts', ts: {} }, 1000],
    ['H.265, by SRT', { file: 'h265.ts', ts: { video: 'h265' } }, 1000],
  ];
  for (const [what, broadcast, interval] of rows) {
    const protocol = broadcast.ts ? 'srt' : 'rtmp';
    test(what, async (t) => {
      const daemon = await Daemon.start(t, protocol === 'srt' ? { srt: {} } : {});
      const input = await LiveInput.create(daemon);
      assert.equal((await input.get()).stats, null, 'nothing comes in yet');
      const encoder = await play(t, input, broadcast);
      // Datagrams carry the time of their arrival, and a busy machine sends some of them late.
      const tolerance = protocol === 'srt' ? 150 : 1;
      const near = ({ keyframeIntervalMs }) => Math.abs(keyframeIntervalMs - interval) <= tolerance;
      const probed = await probe(fixtureFile(broadcast.file));
      const stats = await measured(input, (one) => {
        assertAsProbed(one, probed); // each report may know more than the one before
        return protocol === 'rtmp' ? one.videoBitrate > 0 && one.audioBitrate > 0 : near(one);
      });
      assert.ok(near(stats), `${stats.keyframeIntervalMs} ms`);
      assert.equal(stats.clockJumps, 0);
      if (protocol === 'rtmp') {
        assert.match(stats.encoder, /^Lavf/);
        assert.ok(stats.videoBitrate + stats.audioBitrate <= stats.bitrate);
      }
      await encoder.stop();
      await until('the figures to go', async () => (await input.get()).stats === null);
    });
  }

  test('bytes and packets are all that was published', async (t) => {
    const daemon = await Daemon.start(t);
    const input = await LiveInput.create(daemon);
    const endless = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => endless.vanish());
    const first = await measured(input);
    const later = await until('more', async () => {
      const { stats } = await input.get();
      return stats.bytesReceived > first.bytesReceived + 20_000 && stats;
    });
    assert.ok(later.packetsReceived > first.packetsReceived);
  });
});
