// What the fault lines of destinations share: a live input with good outputs on it, which have to be exact whatever
// happens to the bad one beside them.
//
//   const scene = await goodScene(t, { good: 2, tags });
//   ... do something to another output of scene.input ...
//   await scene.finish(line)         // "others EXACT", and how late they were
import { randomBytes } from 'node:crypto';
import { assertSinkExact } from './assertions.mjs';
import { Daemon } from './daemon.mjs';
import { compare } from './exactness.mjs';
import { timed } from './fault_line.mjs';
import { fixtureTags } from './publishers.mjs';
import { EndlessPublisher } from './rtmp_publisher.mjs';
import { RtmpSink } from './rtmp_sink.mjs';
import { LiveInput } from './sdk.mjs';
import { until } from './until.mjs';

/** The value below which `share` of the values lie. NaN of none. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/**
 * For each picture of an exact session that was sent from `since` on (performance.now()) how long it was under way, in
 * ms. Sound is another matter: it waits for the next picture on purpose (egress.audio_wait).
 */
export function delaysOf(published, session, { since = 0, before = Infinity } = {}) {
  const { offset } = compare(published, session.media, { end: 'any' });
  const sent = new Map(
    published.filter(({ kind }) => kind === 'video').map((tag) => [(tag.timestamp + offset) >>> 0, tag.at]),
  );
  return session.media
    .filter(({ kind, timestamp }) => kind === 'video' && sent.get(timestamp) >= since && sent.get(timestamp) < before)
    .map(({ timestamp, at }) => at - sent.get(timestamp));
}

/**
 * A daemon, an input that is being published to (`tags`, over and over) and `good` outputs to `sink`. `decide` is that
 * of RtmpSink, and the good ones are called good-0, good-1 ...
 */
export async function goodScene(t, { good = 2, tags, decide, daemonOptions, bodies } = {}) {
  const daemon = await Daemon.start(t, { logLevel: 'info', ...daemonOptions });
  const sink = await RtmpSink.listen({ decide, bodies });
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const names = Array.from({ length: good }, (_, i) => `good-${i}`);
  for (const name of names) await input.addOutput(sink.url(name));
  const publisher = await EndlessPublisher.start(input.publishTo, tags ?? (await fixtureTags()));
  t.after(() => publisher.vanish());
  const sessions = [];
  for (const name of names) sessions.push(await sink.session(name));
  await until('pictures', () => sessions.every((session) => session.videoCount > 15));

  /** Ends the show. `since`: when the fault began; the delay from then on is compared with that before it. */
  const finish = async (line, { since } = {}) => {
    const want = sessions[0].videoCount + 30;
    await until('enough to compare', () => sessions.every((session) => session.videoCount > want));
    await publisher.stop();
    await until('the end of the good ones', () => sessions.every((session) => session.closed));
    for (const session of sessions) await assertSinkExact(publisher.published, session, { what: session.name });
    line.exactly('connections of the good destinations', names.flatMap((name) => sink.named(name)).length, good);
    const equal = sessions.map((session) => compare(publisher.published, session.media));
    line.exactly('good destinations that are exact', equal.filter(({ ok }) => ok).length, good);
    if (since === undefined) return;
    const before = sessions.flatMap((session) => delaysOf(publisher.published, session, { before: since }));
    const during = sessions.flatMap((session) => delaysOf(publisher.published, session, { since }));
    const [calm, hurt] = [percentile(before, 0.99), percentile(during, 0.99)];
    const what = `added delay of pictures at the good ones, p99 (${calm.toFixed(1)} before)`;
    line.atMost(what, hurt, timed(10), 'ms');
  };
  return { daemon, sink, input, publisher, sessions, finish };
}

/** H.264 and AAC as far as a relay looks, no two bodies alike. `size` of a picture, of which `fps` make a second. */
export function syntheticTags({ frames, gop, size, fps = 30 }) {
  const tags = [
    { type: 9, timestamp: 0, body: Buffer.from('17000000000164001fffe1000467640001010004', 'hex') },
    { type: 8, timestamp: 0, body: Buffer.from('af001210', 'hex') },
  ];
  for (let i = 0; i < frames; i++) {
    const timestamp = Math.round((i * 1000) / fps);
    const kind = i % gop === 0 ? 0x17 : 0x27;
    tags.push({ type: 9, timestamp, body: Buffer.concat([Buffer.from([kind, 1, 0, 0, 0]), randomBytes(size)]) });
    tags.push({ type: 8, timestamp, body: Buffer.concat([Buffer.from([0xaf, 1]), randomBytes(200)]) });
  }
  return tags;
}

/**
 * What came at a destination that may miss whole GOPs: { gops, holes, longestHole, orphans, back, strange }. Holes are
 * places where frames are missing, the longest in ms; orphans are frames behind a hole that are no keyframe, so that
 * nothing is there to decode them from; back are steps back in time; strange is what was never published.
 */
export function gopsOf(published, session) {
  const shown = published.filter(({ kind }) => kind === 'video');
  const places = new Map(); // of a frame in the show: one that goes round has the same frame again
  shown.forEach(({ hash }, i) => places.set(hash, [...(places.get(hash) ?? []), i]));
  const video = session.media.filter(({ kind }) => kind === 'video');
  const result = { gops: 0, holes: 0, longestHole: 0, orphans: 0, back: 0, strange: 0 };
  let place;
  video.forEach((frame, i) => {
    const next = places.get(frame.hash)?.find((one) => place === undefined || one > place);
    if (next === undefined) {
      result.strange += 1;
      return;
    }
    if (frame.keyframe) result.gops += 1;
    if (place === undefined || next !== place + 1) {
      if (!frame.keyframe) result.orphans += 1;
      if (place !== undefined) {
        result.holes += 1;
        result.longestHole = Math.max(result.longestHole, shown[next].timestamp - shown[place].timestamp);
      }
    }
    place = next;
    if (i > 0 && ((frame.timestamp - video[i - 1].timestamp) | 0) <= 0) result.back += 1;
  });
  return result;
}
