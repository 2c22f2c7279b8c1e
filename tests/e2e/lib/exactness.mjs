// Compares what was published with what a destination received, packet by packet.
//
// EXACT means, per track and from the first received keyframe on: every tag body bit for bit and in order, nothing
// missing and nothing doubled, and every timestamp the published one plus a single offset, common to both tracks (so
// neither the spacing nor the distance of audio to video changed). Audio older than that keyframe is not looked at.
// Codec headers are compared as a sequence of their own, since servers repeat them; data messages and the H.264
// end-of-sequence marker are not media and left out.
import { createHash } from 'node:crypto';
import { isKeyframe, kindOf } from './flv.mjs';

const sha256 = (body) => createHash('sha256').update(body).digest('hex');
const distance = (from, to) => (to - from) | 0; // serial arithmetic: RTMP timestamps are 32 bits and wrap

/** A tag reduced to what is compared. */
export function digest(tag) {
  return {
    kind: kindOf(tag),
    timestamp: tag.timestamp,
    hash: sha256(tag.body),
    size: tag.body.length,
    keyframe: isKeyframe(tag),
  };
}

function digests(tags) {
  return tags.map((tag) => (tag.hash ? tag : digest(tag)));
}

function withoutRepeats(configs) {
  return configs.filter((config, i) => i === 0 || config.hash !== configs[i - 1].hash);
}

const name = (p) => `${p.keyframe ? 'keyframe' : 'packet'} ${p.hash.slice(0, 12)} (${p.size} bytes, ${p.timestamp} ms)`;

// Says in words how `received` departs from `published` at position `i`, both already aligned at position 0.
function describeDifference(track, published, received, i, offset) {
  const want = published[i];
  const got = received[i];
  const where = `${track} packet ${i} after the first keyframe`;
  if (!got) return `${where}: missing ${name(want)} and the ${published.length - i - 1} after it; the recording ends`;
  if (!want) return `${where}: ${name(got)} was received, but nothing more was published`;
  if (got.hash === want.hash) {
    const late = distance(want.timestamp + offset, got.timestamp);
    return `${where}: ${name(want)} has a shifted timestamp: off by ${late} ms against the common offset of ${offset} ms`;
  }
  if (i > 0 && got.hash === received[i - 1].hash) return `${where}: ${name(got)} came twice`;
  const next = received[i + 1];
  if (next && next.hash === want.hash && published[i + 1]?.hash === got.hash) {
    return `${where}: swapped with the one behind it: expected ${name(want)}, received ${name(got)}`;
  }
  const ahead = published.findIndex(
    (p, k) => k > i && p.hash === got.hash && distance(p.timestamp + offset, got.timestamp) === 0,
  );
  if (ahead > 0)
    return `${where}: missing ${ahead - i} packet(s), the first is ${name(want)}; next received is ${name(got)}`;
  if (distance(want.timestamp + offset, got.timestamp) === 0) {
    return `${where}: altered: expected ${name(want)}, received ${name(got)} in its place`;
  }
  return `${where}: expected ${name(want)}, received ${name(got)}`;
}

function compareTrack(track, published, received, offset, { end, tailMs }) {
  const shared = Math.min(published.length, received.length);
  for (let i = 0; i < shared; i++) {
    const same =
      published[i].hash === received[i].hash && distance(published[i].timestamp + offset, received[i].timestamp) === 0;
    if (!same) return { same: i, difference: describeDifference(track, published, received, i, offset) };
  }
  if (received.length > published.length) {
    return { same: shared, difference: describeDifference(track, published, received, shared, offset) };
  }
  if (end === 'last' && shared < published.length) {
    const left = distance(published[shared].timestamp, published.at(-1).timestamp);
    if (tailMs === 0 || left >= tailMs) {
      return { same: shared, difference: describeDifference(track, published, received, shared, offset) };
    }
  }
  return { same: shared };
}

/**
 * Compares two lists of tags (or digests).
 *
 * start: 'first' when the destination was there before the broadcast began and must have its very first keyframe;
 *        'any' when it joined later.
 * end:   'last' when it must have everything up to the last published packet; 'any' when it was cut off while live.
 * tailMs: with end 'last', this much of the end may be missing (0: nothing).
 *
 * Gives { ok, report, video, audio, offset }: the counts of equal packets, and in `report` the first difference.
 */
export function compare(publishedTags, receivedTags, { start = 'first', end = 'last', tailMs = 0 } = {}) {
  const published = digests(publishedTags);
  const received = digests(receivedTags);
  const of = (list, kind) => list.filter((p) => p.kind === kind);
  const fail = (report, counts = {}) => ({ ok: false, report, video: 0, audio: 0, ...counts });

  for (const kind of ['video-config', 'audio-config']) {
    const want = withoutRepeats(of(published, kind)).map((p) => p.hash);
    const got = withoutRepeats(of(received, kind)).map((p) => p.hash);
    if (got.length === 0 && want.length > 0) return fail(`no ${kind} was received`);
    // A destination that came late or went early has a run of the published headers.
    const wanted =
      start === 'first' && end === 'last' ? want : want.slice(want.indexOf(got[0]), want.indexOf(got[0]) + got.length);
    if (got.join() !== wanted.join())
      return fail(`${kind}: published ${want.length} of them, received others or another order`);
  }

  const pv = of(published, 'video');
  const rv = of(received, 'video');
  if (rv.length === 0) return fail('no video was received');
  if (!rv[0].keyframe) return fail(`the first video packet is no keyframe: ${name(rv[0])}`);
  const firstKey = pv.findIndex((p) => p.keyframe);
  if (firstKey < 0) return fail('no keyframe was published');

  // A looped recording publishes the same keyframe again and again: take the one that fits best.
  let best;
  for (let k = firstKey; k < (start === 'first' ? firstKey + 1 : pv.length); k++) {
    if (!pv[k].keyframe || pv[k].hash !== rv[0].hash) continue;
    const offset = distance(pv[k].timestamp, rv[0].timestamp);
    const since = (list, time) => list.filter((p) => distance(time, p.timestamp) >= 0);
    const video = compareTrack('video', pv.slice(k), rv, offset, { end, tailMs });
    const audio = compareTrack(
      'audio',
      since(of(published, 'audio'), pv[k].timestamp),
      since(of(received, 'audio'), rv[0].timestamp),
      offset,
      { end, tailMs },
    );
    const difference = video.difference ?? audio.difference;
    const result = { ok: !difference, report: difference, video: video.same, audio: audio.same, offset };
    if (result.ok)
      return { ...result, report: `${video.same} video and ${audio.same} audio packets equal, offset ${offset} ms` };
    if (!best || result.video + result.audio > best.video + best.audio) best = result;
  }
  if (!best) {
    return fail(
      start === 'first'
        ? `does not begin with the first published keyframe: expected ${name(pv[firstKey])}, received ${name(rv[0])}`
        : `begins with a keyframe that was never published: ${name(rv[0])}`,
    );
  }
  return best;
}
