// Warnings of outputs: each broadcast breaks exactly the rules that it should at each platform, and a good one none.
//
// The rules are those that are installed. The outputs to the platforms stay disabled, so that nobody is called. What is
// measured slowly, the mean bitrates, is known when a platform of the test's own complains, which wants the impossible.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, tempDir } from './lib/cleanup.mjs';
import { BINARY, Daemon } from './lib/daemon.mjs';
import { AUDIO, DATA, kindOf, readFlv } from './lib/flv.mjs';
import { fixtureFile, inflated } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher } from './lib/srt_peers.mjs';
import { tsFixture } from './lib/ts_fixture.mjs';
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

// ---- Broadcasts. Pictures and sound are filled up to their bitrate. Limits are far from what is sent: the daemon measures
// by the clock, and a busy machine sends in fits and starts.

const media = (name) => readFlv(fixtureFile(name)).filter(({ type }) => type !== DATA);

/** Frames of sound with zeros behind them, up to this bitrate; `rate` of samples, 1024 a frame. */
function louder(tags, kbps, rate = 48_000) {
  const size = Math.round(((kbps * 1000) / 8) * (1024 / rate));
  return tags.map((tag) =>
    kindOf(tag) === 'audio'
      ? { ...tag, body: Buffer.concat([tag.body, Buffer.alloc(Math.max(0, size - tag.body.length))]) }
      : tag,
  );
}

/** Pictures of `picture` at `kbps`, with the sound of `sound` as long as they last; null: none. */
function broadcast({ picture = 'hd_gop60', sound = 'sound_48_kHz', kbps = 3000, fps, soundKbps } = {}) {
  const pictures = inflated(media(`${picture}.flv`), kbps, fps).filter(({ type }) => type !== AUDIO);
  if (!sound) return pictures;
  const { timestamp: end } = pictures.at(-1);
  const sounds = soundKbps ? louder(media(`${sound}.flv`), soundKbps) : media(`${sound}.flv`);
  return [...pictures, ...sounds.filter(({ timestamp }) => timestamp <= end)].sort((a, b) => a.timestamp - b.timestamp);
}

const BROADCASTS = {
  good: {},
  longGop: { picture: 'hd_gop360' },
  shortGop: { picture: 'hd_gop30' },
  silent: { sound: null },
  fast: { picture: 'hd_120_fps', fps: 120 },
  large: { picture: '1440p' },
  mp3: { sound: 'sound_mp3' },
  lowRate: { sound: 'sound_22_kHz' },
  loud: { soundKbps: 500 },
  surround: { sound: 'sound_6_channels' },
  bFrames: { picture: 'hd_b_frames' },
  thin: { picture: 'gop60', kbps: 400 },
  '7 Mbit/s': { kbps: 7000 },
  '50 Mbit/s': { kbps: 50_000 },
};

/** Plays it over and over; gives the publisher. */
async function start(input, what) {
  if (what === 'hevc') {
    const publisher = new SrtFilePublisher(await tsFixture({ video: 'h265', seconds: 240 }), input.publishSrt);
    return publisher.start();
  }
  const to = { ...input.publishTo, chunkSize: 65_536, remember: false };
  return EndlessPublisher.start(to, broadcast(BROADCASTS[what]));
}

// ---- What each breaks: { platform: { rule: message } }.

const keyframes = (name, most, wants = 'wants') => ({
  keyframe_interval: new RegExp(`^keyframe interval (over )?1?\\d(\\.\\d)? s, ${name} ${wants} at most ${most} s: set the keyframe interval .* to ${most} s$`),
});
const h264 = (name) => ({ video_codec: new RegExp(`^video codec H.265 \\(HEVC\\), ${name} wants H.264: set the video encoder to H.264$`) });
const aac = (name) => ({ audio_codec: new RegExp(`^audio codec MP3, ${name} wants AAC: set the audio encoder to AAC$`) });
const stereo = { audio_channels: /^6 audio channels, .* at most 2: set the encoder to stereo$/ };
const sixty = (name) => ({ fps: new RegExp(`^1[12]\\d frames a second, ${name} \\w+ at most 60: lower the frame rate of the encoder$`) });
const sampling = (name, wants) => ({ audio_sample_rate: new RegExp(`^audio sample rate 22.05 kHz, ${name} ${wants} 44.1 or 48 kHz: `) });
const loud = (most) => ({ audio_bitrate: new RegExp(`^audio bitrate [3-7]\\d\\d kbit/s, .* at most ${most} kbit/s: lower the audio bitrate`) });
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
  ['50 Mbit/s', '50 Mbit/s', {
    Twitch: video('[3-7]\\d(\\.\\d+)?', '6 Mbit/s'),
    Facebook: video('[3-7]\\d(\\.\\d+)?', '4 Mbit/s for 720p at 30 frames a second'),
    X: video('[3-7]\\d(\\.\\d+)?', '12 Mbit/s'),
    Vimeo: video('[3-7]\\d(\\.\\d+)?', '5 Mbit/s'),
    Kick: all('[3-7]\\d(\\.\\d+)?', '8.5'),
    Cloudflare: all('[3-7]\\d(\\.\\d+)?', '14'),
  }],
  ['7 Mbit/s', '7 Mbit/s', {
    Twitch: video('[678](\\.\\d+)?', '6 Mbit/s'),
    Facebook: video('[678](\\.\\d+)?', '4 Mbit/s for 720p at 30 frames a second'),
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

      let publisher = await start(input, bad);
      row.after(() => publisher.vanish());
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

      await publisher.stop();
      publisher = await start(input, good);
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

  let publisher = await start(input, 'longGop');
  t.after(() => publisher.vanish());
  await input.untilOutput(uid, 'live');
  await until('the log to say so', () => lines('output warning input=').length > 0, PATIENCE);
  const [line] = lines('output warning input=');
  assert.match(line, /Z warning /);
  assert.match(line, /rule=keyframe_interval message="keyframe interval over .* s, Next Door wants at most 4 s: /);
  assert.doesNotMatch(line, /a-secret-key/);
  assert.deepEqual(rulesOf(await input.output(uid)), ['keyframe_interval']);
  assert.equal(lines('output warning has gone').length, 0);

  await publisher.stop();
  publisher = await start(input, 'good');
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
