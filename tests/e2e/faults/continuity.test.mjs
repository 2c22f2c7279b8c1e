// The encoder goes and comes back, changes its mind about the time, or is taken for there when it is not.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine, timed } from '../lib/fault_line.mjs';
import { NginxRtmp } from '../lib/nginx_rtmp.mjs';
import { ffmpegPublisher, fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher, RtmpPublisher, repeated } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { decodeErrors, ffmpegSrtPublisher, SrtSink } from '../lib/srt_peers.mjs';
import { until } from '../lib/until.mjs';

async function scene(t, { daemon: options, ...fields } = {}) {
  const daemon = await Daemon.start(t, options);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon, fields);
  const { uid } = await input.addOutput(sink.url('show'));
  return { daemon, sink, input, uid, tags: await fixtureTags() };
}

/** The timestamps of a kind, in order of arrival. */
const timesOf = (media, kind) => media.filter((m) => m.kind === kind).map((m) => m.timestamp);
const steps = (times) => times.slice(1).map((time, i) => time - times[i]);
const largest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const smallest = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);

/** How far audio is ahead of video, going by what was published: the same frame with the offset it arrived with. */
function offsets(published, received) {
  const byHash = new Map(published.map((tag) => [tag.hash, tag]));
  const moved = { video: [], audio: [] };
  for (const message of received) {
    const tag = byHash.get(message.hash);
    if (tag && moved[message.kind]) moved[message.kind].push((message.timestamp - tag.timestamp) | 0);
  }
  return moved;
}

faultLine('E1', 'the encoder vanishes and is back within 5 s', { quick: true }, async (t, line) => {
  const { sink, input, uid, tags } = await scene(t);
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 30);
  await input.untilOutput(uid, 'live');
  const vanished = performance.now();
  first.vanish();
  const holding = await input.untilOutput(uid, 'holding');
  const told = performance.now() - vanished;
  const { current } = (await input.get()).status;
  assert.equal(current.reason, 'reconnecting');
  assert.ok(Date.parse(current.holdEndsAt) > Date.now(), 'the API says how long the connections are kept');
  assert.ok(Date.parse(holding.status.holdEndsAt) > Date.now());

  await delay(Math.max(0, 3500 - (performance.now() - vanished))); // how long it is away is what this is about
  const seam = session.media.length;
  const lastBefore = performance.now();
  const second = await EndlessPublisher.start(input.publishTo, tags);
  const firstHashes = new Set(first.published.map((tag) => tag.hash));
  await until('pictures of the second run', () => session.videoCount > 30 + 40 + 8);
  await input.untilOutput(uid, 'live');
  assert.equal((await input.get()).status.current.reason, 'reconnected');
  await second.stop();
  await until('the end', () => session.closed);

  line.exactly('connections to the destination', sink.named('show').length, 1);
  line.atMost('the API shows it after', told, timed(1000), 'ms');
  const { media } = session;
  const video = timesOf(media, 'video');
  const audio = timesOf(media, 'audio');
  line.atLeast('smallest step of the video timestamps', smallest(steps(video)), 1, 'ms');
  line.atLeast('smallest step of the audio timestamps', smallest(steps(audio)), 1, 'ms');
  line.atMost('longest time without a video frame', largest(steps(video)), timed(1000), 'ms');
  line.atMost('longest step of the audio timestamps', largest(steps(audio)), timed(100), 'ms');

  const away = media.slice(0, seam).filter(({ kind, hash }) => kind === 'video' && !firstHashes.has(hash));
  line.atLeast('pictures that fill the time without an encoder', away.length, 1);

  // The first run's frames were sent once around at most, so that a frame says which run it is of by its place.
  const behind = media.slice(seam);
  const back = behind.findIndex((m) => m.kind.endsWith('-config'));
  assert.ok(back >= 0, 'headers come first');
  const key = behind.slice(back).find((m) => m.kind === 'video');
  line.exactly('the first picture behind the seam is a keyframe of the encoder', key.keyframe && firstHashes.has(key.hash), true);

  // What arrived in wall-clock time is what the timestamps say.
  const before = media.slice(0, seam).filter((m) => m.kind === 'video' && firstHashes.has(m.hash)).at(-1);
  const gap = key.timestamp - before.timestamp - (key.at - before.at);
  line.atMost('seam beside the wall clock', Math.abs(gap), timed(100), 'ms');
  assert.ok(key.at > lastBefore);

  const ahead = (run, received) => {
    const moved = offsets(run.published, received);
    return moved.audio.at(-1) - moved.video.at(-1);
  };
  line.atMost(
    'change of the audio/video offset',
    Math.abs(ahead(first, media.slice(0, seam)) - ahead(second, behind.slice(back))),
    2,
    'ms',
  );
});

faultLine('E2', 'the encoder stays away for longer than the hold', { quick: true }, async (t, line) => {
  const { sink, input, tags } = await scene(t, { recording: { mode: 'off', timeoutSeconds: 2 } });
  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  const vanished = performance.now();
  first.vanish();
  await until('the end of the broadcast', () => session.closed);
  const ended = performance.now() - vanished - 2000;
  assert.ok(session.fcUnpublish && session.deleteStream, 'it was ended politely');
  line.atLeast('ended after the hold time by', ended, -50, 'ms');
  line.atMost('ended after the hold time by', ended, timed(1000), 'ms');
  await until('the API to say so', async () => (await input.get()).status.current.reason === 'ttl_exceeded');

  const returned = performance.now();
  const second = await EndlessPublisher.start(input.publishTo, tags);
  const again = await sink.session('show', 1);
  await until('a picture', () => again.firstVideo);
  line.atMost('opened again after the return', performance.now() - returned, timed(2000), 'ms');
  line.exactly('it begins with a keyframe', again.firstVideo.keyframe, true);
  await second.stop();
});

faultLine('E3', 'a half-open encoder', {}, async (t, line) => {
  const { daemon, input, sink, tags } = await scene(t, { daemon: { srt: { latency: 120 } } });
  const first = await RtmpPublisher.connect(input.publishTo);
  await first.publish();
  await first.send(tags.filter((tag) => tag.timestamp < 3000));
  await input.untilConnected(true);
  const silent = performance.now();
  await input.untilConnected(false, { timeout: 20_000 });
  line.atMost('RTMP: noticed after', performance.now() - silent, 10_000, 'ms');
  const again = performance.now();
  const second = await EndlessPublisher.start(input.publishTo, tags);
  await input.untilConnected(true);
  line.atMost('RTMP: the same key publishes again after', performance.now() - again, 1000, 'ms');
  await until('the old connection to be closed', () => first.closed);
  line.exactly('RTMP: connections to the destination', sink.sessions.length, 1);
  await second.stop();

  const other = await LiveInput.create(daemon);
  await other.addOutput(sink.url('srt'));
  const { url, ...parameters } = other.publishSrt;
  const frozen = ffmpegSrtPublisher(url, parameters);
  t.after(() => frozen.vanish());
  await frozen.started();
  await other.untilConnected(true);
  await until('its pictures', () => sink.named('srt')[0]?.videoCount > 15);
  frozen.child.process.kill('SIGSTOP');
  const stopped = performance.now();
  await other.untilConnected(false, { timeout: 20_000 });
  line.atMost('SRT: noticed after', performance.now() - stopped, 5000, 'ms');
  const back = performance.now();
  const fresh = ffmpegSrtPublisher(url, parameters);
  t.after(() => fresh.vanish());
  await other.untilConnected(true, { timeout: 20_000 });
  // Most of it is ffmpeg, which encodes some time before it calls.
  line.atMost('SRT: the same key publishes again after', performance.now() - back, 5000, 'ms');
});

faultLine('E7', "the encoder's clock jumps by an hour and by a day, and stands still", {}, async (t, line) => {
  const { daemon, sink, input, tags } = await scene(t);
  const hour = 3_600_000;
  const publisher = await RtmpPublisher.connect(input.publishTo);
  await publisher.publish();
  const jumps = [0, hour, -hour, 24 * hour, -24 * hour, 0];
  const shows = repeated(tags)[Symbol.iterator]();
  let clock = 25 * hour; // so that it can go back
  let sent = 0;
  const published = []; // timestamps
  const due = performance.now();
  for (const jump of jumps) {
    clock += jump;
    for (let i = 0; i < 110; i++) {
      const tag = shows.next().value;
      const wait = due + tag.timestamp - performance.now();
      if (wait > 1) await delay(wait);
      published.push(tag.timestamp + clock);
      publisher.sendTag({ ...tag, timestamp: published.at(-1) >>> 0 });
      sent += 1;
    }
  }
  const frozen = published.at(-1);
  for (let i = 0; i < 30; i++) publisher.sendTag({ ...shows.next().value, timestamp: frozen >>> 0 });
  const session = await sink.session('show');
  await until('all of it', () => session.media.length >= sent + 29);
  await until('the log to tell', () => daemon.log.includes("clock jumped"));
  await publisher.end();

  for (const kind of ['video', 'audio']) {
    const all = steps(timesOf(session.media, kind));
    line.atLeast(`smallest step of ${kind}`, smallest(all), 0, 'ms');
    line.atMost(`largest step of ${kind}`, largest(all), kind === 'video' ? 34 : 48, 'ms');
  }
  line.exactly('packets missing', publisher.published.length - session.media.length, 0);
  line.exactly('log lines about it', daemon.log.split('clock jumped').length - 1, 1);
});

/** Publishes until the clock says so, then is killed. */
async function act(encoder, seconds) {
  await encoder.started();
  await delay(seconds * 1000); // the length of an act of the show
  await encoder.vanish();
}

async function show(t, line, publisher) {
  const daemon = await Daemon.start(t, { srt: { latency: 300 } });
  const recorders = [await NginxRtmp.start(), await NginxRtmp.start()];
  const srt = await SrtSink.listen({ tool: 'srt-live-transmit' });
  t.after(async () => {
    for (const recorder of recorders) await recorder.stop();
    await srt.stop();
  });
  const input = await LiveInput.create(daemon);
  for (const recorder of recorders) await input.addOutput(recorder.output('show'));
  await input.addOutput(srt.output);

  await act(publisher(input), 6);
  await delay(4000); // away
  await act(publisher(input), 6);
  await delay(9000);
  const last = publisher(input);
  await last.started();
  await delay(6000);
  await last.stop();

  for (const [i, recorder] of recorders.entries()) {
    const tags = await recorder.finished('show', { timeout: 20_000 });
    line.exactly(`publishes at recorder ${i + 1}`, recorder.count('publish', 'show'), 1);
    line.exactly(`recordings at recorder ${i + 1}`, recorder.count('record_done', 'show'), 1);
    for (const type of [8, 9]) {
      const times = tags.filter((tag) => tag.type === type).map((tag) => tag.timestamp);
      line.atLeast(`recorder ${i + 1}: smallest step of ${type === 8 ? 'audio' : 'video'}`, smallest(steps(times)), 0, 'ms');
      line.atLeast(`recorder ${i + 1}: length of ${type === 8 ? 'audio' : 'video'}`, times.at(-1) - times[0], 29_000, 'ms');
    }
    line.exactly(`recorder ${i + 1}: what a decoder says`, await decodeErrors(recorder.file('show')), '');
  }
  await srt.finished({ timeout: 20_000 });
  const ts = srt.ts;
  for (const kind of ['h264', 'aac']) {
    const times = ts.pes(ts.stream(kind).pid).map((pes) => pes.dts ?? pes.pts);
    line.atLeast(`SRT receiver: smallest step of ${kind}`, smallest(steps(times)), 1, '90 kHz ticks');
    line.atLeast(`SRT receiver: length of ${kind}`, (times.at(-1) - times[0]) / 90, 29_000, 'ms');
  }
  line.exactly('SRT receiver: what a decoder says', await decodeErrors(srt.file), '');
}

const encoder = { bitrate: '800k' };
faultLine('E11', 'a show by RTMP with the encoder killed twice, for 4 s and 9 s: recordings', {}, (t, line) =>
  show(t, line, (input) => ffmpegPublisher(input.publishUrl, encoder)),
);
faultLine('E12', 'the same show by SRT', {}, (t, line) =>
  show(t, line, (input) => {
    const { url, ...parameters } = input.publishSrt;
    return ffmpegSrtPublisher(url, { ...parameters, ...encoder });
  }),
);
