// Encoders that are in order and yet out of the ordinary: their clocks wrap, their codecs change, their tracks are few,
// late, huge or empty.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { syntheticTags } from '../lib/destinations.mjs';
import { compare, digest } from '../lib/exactness.mjs';
import { FULL, faultLine } from '../lib/fault_line.mjs';
import { kindOf, readFlv } from '../lib/flv.mjs';
import { fixtureFile, fixtureTags } from '../lib/publishers.mjs';
import { RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const timesOf = (media, kind) => media.filter((one) => one.kind === kind).map(({ timestamp }) => timestamp);
const steps = (times) => times.slice(1).map((time, i) => (time - times[i]) | 0);
const largest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

async function house(t, daemonOptions) {
  const daemon = await Daemon.start(t, { logLevel: 'info', ...daemonOptions });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  return { daemon, sink };
}

/** An input with one output, and a publisher that has been let in. */
async function stage({ daemon, sink }, name, prepare = () => {}) {
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url(name));
  const publisher = await RtmpPublisher.connect(input.publishTo);
  prepare(publisher.writer);
  await publisher.publish();
  return { input, publisher };
}

/**
 * How many frames of a kind are not what was published, in order and with its spacing; those after a difference count
 * as different. `late`: the destination may begin anywhere.
 */
function different(published, received, kind, { late = false } = {}) {
  const [want, got] = [published, received].map((list) => list.filter((one) => one.kind === kind));
  const from = late ? want.findIndex(({ hash }) => hash === got[0]?.hash) : 0;
  if (from < 0 || got.length === 0) return want.length;
  const offset = (got[0].timestamp - want[from].timestamp) | 0;
  const same = ({ hash, timestamp }, i) => got[i]?.hash === hash && ((got[i].timestamp - timestamp) | 0) === offset;
  const first = want.slice(from).findIndex((one, i) => !same(one, i));
  return first < 0 ? Math.max(0, got.length - (want.length - from)) : want.length - from - first;
}

const CLOCKS = [
  ['2^24', 2 ** 24],
  ['2^31', 2 ** 31],
  ['2^32', 2 ** 32],
];
const WRITERS = [
  ['type 3 with the extended timestamp', () => {}],
  ['type 3 without it', (writer) => (writer.repeatExtended = false)],
  ['type 0 throughout', (writer) => (writer.absolute = true)],
  ['type 0 throughout, type 3 without it', (writer) => Object.assign(writer, { absolute: true, repeatExtended: false })],
];

faultLine('E6', 'timestamps cross 2^24, 2^31 and 2^32 ms', { quick: true }, async (t, line) => {
  const place = await house(t, { queue: { seconds: '600', bytes: '64MiB' } });
  const tags = syntheticTags({ frames: 60, gop: 60, size: 3000 }); // one GOP: who connects late has all of it
  const shows = CLOCKS.flatMap(([clock, value]) =>
    WRITERS.map(([writer, prepare]) => ({ name: `${clock}, ${writer}`, from: value - 1000, prepare })),
  );
  await Promise.all(
    shows.map(async (show, i) => {
      const { publisher } = await stage(place, `clock-${i}`, show.prepare);
      await publisher.send(tags.map((tag) => ({ ...tag, timestamp: (tag.timestamp + show.from) >>> 0 })));
      await publisher.end();
      show.published = publisher.published;
      show.session = await place.sink.session(`clock-${i}`);
      await until('the end', () => show.session.closed);
    }),
  );
  const exact = shows.map(({ published, session }) => compare(published, session.media));
  const wrong = shows.filter((_, i) => !exact[i].ok || exact[i].video < 60);
  for (const [i, { ok, report }] of exact.entries()) if (!ok) t.diagnostic(`${shows[i].name}: ${report}`);
  line.exactly(`shows that are not exact, of ${shows.length}`, wrong.map(({ name }) => name).join('; '), '');
  const video = shows.map(({ session }) => largest(steps(timesOf(session.media, 'video'))));
  line.atMost('largest step of the video timestamps', largest(video), 34, 'ms');
  const audio = shows.map(({ session }) => largest(steps(timesOf(session.media, 'audio'))));
  line.atMost('largest step of the audio timestamps', largest(audio), 34, 'ms');

  // And on the way out, where clocks begin at 0: a show of few pictures, nine seconds apart, sent at once.
  const STEP = 9000;
  const frames = Math.ceil((FULL ? 2 ** 32 : 2 ** 24) / STEP) + 200;
  const { publisher } = await stage(place, 'long');
  publisher.sendTag(syntheticTags({ frames: 0, gop: 1, size: 0 })[0]);
  const received = await place.sink.session('long');
  for (let i = 0; i < frames; i++) {
    const body = Buffer.concat([Buffer.from([i % 10 ? 0x27 : 0x17, 1, 0, 0, 0]), randomBytes(8)]);
    publisher.sendTag({ type: 9, timestamp: (i * STEP) >>> 0, body });
    // No more under way than the queue may hold, so that a slow test is no reason to drop any; and the first one has to
    // be there before it is followed by so many that the output begins with a later one.
    if (i % 50 === 0) {
      await until('what was sent', () => received.messages.length > i, { interval: 1 });
    }
  }
  await publisher.end();
  await until('the end', () => received.closed);
  const wrongOut = different(publisher.published, received.media, 'video');
  line.exactly(`out, ${frames} frames of ${STEP} ms: frames that differ`, wrongOut, 0);
  line.exactly('out: largest step of the video timestamps', largest(steps(timesOf(received.media, 'video'))), STEP, 'ms');
});

faultLine('E5', 'codec parameters change, with and without a reconnect', {}, async (t, line) => {
  const place = await house(t);
  const [small, large] = [
    await fixtureTags({ seconds: 4, gop: 30 }),
    readFlv(fixtureFile('other_size.flv')),
  ];
  // Which header each frame needs, by what it is.
  const needed = new Map();
  for (const tags of [small, large]) {
    const headers = {};
    for (const tag of tags.map(digest)) {
      if (tag.kind.endsWith('-config')) headers[tag.kind.split('-')[0]] = tag.hash;
      else if (tag.kind === 'video') needed.set(tag.hash, headers.video);
    }
  }
  assert.equal(new Set(needed.values()).size, 2, 'the two have headers of their own');

  const { input, publisher } = await stage(place, 'show');
  let clock = 0;
  const act = async (who, tags) => {
    const media = tags.filter(({ type }) => type !== 18);
    await who.send(media.map((tag) => ({ ...tag, timestamp: tag.timestamp + clock })));
    clock += 4000;
  };
  // Three times on one connection, then the other encoder on a new one, and on that once more.
  await act(publisher, small);
  await act(publisher, large);
  await input.addOutput(place.sink.url('late'));
  const late = await place.sink.session('late');
  await until('what it starts with, from memory', () => late.firstVideo);
  await act(publisher, small);
  publisher.vanish();
  const second = await RtmpPublisher.connect(input.publishTo);
  await second.publish();
  await act(second, large);
  await act(second, small);
  await second.end();

  for (const name of ['show', 'late']) {
    const [session, ...more] = place.sink.named(name);
    await until('the end', () => session.closed);
    line.exactly(`${name}: connections`, 1 + more.length, 1);
    let header;
    let wrong = 0;
    let changes = 0;
    let notKey = 0;
    for (const [i, message] of session.media.entries()) {
      if (message.kind === 'video-config') {
        const next = session.media.slice(i).find(({ kind }) => kind === 'video');
        if (header !== undefined && header !== message.hash) changes += 1;
        if (header !== message.hash && !next?.keyframe) notKey += 1;
        header = message.hash;
      } else if (message.kind === 'video' && needed.has(message.hash) && needed.get(message.hash) !== header) {
        wrong += 1;
      }
    }
    line.exactly(`${name}: frames under the wrong header`, wrong, 0);
    line.exactly(`${name}: changes of the header`, changes, name === 'show' ? 4 : 3);
    line.exactly(`${name}: new headers that no keyframe follows`, notKey, 0);
  }
  const show = place.sink.named('show')[0];
  const sent = [...publisher.published, ...second.published].filter(({ kind }) => kind === 'video');
  const got = show.media.filter(({ hash }) => needed.has(hash)); // without filler
  line.exactly('frames missing, doubled or in another order', sent.findIndex(({ hash }, i) => hash !== got[i]?.hash), -1);
});

/** How far the frames of a kind were moved, all alike. */
const moved = (published, received, kind) => {
  const [want, got] = [published, received].map((list) => list.find((one) => one.kind === kind));
  return (got.timestamp - want.timestamp) | 0;
};

faultLine('E8', 'unusual tracks: early, missing, empty, huge, with B-frames, with a GOP of 10 s', {}, async (t, line) => {
  const place = await house(t);
  const plain = syntheticTags({ frames: 120, gop: 30, size: 3000 });
  const only = (kind) => plain.filter((tag) => kindOf(tag).startsWith(kind));
  const change = (wanted, act) => plain.map((tag, i) => (wanted(tag, i) ? { ...tag, ...act(tag) } : tag));
  const isKey = (tag) => digest(tag).keyframe;
  const isFrame = (tag) => ['video', 'audio'].includes(kindOf(tag));
  const shows = {
    'audio 500 ms ahead': change(
      (tag) => kindOf(tag) === 'audio',
      ({ timestamp }) => ({ timestamp: timestamp + 500 }),
    ),
    'audio only': only('audio'),
    'video only': only('video'),
    'a GOP of 10 s': syntheticTags({ frames: 330, gop: 300, size: 3000 }),
    'B-frames': (await fixtureTags({ seconds: 6 })).filter(({ type }) => type !== 18),
    'frames of 0 bytes': change(
      (tag, i) => i % 7 === 5 && isFrame(tag) && !isKey(tag),
      () => ({ body: Buffer.alloc(0) }),
    ),
    'frames of 4 MB': change(isKey, ({ body }) => ({ body: Buffer.concat([body, randomBytes(4 << 20)]) })),
  };
  const results = await Promise.all(
    Object.entries(shows).map(async ([name, tags], i) => {
      const { input, publisher } = await stage(place, `show-${i}`);
      if (name.includes('4 MB')) publisher.write(publisher.writer.setChunkSize(65536));
      const sending = publisher.send(tags);
      await delay(2000); // into the show
      await input.addOutput(place.sink.url(`late-${i}`));
      await sending;
      await publisher.end();
      const [session, late] = [await place.sink.session(`show-${i}`), await place.sink.session(`late-${i}`)];
      await until('the end', () => session.closed && late.closed);
      return { name, published: publisher.published, session, late };
    }),
  );
  for (const { name, published, session, late } of results) {
    const kinds = ['video', 'audio'].filter((kind) => published.some((tag) => tag.kind === kind));
    for (const kind of kinds) {
      line.exactly(`${name}: ${kind} frames that differ`, different(published, session.media, kind), 0);
      line.exactly(`${name}: of a late joiner`, different(published, late.media, kind, { late: true }), 0);
    }
    if (kinds.length === 2) {
      const [video, audio] = kinds.map((kind) => moved(published, session.media, kind));
      line.exactly(`${name}: change of the audio/video offset`, audio - video, 0, 'ms');
    }
    if (kinds.includes('video')) {
      line.exactly(`${name}: a late joiner starts at a keyframe`, late.firstVideo.keyframe, true);
    }
  }
});
