// Outputs created, enabled, disabled and deleted at random while ten others run: the ten lose nothing, the restless
// ones are exact as long as they last, and memory and descriptors come back to where they were.
// SIMULCASTD_E2E_CHURN: how many calls (default 40). SIMULCASTD_E2E_SEED: the seed that a failing run printed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertExact, assertSinkExact } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput, sdk } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const CALLS = Number(process.env.SIMULCASTD_E2E_CHURN ?? 40);
const SEED = Number(process.env.SIMULCASTD_E2E_SEED ?? Date.now() % 1_000_000);
const STEADY = 10;
const RESTLESS = 12;
const RSS_GROWTH_KIB = 32 * 1024; // allocator slack of a run, far below what a leak of sessions would add

// mulberry32: small, and the same on every machine.
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test(`${CALLS} random calls beside ${STEADY} running outputs`, { timeout: 600_000 }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = randomFrom(SEED);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  // No connection kept alive between calls: descriptors are to be counted.
  const client = sdk(daemon, { defaultHeaders: { connection: 'close' } });
  const input = await LiveInput.create(daemon, { client });
  for (let i = 0; i < STEADY; i++) await input.addOutput(sink.url(`steady-${i}`));
  const endless = await EndlessPublisher.start(input.publishTo, await fixtureTags({ gop: 30 }));
  for (let i = 0; i < STEADY; i++) {
    const session = await sink.session(`steady-${i}`);
    await until('pictures', () => session.videoCount > 10);
  }

  const restless = new Map(); // uid -> { enabled, name }
  let created = 0;
  const calls = {
    async create() {
      const name = `restless-${created++}`;
      const enabled = random() < 0.7;
      const { uid } = await input.addOutput(sink.url(name), { enabled });
      restless.set(uid, { name, enabled });
    },
    async enable() {
      const [uid, output] = pick([...restless]);
      await input.enable(uid);
      output.enabled = true;
    },
    async disable() {
      const [uid, output] = pick([...restless]);
      await input.disable(uid);
      output.enabled = false;
    },
    async remove() {
      const [uid] = pick([...restless]);
      await input.remove(uid);
      restless.delete(uid);
    },
  };
  const churn = async (count) => {
    for (let i = 0; i < count; i++) {
      const possible =
        restless.size === 0
          ? ['create']
          : restless.size < RESTLESS
            ? ['create', 'create', 'enable', 'disable', 'remove']
            : ['enable', 'disable', 'remove'];
      await calls[pick(possible)]();
      await delay(random() * 60); // the pace of the calls, not a wait for anything
    }
  };
  const removeAll = async () => {
    for (const uid of [...restless.keys()]) {
      await input.remove(uid);
      restless.delete(uid);
    }
    await until('the restless sessions to end', () => sink.sessions.filter((s) => s.live).length === STEADY);
  };

  // A little of everything first, so that what is made once on first use is not counted as growth.
  await churn(Math.min(20, CALLS));
  await removeAll();
  const before = { descriptors: await settled(() => daemon.descriptors), rss: daemon.residentKiB };

  await churn(CALLS);
  const listed = (await input.outputs()).filter(({ uid }) => restless.has(uid));
  assert.deepEqual(
    listed.map(({ uid, enabled }) => [uid, enabled]),
    [...restless].map(([uid, { enabled }]) => [uid, enabled]),
  );
  await until('exactly the enabled ones to be on air', () => {
    const onAir = new Set(sink.sessions.filter((s) => s.live && s.firstVideo).map((s) => s.name));
    return (
      [...restless.values()].every(({ name, enabled }) => onAir.has(name) === enabled) &&
      onAir.size === STEADY + [...restless.values()].filter((o) => o.enabled).length
    );
  });
  await removeAll();
  await until(`descriptors to be ${before.descriptors} again`, () => {
    if (daemon.descriptors !== before.descriptors) throw new Error(`they are ${daemon.descriptors}`);
    return true;
  });
  const rss = daemon.residentKiB;
  t.diagnostic(
    `descriptors ${before.descriptors} before and after; RSS ${before.rss} KiB before, ${rss} KiB after ${CALLS} calls`,
  );
  assert.ok(daemon.sanitized || rss - before.rss < RSS_GROWTH_KIB, `RSS grew from ${before.rss} to ${rss} KiB`);

  await endless.stop();
  let compared = 0;
  for (const session of sink.sessions) {
    await until(`the end of ${session.name}`, () => session.closed);
    if (session.name.startsWith('steady')) {
      await assertSinkExact(endless.published, session, { what: session.name, atLeast: 60 });
      compared += 1;
    } else if (session.firstVideo) {
      assertExact(endless.published, session.media, { what: session.name, start: 'any', end: 'any', atLeast: 1 });
      compared += 1;
    }
  }
  assert.equal(
    sink.sessions.filter((s) => s.name.startsWith('steady')).length,
    STEADY,
    'no steady output ever reconnected',
  );
  t.diagnostic(`${compared} sessions exact`);
});

// The value once it reads the same for half a second.
async function settled(read) {
  let value = read();
  let since = performance.now();
  await until('the figure to settle', () => {
    const now = read();
    if (now !== value) {
      value = now;
      since = performance.now();
    }
    return performance.now() - since > 500;
  });
  return value;
}
