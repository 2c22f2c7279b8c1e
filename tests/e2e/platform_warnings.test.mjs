// Warnings of outputs: each broadcast breaks exactly the rules that it should at each platform, and a good one none.
//
// The rules are those that are installed. The outputs to the platforms stay disabled, so that nobody is called. What is
// measured slowly, the mean bitrates, is known when a platform of the test's own complains, which wants the impossible.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Child, run, tempDir } from './lib/cleanup.mjs';
import { BINARY, Daemon } from './lib/daemon.mjs';
import { VIDEO, isKeyframe, kindOf, readFlv } from './lib/flv.mjs';
import { cached } from './lib/publishers.mjs';
import { RtmpPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const INSTALLED = readFileSync(join(import.meta.dirname, '../../config/platforms.yaml'), 'utf8');
const OWN = `
  - name: Nobody
    hosts: [nobody.invalid]
    rules:
      bitrate: { min: 10000Mbit/s, source: "https://nobody.invalid/" }
  - name: Next Door
    hosts: [localhost]
    rules:
      keyframe_interval: { max: 4s, source: "https://localhost/" }
`;
const PATIENCE = { timeout: 60_000, interval: 200 };

const URLS = {
  YouTube: 'rtmps://a.rtmps.youtube.com:443/live2',
  Twitch: 'rtmp://live.twitch.tv/app',
  Kick: 'rtmps://fa723fc1b171.global-contribute.live-video.net/app',
  IVS: 'rtmps://0123456789ab.global-contribute.live-video.net/app',
  Facebook: 'rtmps://live-api-s.facebook.com:443/rtmp/',
  X: 'rtmp://va.pscp.tv:80/x',
  LinkedIn: 'rtmps://live.linkedin.com/app',
  Vimeo: 'rtmps://rtmp-global.cloud.vimeo.com:443/live',
  Cloudflare: 'rtmps://live.cloudflare.com:443/live/',
  Mux: 'rtmps://global-live.mux.com:443/app',
  Millicast: 'rtmps://rtmp-auto.millicast.com:443/v2/pub',
  Nobody: 'rtmp://nobody.invalid/live',
};

// ---- Broadcasts. The bitrate of the good one is filled up, so that it needs no detail.

const x264 = ({ gop = 60, bitrate = '2300k', preset = 'ultrafast', more = [] } = {}) => [
  ...['-c:v', 'libx264', '-preset', preset, '-pix_fmt', 'yuv420p', '-threads', '1', '-sc_threshold', '0'],
  ...['-g', String(gop), '-keyint_min', String(gop), '-b:v', bitrate, '-maxrate', bitrate, '-bufsize', bitrate],
  ...['-x264-params', 'nal-hrd=cbr', ...more],
];
const AAC = ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'];
const SINE = "aevalsrc='0.3*sin(2*PI*440*t)+0.1*(random(0)-0.5)':s=48000";

/** Made once; gives the path. */
function broadcast({ size = '1280x720', fps = 30, seconds = 8, video = x264(), audio = AAC, sound = SINE, container = 'flv' }) {
  const pictures = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${fps}`];
  const sounds = audio ? ['-f', 'lavfi', '-i', sound] : [];
  const args = [...pictures, ...sounds, '-t', String(seconds), ...video, ...(audio ?? [])];
  const format = container === 'mkv' ? 'matroska' : container;
  return cached(`${container} ${args.join(' ')}`, container, (file) =>
    run('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, '-f', format, file]),
  );
}

const BROADCASTS = {
  good: {},
  longGop: { video: x264({ gop: 1000 }), seconds: 12 },
  shortGop: { video: x264({ gop: 30 }) },
  silent: { audio: null },
  hevc: {
    size: '640x360',
    container: 'mkv',
    protocol: 'srt',
    video: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=60:min-keyint=60:scenecut=0:log-level=none'],
  },
  fast: { size: '640x360', fps: 120, video: x264({ gop: 240 }) },
  large: { size: '2560x1440', seconds: 4 },
  mp3: { audio: ['-c:a', 'libmp3lame', '-ar', '44100', '-b:a', '96k'] },
  lowRate: { audio: [...AAC, '-ar', '22050'] },
  // Noise, and none of the tricks that make little of it.
  loud: {
    sound: "aevalsrc='1.8*random(0)-0.9|1.8*random(1)-0.9':s=48000",
    audio: ['-c:a', 'aac', '-b:a', '500k', '-cutoff', '22000', '-aac_pns', '0', '-aac_is', '0', '-aac_ms', '0'],
  },
  surround: { audio: ['-c:a', 'aac', '-b:a', '128k', '-ac', '6'] },
  bFrames: { video: x264({ gop: 30, preset: 'veryfast', more: ['-bf', '2'] }) },
  thin: { size: '320x180', video: x264({ bitrate: '400k' }) },
};

/** Plays a file over and over, as it is; gives what ends it. */
async function play(input, options) {
  const file = await broadcast(options);
  const { streamId, passphrase } = input.record.srt;
  const srt = `srt://127.0.0.1:${input.daemon.ports.srt}?${new URLSearchParams({ streamid: streamId, passphrase })}`;
  const [format, url] = options.protocol === 'srt' ? ['mpegts', srt] : ['flv', input.publishUrl];
  const source = ['-re', '-stream_loop', '-1', '-i', file, '-map', '0', '-c', 'copy'];
  const child = new Child('ffmpeg', ['-nostdin', '-v', 'error', ...source, '-f', format, url]);
  return () => child.stop('SIGINT');
}

/** The good broadcast with filler in each picture, up to this many Mbit/s. */
async function playInflated(input, megabits) {
  const tags = readFlv(await broadcast(BROADCASTS.good));
  const filler = Buffer.alloc((megabits * 1e6) / 8 / 30, 0xff);
  filler.writeUInt32BE(filler.length - 4, 0);
  filler[4] = 12; // ITU-T H.264, 7.3.2.7: filler data
  filler[filler.length - 1] = 0x80;
  const frames = tags.map((tag) => (kindOf(tag) === 'video' ? { ...tag, body: Buffer.concat([tag.body, filler]) } : tag));
  const length = frames.at(-1).timestamp + 33;
  const ended = new AbortController();
  const publisher = await RtmpPublisher.connect({ ...input.publishTo, chunkSize: 65536, remember: false });
  await publisher.publish();
  const sending = (async () => {
    for (let offset = 0; !ended.signal.aborted; offset += length) {
      const again = frames.map((tag) => ({ ...tag, timestamp: tag.timestamp + offset }));
      await publisher.send(again, { signal: ended.signal });
    }
  })();
  sending.catch(() => {}); // awaited at the end
  return async () => {
    ended.abort();
    await sending;
    await publisher.end();
  };
}

const start = (input, what) =>
  typeof what === 'number' ? playInflated(input, what) : play(input, BROADCASTS[what]);

// ---- What each breaks: { platform: { rule: message } }.

const keyframes = (name, most, wants = 'wants') => ({
  keyframe_interval: new RegExp(`^keyframe interval (over )?1?\\d(\\.\\d)? s, ${name} ${wants} at most ${most} s: set the keyframe interval .* to ${most} s$`),
});
const h264 = (name) => ({ video_codec: new RegExp(`^video codec H.265 \\(HEVC\\), ${name} wants H.264: set the video encoder to H.264$`) });
const aac = (name) => ({ audio_codec: new RegExp(`^audio codec MP3, ${name} wants AAC: set the audio encoder to AAC$`) });
const stereo = { audio_channels: /^6 audio channels, .* at most 2: set the encoder to stereo$/ };
const sixty = (name) => ({ fps: new RegExp(`^1[12]\\d frames a second, ${name} \\w+ at most 60: lower the frame rate of the encoder$`) });
const sampling = (name, wants) => ({ audio_sample_rate: new RegExp(`^audio sample rate 22.05 kHz, ${name} ${wants} 44.1 or 48 kHz: `) });
const loud = (most) => ({ audio_bitrate: new RegExp(`^audio bitrate [45]\\d\\d kbit/s, .* at most ${most} kbit/s: lower the audio bitrate`) });
const video = (about, most) => ({ video_bitrate: new RegExp(`^video bitrate ${about} Mbit/s, .* at most ${most}: lower the video bitrate of the encoder$`) });
const all = (about, most) => ({ bitrate: new RegExp(`^bitrate ${about} Mbit/s, .* at most ${most} Mbit/s: lower the video bitrate of the encoder$`) });

const ROWS = [
  ['a keyframe every 12 s', 'longGop', {
    YouTube: keyframes('YouTube', 4),
    Twitch: keyframes('Twitch', 2),
    Kick: keyframes('Kick', 2),
    Facebook: keyframes('Facebook', 4),
    X: keyframes('X', 3, 'recommends'),
    Cloudflare: keyframes('Cloudflare Stream', 10),
    Mux: keyframes('Mux', 2, 'recommends'),
    LinkedIn: {},
  }],
  ['a keyframe every second', 'shortGop', {
    Cloudflare: { keyframe_interval: /^keyframe interval 1 s, Cloudflare Stream wants at least 2 s: set .* to 2 s$/ },
    YouTube: {},
  }],
  ['no sound', 'silent', {
    YouTube: { audio: /^no sound, YouTube wants an audio track: add one in the encoder/ },
    Facebook: { audio: /^no sound, Facebook wants an audio track: add one in the encoder/ },
    Twitch: {},
  }],
  ['H.265, by SRT', 'hevc', {
    Twitch: h264('Twitch'),
    Kick: h264('Kick'),
    Facebook: h264('Facebook'),
    X: h264('X'),
    Vimeo: h264('Vimeo'),
    YouTube: {},
  }],
  ['120 frames a second', 'fast', { Twitch: sixty('Twitch'), Facebook: sixty('Facebook'), X: sixty('X'), YouTube: {} }],
  ['a picture of 2560x1440', 'large', {
    Facebook: { picture_size: /^picture 2560x1440, Facebook wants at most 1920x1080: lower the output resolution/ },
    IVS: { picture_size: /^picture 2560x1440, Amazon IVS wants at most 1920x1080: lower the output resolution/ },
    YouTube: {},
  }],
  ['MP3 sound', 'mp3', {
    Twitch: aac('Twitch'),
    Kick: aac('Kick'),
    Facebook: aac('Facebook'),
    Cloudflare: aac('Cloudflare Stream'),
    YouTube: {},
  }],
  ['sound at 22.05 kHz', 'lowRate', {
    YouTube: sampling('YouTube', 'recommends'),
    Twitch: sampling('Twitch', 'wants'),
    Facebook: sampling('Facebook', 'wants'),
  }],
  ['sound at 500 kbit/s', 'loud', { Twitch: loud(320), Facebook: loud(256), X: loud(128), Mux: loud(160), YouTube: {} }],
  ['sound of six channels', 'surround', { YouTube: stereo, Twitch: stereo, Facebook: stereo, Mux: {} }],
  ['B-frames', 'bFrames', {
    Millicast: { b_frames: /^B-frames, Dolby Millicast recommends none: set the number of B-frames of the encoder to 0$/ },
    Twitch: {},
  }, 'shortGop'],
  ['400 kbit/s', 'thin', {
    Cloudflare: { bitrate: /^bitrate \d+ kbit\/s, Cloudflare Stream wants at least 2 Mbit\/s: raise the video bitrate/ },
    Twitch: {},
  }],
  ['50 Mbit/s', 50, {
    Twitch: video('5\\d(\\.\\d+)?', '6 Mbit/s'),
    Facebook: video('5\\d(\\.\\d+)?', '4 Mbit/s for 720p at 30 frames a second'),
    X: video('5\\d(\\.\\d+)?', '12 Mbit/s'),
    Vimeo: video('5\\d(\\.\\d+)?', '5 Mbit/s'),
    Kick: all('5\\d(\\.\\d+)?', '8.5'),
    Cloudflare: all('5\\d(\\.\\d+)?', '14'),
  }],
  ['8 Mbit/s', 5.7, {
    Twitch: video('8(\\.\\d+)?', '6 Mbit/s'),
    Facebook: video('8(\\.\\d+)?', '4 Mbit/s for 720p at 30 frames a second'),
    X: {},
    Kick: {},
    Cloudflare: {},
  }],
];

const rulesOf = ({ warnings }) => warnings.map(({ rule }) => rule);

function platformsFile() {
  const file = join(tempDir('platforms'), 'platforms.yaml');
  writeFileSync(file, INSTALLED + OWN);
  return file;
}

const disabled = (input, platform) =>
  input.addOutput({ url: URLS[platform], streamKey: 'a-secret-key' }, { enabled: false });

/** Waits until all that there is to measure has been measured. */
const untilMeasured = (input, nobody) =>
  until(
    'everything to be measured',
    async () => {
      const { stats } = await input.get();
      const { warnings } = await input.output(nobody);
      return stats?.keyframeIntervalMs > 0 && stats.fps > 0 && warnings.length > 0;
    },
    PATIENCE,
  );

// Most of their time is spent waiting.
test('platform rules', { concurrency: 4 }, async (t) => {
  const daemon = await Daemon.start(t, { srt: {}, platforms: platformsFile(), logLevel: 'info' });
  const rows = ROWS.map(([what, bad, expected, good = 'good']) =>
    t.test(what, async (row) => {
      const input = await LiveInput.create(daemon);
      const outputs = new Map();
      for (const platform of Object.keys(expected)) outputs.set(platform, (await disabled(input, platform)).uid);
      const nobody = (await disabled(input, 'Nobody')).uid;
      for (const oid of outputs.values()) assert.deepEqual((await input.output(oid)).warnings, [], 'nothing comes in yet');

      let stop = await start(input, bad);
      row.after(() => stop());
      await untilMeasured(input, nobody);
      // A missing track takes a little longer than the rest.
      for (const [platform, rules] of Object.entries(expected)) {
        const oid = outputs.get(platform);
        const broken = Object.keys(rules).sort().join();
        const { warnings } = await until(
          `${platform} to complain of ${broken || 'nothing'}`,
          async () => {
            const output = await input.output(oid);
            if (rulesOf(output).sort().join() === broken) return output;
            throw new Error(`it complains of ${JSON.stringify(output.warnings)}`);
          },
          PATIENCE,
        );
        for (const { rule, message } of warnings) assert.match(message, rules[rule]);
      }
      assert.ok((await input.outputs()).every(({ warnings }) => Array.isArray(warnings)));

      await stop();
      stop = await start(input, good);
      await until('the old measurements to be gone', async () => (await input.output(nobody)).warnings.length === 0, PATIENCE);
      await untilMeasured(input, nobody);
      for (const [platform, oid] of outputs) assert.deepEqual((await input.output(oid)).warnings, [], platform);
    }),
  );
  await Promise.all(rows);
  assert.doesNotMatch(daemon.log, /a-secret-key/);
});

test('an address of the wrong kind shows without any broadcast', async (t) => {
  const daemon = await Daemon.start(t);
  const input = await LiveInput.create(daemon);
  const rows = [
    ['rtmp://live-api-s.facebook.com/rtmp/', /^the URL begins with rtmp:\/\/, Facebook wants rtmps:\/\/: /, URLS.Facebook],
    ['rtmp://fa723fc1b171.global-contribute.live-video.net/app', /begins with rtmp:\/\/, Kick wants rtmps:\/\//, URLS.Kick],
    ['srt://live.linkedin.com:1234', /begins with srt:\/\/, LinkedIn wants rtmp:\/\/ or rtmps:\/\//, URLS.LinkedIn],
  ];
  for (const [url, message, better] of rows) {
    const output = await input.addOutput({ url, streamKey: 'key' }, { enabled: false });
    assert.deepEqual(rulesOf(output), ['protocol']);
    assert.match(output.warnings[0].message, message);
    assert.deepEqual((await input.update(output.uid, { url: better })).warnings, []);
  }
  const other = await input.addOutput({ url: 'rtmp://example.invalid/app', streamKey: 'key' }, { enabled: false });
  assert.deepEqual(other.warnings, [], 'nothing is known of this one');
});

test('what comes and goes at a live output is logged once', async (t) => {
  const daemon = await Daemon.start(t, { srt: {}, platforms: platformsFile() });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const { uid } = await input.addOutput(sink.url('a-secret-key', 'localhost'));
  const lines = (what) =>
    daemon.log.split('\n').filter((line) => line.includes(what) && line.includes(`output=${uid}`));

  let stop = await start(input, 'longGop');
  t.after(() => stop());
  await input.untilOutput(uid, 'live');
  await until('the log to say so', () => lines('output warning input=').length > 0, PATIENCE);
  const [line] = lines('output warning input=');
  assert.match(line, /Z warning /);
  assert.match(line, /rule=keyframe_interval message="keyframe interval over .* s, Next Door wants at most 4 s: /);
  assert.doesNotMatch(line, /a-secret-key/);
  assert.deepEqual(rulesOf(await input.output(uid)), ['keyframe_interval']);
  assert.equal(lines('output warning has gone').length, 0);

  await stop();
  stop = await start(input, 'good');
  await until('the log to say that it has gone', () => lines('output warning has gone').length > 0, PATIENCE);
  assert.match(lines('output warning has gone')[0], /rule=keyframe_interval/);
  assert.equal(lines('output warning input=').length, 1);
});

test('mistakes in the file of platforms are told before anything is opened', async () => {
  const folder = tempDir('platforms');
  writeFileSync(join(folder, 'platforms.yaml'), 'platforms:\n  - name: A\n    hosts: [a.example]\n    rules:\n      fbs: { max: 60 }\n');
  writeFileSync(join(folder, 'simulcastd.yaml'), `state_dir: ${folder}/state\negress: { platforms: platforms.yaml }\n`);
  for (const options of [['--check-config'], []]) {
    const { output } = await run(BINARY, [...options, '--config', join(folder, 'simulcastd.yaml')], { codes: [2] });
    assert.match(output, /platforms\.yaml:5: platforms\[0\]\.rules\.fbs: unknown key; did you mean fps\? allowed: protocol, /);
  }
});
