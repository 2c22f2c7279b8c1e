// Compares what was published with what a destination received across containers: FLV tags and MPEG-TS are both brought
// to one form, access units, and those must be the same.
//
// EXACT means, from the first received keyframe on: every access unit of video and every frame of AAC bit for bit and in
// order, nothing missing and nothing doubled; the parameter sets in force at each keyframe the same; and every timestamp
// the published one plus a single offset common to both tracks, give or take `toleranceMs` (FLV counts milliseconds, TS
// ticks of 90 kHz). What belongs to the container is not looked at: delimiters, filler, where the parameter sets stand.
import { createHash } from 'node:crypto';
import { AUDIO, VIDEO, kindOf } from './flv.mjs';
import { Unwrapper, aacConfigOf, isKeyNal, nalType, parseTs, splitPackets, withoutTrailingZeros } from './mpegts.mjs';

const TICKS = 90; // of 90 kHz in a millisecond
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

const PARAMETER_SETS = { h264: [7, 8], h265: [32, 33, 34] };
const CONTAINER_NALS = { h264: [9, 12], h265: [35, 38] }; // delimiters and filler

// The parameter sets of each type as they were last seen together.
class ParameterSets {
  #sets = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  take(nals) {
    const seen = new Map();
    for (const nal of nals) {
      const type = nalType(this.kind, nal);
      seen.set(type, [...(seen.get(type) ?? []), nal]);
    }
    for (const type of PARAMETER_SETS[this.kind]) if (seen.has(type)) this.#sets.set(type, seen.get(type));
  }

  get hash() {
    const all = PARAMETER_SETS[this.kind].flatMap((type) =>
      [...new Set((this.#sets.get(type) ?? []).map((nal) => nal.toString('hex')))].sort(),
    );
    return sha256(all.join());
  }
}

// One access unit in the common form.
function accessUnit(sets, { nals, ...times }) {
  const { kind } = sets;
  sets.take(nals);
  const kept = nals.filter((nal) => {
    const type = nalType(kind, nal);
    return !PARAMETER_SETS[kind].includes(type) && !CONTAINER_NALS[kind].includes(type);
  });
  const keyframe = kept.some((nal) => isKeyNal(kind, nal));
  const lengths = kept.map((nal) => nal.length).join();
  return {
    ...times,
    keyframe,
    hash: sha256(lengths, ...kept),
    size: kept.reduce((sum, nal) => sum + nal.length, 0),
    sets: keyframe ? sets.hash : undefined,
  };
}

function avcSets(record) {
  const nals = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    for (let left = record[at++] & mask; left > 0; left--) {
      const length = record.readUInt16BE(at);
      nals.push(record.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return { nals, lengthSize: (record[4] & 3) + 1 };
}

function hevcSets(record) {
  const nals = [];
  let at = 23;
  for (let arrays = record[22]; arrays > 0; arrays--) {
    const count = record.readUInt16BE(at + 1);
    at += 3;
    for (let i = 0; i < count; i++) {
      const length = record.readUInt16BE(at);
      nals.push(record.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return { nals, lengthSize: (record[21] & 3) + 1 };
}

function splitLengths(data, lengthSize) {
  const nals = [];
  for (let at = 0; at + lengthSize <= data.length;) {
    const length = data.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (length) nals.push(withoutTrailingZeros(data.subarray(at, at + length)));
    at += length;
  }
  return nals;
}

// Where the parts of a video tag are, in the old and in the enhanced form.
function videoTag(body) {
  if (body[0] & 0x80) {
    const type = body[0] & 0x0f;
    const kind = { avc1: 'h264', hvc1: 'h265' }[body.toString('latin1', 1, 5)];
    if (type === 0) return { kind, config: body.subarray(5) };
    if (type === 1) return { kind, offset: body.readIntBE(5, 3), data: body.subarray(8) };
    return type === 3 ? { kind, offset: 0, data: body.subarray(5) } : {};
  }
  const kind = { 7: 'h264', 12: 'h265' }[body[0] & 0x0f];
  if (body[1] === 0) return { kind, config: body.subarray(5) };
  return body[1] === 1 ? { kind, offset: body.readIntBE(2, 3), data: body.subarray(5) } : {};
}

/** FLV tags, or messages with a `body`, to { video, audio, kind, audioConfig }. */
export function fromFlv(tags) {
  const video = [];
  const audio = [];
  const clock = new Unwrapper(2 ** 32);
  let sets;
  let lengthSize = 4;
  let audioConfig;
  for (const [position, { type, timestamp, body }] of tags.entries()) {
    if (type !== AUDIO && type !== VIDEO) continue;
    const dts = clock.next(timestamp) * TICKS;
    if (type === AUDIO) {
      if (kindOf({ type, body }) === 'audio-config') audioConfig = aacConfigOf(body.subarray(2));
      else audio.push({ pts: dts, hash: sha256(body.subarray(2)), size: body.length - 2, position });
      continue;
    }
    const { kind, config, offset, data } = videoTag(body);
    if (config) {
      const found = kind === 'h265' ? hevcSets(config) : avcSets(config);
      sets ??= new ParameterSets(kind);
      sets.take(found.nals);
      lengthSize = found.lengthSize;
    } else if (data && sets) {
      const nals = splitLengths(data, lengthSize);
      video.push(accessUnit(sets, { dts, pts: dts + offset * TICKS, nals, position }));
    }
  }
  return { video, audio, kind: sets?.kind, audioConfig, errors: [] };
}

/** MPEG-TS, as bytes or already parsed, to the same. Of several sounds the first AAC, or that on `audioPid`. */
export function fromTs(bytes, { audioPid } = {}) {
  const ts = Buffer.isBuffer(bytes) ? parseTs(bytes) : bytes;
  const picture = ts.stream('h264', 'h265');
  const sound = audioPid ?? ts.stream('aac')?.pid;
  const sets = picture && new ParameterSets(picture.kind);
  const units = picture ? ts.accessUnits(picture.pid) : [];
  const frames = sound === undefined ? [] : ts.aacFrames(sound);
  return {
    video: units.map(({ pts, dts, nals, index }) => accessUnit(sets, { dts, pts, nals, position: index })),
    audio: frames.map(({ pts, raw, index }) => ({ pts, hash: sha256(raw), size: raw.length, position: index })),
    kind: picture?.kind,
    audioConfig: frames[0]?.config,
    errors: ts.errors,
  };
}

const ms = (ticks) => `${(ticks / TICKS).toFixed(1)} ms`;
const timeOf = (unit) => unit.dts ?? unit.pts;
const name = (unit) =>
  `${unit.keyframe ? 'keyframe' : 'unit'} ${unit.hash.slice(0, 12)} (${unit.size} bytes, ${ms(timeOf(unit))})`;

// The offsets seen so far: the widest two may be 2 tolerances apart, for then one offset between them fits all.
class Offsets {
  least = Infinity;
  most = -Infinity;

  constructor(toleranceMs) {
    this.room = 2 * toleranceMs * TICKS + 1e-6;
  }

  /** 0 when it fits, else how far it is off the middle. */
  take(offset) {
    const least = Math.min(this.least, offset);
    const most = Math.max(this.most, offset);
    if (most - least > this.room) return offset - this.middle;
    this.least = least;
    this.most = most;
    return 0;
  }

  get middle() {
    return (this.least + this.most) / 2;
  }
}

// Says in words how `received` departs from `published` at position `i`, both aligned at position 0.
function describeDifference(track, published, received, i) {
  const want = published[i];
  const got = received[i];
  const where = `${track} unit ${i} after the first keyframe`;
  if (!got) return `${where}: missing ${name(want)} and the ${published.length - i - 1} after it; the recording ends`;
  if (!want) return `${where}: ${name(got)} was received, but nothing more was published`;
  if (i > 0 && got.hash === received[i - 1].hash) return `${where}: ${name(got)} came twice`;
  if (received[i + 1]?.hash === want.hash && published[i + 1]?.hash === got.hash)
    return `${where}: swapped with the one behind it: expected ${name(want)}, received ${name(got)}`;
  const ahead = published.findIndex((unit, k) => k > i && unit.hash === got.hash);
  if (ahead > 0) return `${where}: missing ${ahead - i}, the first is ${name(want)}; next received is ${name(got)}`;
  if (received[i + 1]?.hash === published[i + 1]?.hash)
    return `${where}: altered: expected ${name(want)}, received ${name(got)} in its place`;
  return `${where}: expected ${name(want)}, received ${name(got)}`;
}

function compareTrack(track, published, received, offsets, { end, tailMs }) {
  const own = [];
  const shared = Math.min(published.length, received.length);
  for (let i = 0; i < shared; i++) {
    const want = published[i];
    const got = received[i];
    if (want.hash !== got.hash) return { same: i, own, difference: describeDifference(track, published, received, i) };
    const where = `${track} unit ${i} after the first keyframe: ${name(want)}`;
    if (want.keyframe && want.sets !== got.sets)
      return { same: i, own, difference: `${where} is to be decoded with other parameter sets` };
    for (const clock of ['dts', 'pts']) {
      if (want[clock] === undefined || got[clock] === undefined) continue;
      const off = offsets.take(got[clock] - want[clock]);
      if (off)
        return {
          same: i,
          own,
          difference: `${where} has a shifted ${clock}: off by ${ms(off)} against the common offset of ${ms(offsets.middle)}`,
        };
    }
    own.push(got.pts - want.pts);
  }
  const difference = () => describeDifference(track, published, received, shared);
  if (received.length > published.length) return { same: shared, own, difference: difference() };
  if (end === 'last' && shared < published.length) {
    const left = timeOf(published.at(-1)) - timeOf(published[shared]);
    if (tailMs === 0 || left >= tailMs * TICKS) return { same: shared, own, difference: difference() };
  }
  return { same: shared, own };
}

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

// The sound that goes with the picture from `key` on. A TS may carry a frame of sound ahead of the keyframe it is heard
// after: that may be missing, what was sent behind the keyframe may not.
function alignAudio(published, received, key, first, toleranceMs) {
  const slack = 2 * toleranceMs * TICKS;
  const offset = first.dts - key.dts;
  const got = received.filter((unit) => unit.pts >= first.dts + slack);
  const due = published.filter((unit) => unit.pts >= key.dts + slack);
  if (got.length === 0) return { due, got };
  const fits = (unit) => unit.hash === got[0].hash && Math.abs(got[0].pts - unit.pts - offset) < 10 * slack;
  // The border may fall between the two readings of one time.
  const at = published.findIndex(fits);
  if (at < 0) return { due, got };
  const skipped = published.slice(0, at).filter((unit) => unit.pts >= key.dts + slack && unit.position > key.position);
  return skipped.length ? { due, got } : { due: published.slice(at), got };
}

/**
 * Compares two broadcasts in the common form.
 *
 * start: 'first' when the destination was there before the broadcast began and must have its very first keyframe;
 *        'any' when it joined later.
 * end:   'last' when it must have everything up to the last published unit; 'any' when it was cut off while live, and
 *        then the last unit of each track may be damaged.
 * tailMs: with end 'last', this much of the end may be missing (0: nothing).
 *
 * Gives { ok, report, video, audio, offset }: the counts of equal units, in `report` the first difference, and the
 * offset in ms.
 */
export function compare(published, received, options = {}) {
  const { start = 'first', end = 'last', tailMs = 0, toleranceMs = 1, strict = true } = options;
  const fail = (report) => ({ ok: false, report, video: 0, audio: 0 });
  const clipped = (list) => (end === 'any' ? list.slice(0, -1) : list);

  if (strict && received.errors.length) return fail(`what was received is malformed: ${received.errors[0]}`);
  if (received.kind !== published.kind) return fail(`published ${published.kind}, received ${received.kind}`);
  if (received.audio.length && received.audioConfig !== published.audioConfig)
    return fail(`the sound was published as ${published.audioConfig}, received as ${received.audioConfig}`);

  const rv = clipped(received.video);
  const ra = clipped(received.audio);
  if (rv.length === 0) return fail('no video was received');
  if (!rv[0].keyframe) return fail(`the first video unit is no keyframe: ${name(rv[0])}`);
  const firstKey = published.video.findIndex((unit) => unit.keyframe);
  if (firstKey < 0) return fail('no keyframe was published');

  // A looped recording publishes the same keyframe again and again: take the one that fits best.
  let best;
  for (let k = firstKey; k < (start === 'first' ? firstKey + 1 : published.video.length); k++) {
    const key = published.video[k];
    if (!key.keyframe || key.hash !== rv[0].hash) continue;
    const offsets = new Offsets(toleranceMs);
    const video = compareTrack('video', published.video.slice(k), rv, offsets, { end, tailMs });
    const { due, got } = alignAudio(published.audio, ra, key, rv[0], toleranceMs);
    const audio = compareTrack('audio', due, got, offsets, { end, tailMs });
    let difference = video.difference ?? audio.difference;
    if (!difference && audio.own.length) {
      const apart = mean(audio.own) - mean(video.own);
      if (Math.abs(apart) > toleranceMs * TICKS) difference = `audio is off by ${ms(apart)} against video`;
    }
    const result = { ok: !difference, report: difference, video: video.same, audio: audio.same };
    result.offset = offsets.middle / TICKS;
    if (result.ok) {
      const spread = ms(offsets.most - offsets.least);
      const counts = `${video.same} video and ${audio.same} audio units equal`;
      return { ...result, report: `${counts}, offset ${result.offset.toFixed(1)} ms, spread ${spread}` };
    }
    if (!best || result.video + result.audio > best.video + best.audio) best = result;
  }
  if (best) return best;
  return fail(
    start === 'first'
      ? `does not begin with the first published keyframe: expected ${name(published.video[firstKey])}, received ${name(rv[0])}`
      : `begins with a keyframe that was never published: ${name(rv[0])}`,
  );
}

/**
 * Compares MPEG-TS that is to pass untouched, packet by packet. Behind PAT and PMT of its own with which a late joiner is
 * sent off, the received packets must be those sent, without a gap, from a datagram on in which a keyframe begins.
 *
 * Gives { ok, report, packets, pids }: how many packets were equal, and of which PIDs. With end 'any' the run may stop
 * anywhere; else it must go to the end, of which stuffing does not count.
 */
export function comparePackets(sentBytes, receivedBytes, { start = 'first', end = 'last' } = {}) {
  const fail = (report) => ({ ok: false, report, packets: 0, pids: {} });
  const sentTs = parseTs(sentBytes);
  const sent = Array.from(splitPackets(sentBytes), (packet) => packet.toString('latin1'));
  const received = Array.from(splitPackets(receivedBytes), (packet) => packet.toString('latin1'));
  const pid = (text) => ((text.charCodeAt(1) & 0x1f) << 8) | text.charCodeAt(2);
  const picture = sentTs.stream('h264', 'h265');
  const keys = sentTs.accessUnits(picture.pid).filter((unit) => unit.keyframe);

  const DATAGRAM = 7;
  let lead = 0;
  while (lead < received.length && [0, sentTs.pmtPid].includes(pid(received[lead]))) lead += 1;
  let at = -1; // where in `received` a keyframe begins, and where that was in `sent`
  let from = -1;
  for (let i = lead; i < Math.min(received.length, lead + DATAGRAM) && at < 0; i++) {
    const key = keys.find(({ index }) => sent[index] === received[i]);
    if (key) [at, from] = [i, key.index];
  }
  if (at < 0) return fail('does not begin with a keyframe that was sent');
  if (start === 'first' && from !== keys[0].index) return fail('does not begin with the first keyframe that was sent');
  // The packets of the same datagram ahead of the keyframe.
  for (let i = 1; i <= at - lead; i++) {
    if (received[at - i] !== sent[from - i])
      return fail(`the packet ${i} ahead of the first keyframe was not sent there`);
  }
  const pids = {};
  let packets = 0;
  for (; at + packets < received.length; packets++) {
    const got = received[at + packets];
    const want = sent[from + packets];
    if (got !== want) {
      const where = `packet ${packets} after the first keyframe`;
      const expected = want === undefined ? 'the end' : `PID ${pid(want)}`;
      const later = sent.indexOf(got, from + packets + 1);
      const cause =
        later > 0 && received[at + packets + 1] === sent[later + 1]
          ? `missing ${later - from - packets}`
          : got === received[at + packets - 1]
            ? 'it came twice'
            : 'altered or made up';
      return { ...fail(`${where}: expected ${expected}, received PID ${pid(got)}: ${cause}`), packets, pids };
    }
    pids[pid(got)] = (pids[pid(got)] ?? 0) + 1;
  }
  const left = sent.slice(from + packets).filter((packet) => pid(packet) !== 0x1fff).length;
  if (end === 'last' && left) return { ...fail(`the last ${left} packets are missing`), packets, pids };
  return { ok: true, report: `${packets} packets equal, without a gap, ${lead} ahead of them`, packets, pids };
}
