// Resident memory of simulcastd: of an output, an idle input, a publisher; and whether it grows with time.
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../e2e/lib/daemon.mjs';
import { LiveInput, sdk } from '../e2e/lib/sdk.mjs';
import { record, residentKiB, withRelay } from './measure.mjs';
import { Publisher } from './peers.mjs';
import { RELAYS } from './relays.mjs';
import { fixed, markdown, median } from './tables.mjs';

const [FEW, MANY] = [10, 200]; // live outputs
const IDLE_INPUTS = 5000;
const PUBLISHERS = 100;
const STEADY = 10_000; // ms until memory is taken
const SERIES_OUTPUTS = 100;
const EVERY = 5000; // ms between two values of the series
const AT_ONCE = 16; // requests to the API
const MIB = 1024; // KiB

async function ofLiveOutputs(outputs) {
  const { rss } = await withRelay(RELAYS.simulcastd, { outputs }, async ({ relay }) => {
    await delay(STEADY);
    return { rss: residentKiB(relay.pid) };
  });
  record('memory', { outputs, rss });
  return rss;
}

async function ofIdleInputs() {
  const daemon = await Daemon.start(null, { logLevel: 'info' });
  // One first, so that what the first request ever brings in is not put down to the inputs.
  const create = async (i) => {
    const { status, text } = await daemon.request('POST', '', { body: { meta: { name: `idle ${i}` } } });
    if (status !== 200) throw new Error(text);
  };
  await create('first');
  const before = daemon.residentKiB;
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < IDLE_INPUTS) await create(next++);
    }),
  );
  const after = daemon.residentKiB;
  await daemon.stop();
  record('memory', { idleInputs: IDLE_INPUTS, before, after });
  return (after - before) / IDLE_INPUTS;
}

async function ofPublishers() {
  const daemon = await Daemon.start(null, { logLevel: 'info' });
  const client = sdk(daemon);
  const urls = [];
  for (let i = 0; i < PUBLISHERS; i++) urls.push((await LiveInput.create(daemon, { client })).publishUrl);
  const before = daemon.residentKiB;
  const publisher = await Publisher.start(urls, { fps: 30, kbps: 500, gop: 60, audioKbps: 96 });
  await delay(STEADY);
  publisher.check();
  const after = daemon.residentKiB;
  await publisher.stop();
  await daemon.stop();
  record('memory', { publishers: PUBLISHERS, before, after });
  return (after - before) / PUBLISHERS;
}

// The highest value of the first minute and the last value, in KiB.
async function overTime(minutes) {
  return withRelay(RELAYS.simulcastd, { outputs: SERIES_OUTPUTS }, async ({ relay, publisher }) => {
    const series = [];
    const began = performance.now();
    const passed = () => performance.now() - began;
    while (passed() < minutes * 60_000) {
      await delay(EVERY);
      relay.check();
      publisher.check();
      series.push({ seconds: Math.round(passed() / 1000), rss: residentKiB(relay.pid) });
      if (series.length % 12 === 0) console.error(`memory: ${JSON.stringify(series.at(-1))}`);
    }
    record('memory', { seriesOutputs: SERIES_OUTPUTS, series });
    return {
      first: Math.max(...series.filter(({ seconds }) => seconds <= 60).map(({ rss }) => rss)),
      last: median(series.slice(-3).map(({ rss }) => rss)),
    };
  });
}

export async function memory({ minutes }) {
  const rows = [];
  const bars = [];
  const bar = (name, value, bound) =>
    bars.push({ name, ok: value <= bound, text: `${value.toFixed(1)} KiB, at most ${bound} KiB` });

  const few = await ofLiveOutputs(FEW);
  const many = await ofLiveOutputs(MANY);
  const output = (many - few) / (MANY - FEW);
  rows.push([`with ${FEW} and ${MANY} live outputs`, `${fixed(few / MIB, 1)} and ${fixed(many / MIB, 1)} MiB`]);
  rows.push(['of a further live output', `${fixed(output, 1)} KiB`]);
  bar('memory: of an output', output, 64);

  const idle = await ofIdleInputs();
  rows.push([`of an input that is not live (${IDLE_INPUTS} of them)`, `${fixed(idle, 2)} KiB`]);
  bar('memory: of an idle input', idle, 4);

  rows.push(['of a live input of 500 kbit/s without outputs', `${fixed(await ofPublishers(), 1)} KiB`]);

  const { first, last } = await overTime(minutes);
  const series = `${fixed(first / MIB, 2)} and ${fixed(last / MIB, 2)} MiB`;
  rows.push([`${SERIES_OUTPUTS} outputs, in the first minute and after ${minutes} min`, series]);
  bar(`memory: growth over ${minutes} min`, last - first, MIB);
  return { tables: [markdown(['resident memory', ''], rows)], bars, sound: true };
}
