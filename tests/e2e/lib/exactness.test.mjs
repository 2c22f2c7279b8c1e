// The ruler itself is measured first: the comparison must see every kind of damage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './exactness.mjs';
import { AUDIO, VIDEO, parseFlv, writeFlv } from './flv.mjs';

// 3 GOPs of 10 frames with an audio packet between any two, every body different.
function broadcast(startTime = 0) {
  const tags = [
    { type: VIDEO, timestamp: startTime, body: Buffer.from([0x17, 0, 0, 0, 0, 1, 2, 3]) },
    { type: AUDIO, timestamp: startTime, body: Buffer.from([0xaf, 0, 0x12, 0x10]) },
  ];
  for (let i = 0; i < 30; i++) {
    const timestamp = (startTime + i * 40) >>> 0;
    tags.push({ type: VIDEO, timestamp, body: Buffer.from([i % 10 ? 0x27 : 0x17, 1, 0, 0, 0, i]) });
    tags.push({ type: AUDIO, timestamp: (timestamp + 13) >>> 0, body: Buffer.from([0xaf, 1, i]) });
  }
  return tags;
}
const copy = (tags) => tags.map((tag) => ({ ...tag, body: Buffer.from(tag.body) }));
const nth = (tags, type, n) => tags.indexOf(tags.filter((tag) => tag.type === type && tag.body[1] === 1)[n]);

test('an identical recording is exact, also with another time base, through a file and over the 32-bit wrap', () => {
  const published = broadcast(5000);
  const received = copy(published).map((tag) => ({ ...tag, timestamp: tag.timestamp - 5000 }));
  const viaFile = parseFlv(writeFlv(received)).tags;
  assert.deepEqual(compare(published, viaFile), {
    ok: true,
    video: 30,
    audio: 30,
    offset: -5000,
    report: '30 video and 30 audio packets equal, offset -5000 ms',
  });
  const wrapping = broadcast(0xffffffff - 500);
  assert.ok(compare(wrapping, received).ok);
  assert.ok(compare(wrapping, parseFlv(writeFlv(wrapping)).tags).ok);
});

const damages = [
  ['a video packet missing', (r) => r.splice(nth(r, VIDEO, 7), 1), /video packet 7 .*missing 1 packet/],
  ['an audio packet missing', (r) => r.splice(nth(r, AUDIO, 7), 1), /audio packet 7 .*missing 1 packet/],
  ['a whole GOP missing', (r) => r.splice(nth(r, VIDEO, 10), 20), /video packet 10 .*missing 10 packet/],
  ['the last packet missing', (r) => r.splice(nth(r, VIDEO, 29), 1), /video packet 29 .*recording ends/],
  ['the last audio packet missing', (r) => r.pop(), /audio packet 29 .*recording ends/],
  ['a packet twice', (r) => r.splice(nth(r, VIDEO, 8), 0, r[nth(r, VIDEO, 7)]), /video packet 8 .*came twice/],
  ['an audio packet twice', (r) => r.splice(nth(r, AUDIO, 8), 0, r[nth(r, AUDIO, 7)]), /audio packet 8 .*came twice/],
  [
    'one byte altered',
    (r) => {
      r[nth(r, VIDEO, 5)].body[5] ^= 0x80;
    },
    /video packet 5 .*altered/,
  ],
  [
    'one audio byte altered',
    (r) => {
      r[nth(r, AUDIO, 5)].body[2] ^= 0x80;
    },
    /audio packet 5 /,
  ],
  [
    'a byte lost from the end',
    (r) => {
      const t = r[nth(r, VIDEO, 5)];
      t.body = t.body.subarray(0, -1);
    },
    /altered/,
  ],
  [
    'two packets swapped',
    (r) => {
      const a = nth(r, VIDEO, 3),
        b = nth(r, VIDEO, 4);
      [r[a].body, r[b].body] = [r[b].body, r[a].body];
    },
    /video packet 3 .*swapped/,
  ],
  [
    'one timestamp 1 ms late',
    (r) => {
      r[nth(r, VIDEO, 9)].timestamp += 1;
    },
    /video packet 9 .*shifted timestamp: off by 1 ms/,
  ],
  [
    'all audio 1 ms late',
    (r) => {
      for (const t of r) if (t.type === AUDIO) t.timestamp += 1;
    },
    /audio packet 0 .*shifted timestamp/,
  ],
  [
    'all video from the second frame 1 ms early',
    (r) => {
      r.filter((t) => t.type === VIDEO)
        .slice(2)
        .forEach((t) => {
          t.timestamp -= 1;
        });
    },
    /video packet 1 .*shifted/,
  ],
  ['a codec header missing', (r) => r.splice(0, 1), /no video-config/],
  [
    'another codec header',
    (r) => {
      r[1].body[3] ^= 1;
    },
    /audio-config/,
  ],
  ['beginning one GOP late', (r) => r.splice(2, 20), /first published keyframe/],
  ['beginning between keyframes', (r) => r.splice(2, 6), /no keyframe/],
  [
    'a packet nobody published',
    (r) => r.push({ type: VIDEO, timestamp: 1200, body: Buffer.from([0x27, 1, 9, 9]) }),
    /nothing more was published/,
  ],
  ['nothing at all', (r) => r.splice(2), /no video was received/],
];
for (const [what, damage, words] of damages) {
  test(`seen: ${what}`, () => {
    const received = copy(broadcast());
    damage(received);
    const result = compare(broadcast(), received);
    assert.equal(result.ok, false, 'the damage went unseen');
    assert.match(result.report, words);
  });
}

test('a late joiner may begin at any keyframe, an early leaver may end anywhere, but not with holes', () => {
  const published = broadcast();
  const late = copy(published).filter((tag) => tag.timestamp >= 800 || tag.body[1] === 0);
  assert.equal(compare(published, late).ok, false);
  assert.ok(compare(published, late, { start: 'any' }).ok);
  const early = copy(published).filter((tag) => tag.timestamp < 700);
  assert.equal(compare(published, early).ok, false);
  assert.ok(compare(published, early, { end: 'any' }).ok);
  early.splice(nth(early, VIDEO, 5), 1);
  assert.equal(compare(published, early, { end: 'any' }).ok, false);
  const foreign = copy(late);
  foreign[nth(foreign, VIDEO, 0)].body[5] ^= 0x80;
  assert.match(compare(published, foreign, { start: 'any' }).report, /never published/);
});

test('the tail tolerance covers the end only, and only as far as said', () => {
  const published = broadcast();
  const short = copy(published).filter((tag) => tag.timestamp < 1100);
  assert.ok(compare(published, short, { tailMs: 100 }).ok);
  assert.equal(compare(published, short, { tailMs: 40 }).ok, false);
});

test('a looped recording, with the same keyframes again, is aligned where it fits', () => {
  const loop = [...broadcast(), ...broadcast(1200).slice(2)];
  const late = copy(loop)
    .filter((tag, i) => i < 2 || tag.timestamp >= 1200)
    .map((tag) => ({ ...tag, timestamp: Math.max(0, tag.timestamp - 1200) }));
  assert.ok(compare(loop, late, { start: 'any' }).ok);
  assert.ok(compare(loop, late.slice(0, 40), { start: 'any', end: 'any' }).ok);
});
