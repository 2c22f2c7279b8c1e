// The ruler across containers is measured first: it must see every kind of damage, in either container.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { compare, comparePackets, fromFlv, fromTs } from './access_units.mjs';
import { run, tempDir } from './cleanup.mjs';
import { readFlv } from './flv.mjs';
import { PACKET, WRAP, parseTs, pidOf } from './mpegts.mjs';
import { PRIVATE_PID, shiftTs, tsFixtureFile } from './ts_fixture.mjs';

let ts; // the bytes
let published; // in the common form
let viaFlv; // the same through an FLV file
before(async () => {
  const file = await tsFixtureFile({ seconds: 4 });
  ts = readFileSync(file);
  published = fromTs(ts);
  const flv = `${tempDir('ruler')}/same.flv`;
  await run('ffmpeg', ['-loglevel', 'error', '-i', file, '-map', '0:v', '-map', '0:a', '-c', 'copy', '-copyts', flv]);
  viaFlv = fromFlv(readFlv(flv));
});

const copy = ({ video, audio, ...rest }) => ({
  ...rest,
  video: video.map((unit) => ({ ...unit })),
  audio: audio.map((unit) => ({ ...unit })),
});
const shift = (unit, ms) => {
  if (unit.dts !== undefined) unit.dts += ms * 90;
  unit.pts += ms * 90;
};

test('a fixture is sound: continuity, tables, B-frames, several sounds in one PES, a private PID', () => {
  const parsed = parseTs(ts);
  assert.deepEqual(parsed.errors, []);
  assert.equal(parsed.orphans + parsed.unfinished, 0);
  assert.equal(published.video.length, 120);
  assert.ok(published.audio.length > 165, `${published.audio.length} frames of sound`);
  assert.ok(published.video.some(({ dts, pts }) => pts > dts));
  assert.ok(parsed.pes(parsed.stream('aac').pid).length < published.audio.length / 2);
  assert.deepEqual(
    parsed.streams.map(({ kind }) => kind),
    ['h264', 'aac', 'private'],
  );
  assert.ok(parsed.packetsOf(PRIVATE_PID).length > 20);
  assert.ok(parsed.pats.length > 20 && parsed.pmts.length > 20 && parsed.pcrs.length > 60);
});

test('TS to FLV without re-encoding is exact, with milliseconds for ticks', () => {
  const result = compare(published, viaFlv);
  assert.ok(result.ok, result.report);
  assert.equal(result.video, 120);
  assert.ok(result.audio > 160);
});

test('another time base and the wrap of 33 bits change nothing', () => {
  for (const offset of [90_000, WRAP - 2 * 90_000]) {
    const shifted = shiftTs(ts, offset);
    assert.deepEqual(parseTs(shifted).errors, []);
    assert.ok(compare(published, fromTs(shifted)).ok);
    assert.ok(compare(fromTs(shifted), viaFlv).ok);
  }
});

const damages = [
  ['a picture missing', (r) => r.video.splice(7, 1), /video unit 7 .*missing 1,/],
  ['a GOP missing', (r) => r.video.splice(30, 30), /video unit 30 .*missing 30,/],
  ['the last picture missing', (r) => r.video.pop(), /video unit 119 .*recording ends/],
  ['a sound missing', (r) => r.audio.splice(20, 1), /audio unit \d+ .*missing 1,/],
  ['the last sound missing', (r) => r.audio.pop(), /audio unit \d+ .*recording ends/],
  ['the first second of sound missing', (r) => r.audio.splice(0, 43), /audio unit 0 .*missing/],
  ['all sound missing', (r) => r.audio.splice(0), /audio unit 0 .*missing/],
  ['a picture twice', (r) => r.video.splice(8, 0, r.video[7]), /video unit 8 .*came twice/],
  ['a sound twice', (r) => r.audio.splice(21, 0, r.audio[20]), /audio unit \d+ .*came twice/],
  ['two pictures swapped', (r) => r.video.splice(5, 2, r.video[6], r.video[5]), /video unit 5 .*swapped/],
  ['one picture 3 ms late', (r) => shift(r.video[9], 3), /video unit 9 .*shifted dts: off by [23]\.\d ms/],
  ['one picture shown 3 ms late', (r) => (r.video[9].pts += 270), /video unit 9 .*shifted pts/],
  ['one sound 3 ms early', (r) => shift(r.audio[30], -3), /audio unit \d+ .*shifted pts: off by -[23]\.\d ms/],
  ['all from a picture on 3 ms late', (r) => r.video.slice(50).forEach((u) => shift(u, 3)), /video unit 50 .*shifted/],
  ['all sound 5 ms late', (r) => r.audio.forEach((u) => shift(u, 5)), /audio unit 0 .*shifted|audio is off/],
  ['all sound 1.6 ms late', (r) => r.audio.forEach((u) => shift(u, 1.6)), /shifted|audio is off by 1\.\d ms/],
  ['a drift of 5 ms', (r) => r.video.forEach((u, i) => shift(u, (i * 5) / 119)), /shifted/],
  ['other parameter sets', (r) => (r.video[30].sets = 'x'), /video unit 30 .*other parameter sets/],
  ['another sound format', (r) => (r.audioConfig = 'aac type 5'), /sound was published as/],
  ['beginning one GOP late', (r) => r.video.splice(0, 30), /first published keyframe/],
  ['beginning between keyframes', (r) => r.video.splice(0, 5), /no keyframe/],
  ['one more picture', (r) => r.video.push({ ...r.video[3], hash: 'x' }), /nothing more was published/],
  ['nothing at all', (r) => r.video.splice(0), /no video was received/],
];
for (const [what, damage, words] of damages) {
  test(`seen: ${what}`, () => {
    for (const received of [copy(published), copy(viaFlv)]) {
      damage(received);
      const result = compare(published, received);
      assert.equal(result.ok, false, 'the damage went unseen');
      assert.match(result.report, words);
    }
  });
}

// Every place of a TS packet run can be damaged as well.
const packetsOf = (bytes, pid) => parseTs(bytes).packetsOf(pid);
test('seen: one altered byte, in picture, sound and private data', () => {
  const parsed = parseTs(ts);
  for (const kind of ['h264', 'aac', 'private']) {
    const received = Buffer.from(ts);
    const packet = packetsOf(ts, parsed.stream(kind).pid).filter(({ unitStart }) => !unitStart || kind === 'private')[15];
    received[packet.index * PACKET + PACKET - 2] ^= 0x40;
    assert.equal(comparePackets(ts, received).ok, false);
    if (kind === 'private') continue;
    const result = compare(published, fromTs(received));
    assert.equal(result.ok, false, `the damaged ${kind} went unseen`);
    assert.match(result.report, /altered|malformed|expected/);
  }
});

test('seen: a packet of a run missing, twice, out of place', () => {
  const packets = Array.from({ length: ts.length / PACKET }, (_, i) => ts.subarray(i * PACKET, (i + 1) * PACKET));
  const broken = (change) => {
    const list = [...packets];
    change(list);
    return Buffer.concat(list);
  };
  const picture = parseTs(ts).stream('h264').pid;
  const nth = packets.findIndex((packet, i) => i > 300 && pidOf(packet) === picture && !(packet[1] & 0x40));
  for (const [what, change, words] of [
    ['missing', (list) => list.splice(nth, 1), /missing 1|altered/],
    ['twice', (list) => list.splice(nth, 0, list[nth]), /twice/],
    ['swapped', (list) => list.splice(nth, 2, list[nth + 1], list[nth]), /missing|altered/],
    ['the last ones missing', (list) => list.splice(-10), /the last 10 packets are missing/],
  ]) {
    const result = comparePackets(ts, broken(change));
    assert.equal(result.ok, false, `${what} went unseen`);
    assert.match(result.report, words);
    if (what === 'the last ones missing') continue;
    assert.notDeepEqual(parseTs(broken(change)).errors, [], `the parser did not see a packet ${what}`);
  }
});

test('a late joiner may begin at any keyframe behind tables of its own, and end anywhere', () => {
  const parsed = parseTs(ts);
  const key = parsed.accessUnits(parsed.stream('h264').pid).filter(({ keyframe }) => keyframe)[2];
  const tables = [parsed.pats[0], parsed.pmts[0]].map((i) => ts.subarray(i * PACKET, (i + 1) * PACKET));
  const joined = Buffer.concat([...tables, ts.subarray((key.index - 2) * PACKET)]);
  const run = comparePackets(ts, joined, { start: 'any' });
  assert.ok(run.ok, run.report);
  assert.equal(run.packets, ts.length / PACKET - key.index);
  assert.ok(run.pids[PRIVATE_PID] > 5);
  assert.equal(comparePackets(ts, joined).ok, false);
  const late = compare(published, fromTs(joined), { start: 'any' });
  assert.ok(late.ok, late.report);
  assert.equal(late.video, 60);
  assert.equal(compare(published, fromTs(joined)).ok, false);
  const cut = joined.subarray(0, Math.floor(joined.length / PACKET / 2) * PACKET);
  assert.ok(compare(published, fromTs(cut), { start: 'any', end: 'any' }).ok);
  assert.ok(comparePackets(ts, cut, { start: 'any', end: 'any' }).ok);
  assert.equal(compare(published, fromTs(cut), { start: 'any' }).ok, false);
});

test('the tail tolerance covers the end only, and only as far as said', () => {
  const short = copy(published);
  short.video.splice(-6);
  short.audio = short.audio.filter(({ pts }) => pts < short.video.at(-1).pts);
  assert.ok(compare(published, short, { tailMs: 400 }).ok);
  assert.equal(compare(published, short, { tailMs: 50 }).ok, false);
});
