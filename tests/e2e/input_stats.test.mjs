// What the API tells of the media that comes in, beside what ffprobe finds in it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cached, fixture, picture, SOUND } from './lib/publishers.mjs';
import { Child, run } from './lib/cleanup.mjs';
import { Daemon } from './lib/daemon.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

/** A short broadcast with these codec options; gives its path. */
function broadcast(container, options) {
  const args = ['-f', 'lavfi', '-i', picture('640x360'), '-f', 'lavfi', '-i', SOUND, '-t', '8', '-shortest', ...options];
  return cached(`${container} ${args.join(' ')}`, container, (file) =>
    run('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, '-f', container === 'ts' ? 'mpegts' : container, file]),
  );
}

/** What ffprobe says of a file's first video and audio track. */
async function probe(file) {
  const { output } = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', file]);
  const { streams } = JSON.parse(output);
  return {
    video: streams.find(({ codec_type }) => codec_type === 'video'),
    audio: streams.find(({ codec_type }) => codec_type === 'audio'),
  };
}

function play(t, file, format, url, options = []) {
  const child = new Child('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-re', '-stream_loop', '-1', '-i', file, '-map', '0', '-c', 'copy'],
    ...options,
    ...['-f', format, url],
  ]);
  t.after(() => child.stop('SIGKILL'));
  return child;
}

function srtUrl(input) {
  const { streamId, passphrase } = input.record.srt;
  return `srt://127.0.0.1:${input.daemon.ports.srt}?${new URLSearchParams({ streamid: streamId, passphrase })}`;
}

/** The input's stats once the keyframe interval has been measured; `rate`: and is steady. */
const measured = (input) =>
  until('the figures', async () => {
    const { stats } = await input.get();
    return stats?.keyframeIntervalMs && stats.fps && Math.abs(stats.fps - 30) < 1 && stats.bitrate > 0 && stats;
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

const AAC = ['-c:a', 'aac', '-b:a', '96k'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-threads', '1', '-sc_threshold', '0'];
const H265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

// Most of their time is spent waiting.
describe('the figures of an input', { concurrency: 3 }, () => {
  const rows = [
    ['H.264 High with B-frames, by RTMP', 'rtmp', 'flv', [...H264, '-bf', '2', '-g', '60', ...AAC], 2000],
    ['H.264 Constrained Baseline and mono, by RTMP', 'rtmp', 'flv',
      [...H264, '-profile:v', 'baseline', '-g', '30', ...AAC, '-ac', '1', '-ar', '22050'], 1000],
    ['MP3 sound, by RTMP', 'rtmp', 'flv', [...H264, '-g', '45', '-c:a', 'libmp3lame'], 1500],
    ['H.264 and AAC, by SRT', 'srt', 'ts', [...H264, '-bf', '2', '-g', '60', ...AAC], 2000],
    ['H.265, by SRT', 'srt', 'ts', [...H265, '-x265-params', 'keyint=60:min-keyint=60:scenecut=0:log-level=none', ...AAC], 2000],
  ];
  for (const [what, protocol, container, options, interval] of rows) {
    test(what, async (t) => {
      const file = await broadcast(container, options);
      const daemon = await Daemon.start(t, protocol === 'srt' ? { srt: {} } : {});
      const input = await LiveInput.create(daemon);
      assert.equal((await input.get()).stats, null, 'nothing comes in yet');
      const encoder =
        protocol === 'srt' ? play(t, file, 'mpegts', srtUrl(input)) : play(t, file, 'flv', input.publishUrl);
      const stats = await measured(input);
      assertAsProbed(stats, await probe(file));
      // Datagrams carry the time of their arrival, and ffmpeg sends a frame a little early or late.
      const tolerance = protocol === 'srt' ? 150 : 1;
      assert.ok(Math.abs(stats.keyframeIntervalMs - interval) <= tolerance, `${stats.keyframeIntervalMs} ms`);
      assert.equal(stats.clockJumps, 0);
      if (protocol === 'rtmp') {
        assert.match(stats.encoder, /^Lavf/);
        assert.ok(stats.videoBitrate > 0 && stats.audioBitrate > 0);
        assert.ok(stats.videoBitrate + stats.audioBitrate <= stats.bitrate);
      }
      await encoder.stop('SIGINT');
      await until('the figures to go', async () => (await input.get()).stats === null);
    });
  }

  test('bytes and packets are all that was published', async (t) => {
    const daemon = await Daemon.start(t);
    const input = await LiveInput.create(daemon);
    play(t, await fixture(), 'flv', input.publishUrl);
    const first = await measured(input);
    const later = await until('more', async () => {
      const { stats } = await input.get();
      return stats.bytesReceived > first.bytesReceived + 20_000 && stats;
    });
    assert.ok(later.packetsReceived > first.packetsReceived);
  });
});
