// A long life in short: very many connections, and timestamps that run for months.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Publisher, RTMP_LOAD, Sink } from '../../bench/peers.mjs';
import { Child } from '../lib/cleanup.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const CONNECTIONS = 1_000_000;
const DAYS = 60;
const SPEED = 30_000;
const DAY = 86_400;
const FAULTS = ['lost', 'out_of_order', 'steps_back', 'altered', 'shifted', 'ended'];

/** The rest of `child`'s lines as objects, each when it is written. */
async function* reports(child) {
  for await (const text of createInterface({ input: child.process.stdout })) if (text.startsWith('{')) yield JSON.parse(text);
}

/** The least that the daemon's memory comes down to: what is spare is given back once a minute. */
async function restingKiB(daemon) {
  let least = Infinity;
  const end = performance.now() + 75_000;
  await until(
    'a minute to pass',
    () => {
      least = Math.min(least, daemon.residentKiB);
      return performance.now() > end;
    },
    { timeout: 90_000, interval: 200 },
  );
  return least;
}

const growth = (before, after) => (100 * (after - before)) / before;

const to = (sink, streamKey) => ({ url: `rtmp://127.0.0.1:${sink.port}/live`, streamKey });

async function connections(t, line, daemon) {
  const [sink, other] = [await Sink.start({ fps: 30 }), await Sink.start()];
  t.after(() => Promise.all([sink.stop(), other.stop()]));

  // A show that goes on meanwhile, and inputs whose encoders come and go, one of them with a destination.
  const show = await LiveInput.create(daemon);
  for (let i = 0; i < 3; i++) await show.addOutput(to(sink, `show${i}`));
  const restless = [];
  for (let i = 0; i < 16; i++) restless.push(await LiveInput.create(daemon));
  await restless[0].addOutput(to(other, 'restless'));
  const encoder = await Publisher.start([show.publishUrl], { fps: 30, kbps: 500, gop: 60 });
  t.after(() => encoder.child.stop('SIGKILL'));
  await until('the show', async () => (await sink.report()).publishing === 3);
  const quiet = daemon.descriptors;

  // Memory is looked at when nobody is there but the show: what is kept for good is what counts.
  const comeAndGo = async (count) => {
    const urls = restless.map((input) => input.publishUrl);
    const churn = new Child(RTMP_LOAD, ['churn', '--count', String(count), '--parallel', '16', ...urls]);
    t.after(() => churn.stop('SIGKILL'));
    let last;
    for await (last of reports(churn)) encoder.check();
    line.exactly('connections', last.done, count);
    line.exactly('of them failed', last.failed, 0);
    assert.ok(last.published > count / 4);
    await until('what was held to end', async () => (await other.report()).publishing === 0, { timeout: 20_000 });
    await until('descriptors to be given back', () => daemon.descriptors <= quiet);
    return restingKiB(daemon);
  };
  const first = await comeAndGo(CONNECTIONS / 10);
  const end = await comeAndGo(CONNECTIONS - CONNECTIONS / 10);
  t.diagnostic(`KiB: ${first}, ${end}`);
  line.atMost('memory at the end beside that after a tenth', growth(first, end), 1, '%');
  line.atMost('descriptors more than before', daemon.descriptors - quiet, 0);
  const shown = await sink.report();
  for (const fault of FAULTS) line.exactly(`the show meanwhile: packets ${fault}`, shown[fault], 0);
  await encoder.stop();
}

async function timestamps(t, line, daemon) {
  // One frame a second, each some microseconds after the other.
  const far = await Sink.start({ fps: 1 });
  t.after(() => far.stop());
  const long = await LiveInput.create(daemon);
  await long.addOutput(to(far, 'long'));
  const fast = await Publisher.start([long.publishUrl], { fps: 1, kbps: 1, gop: 2, audioKbps: 0, speed: SPEED });
  t.after(() => fast.child.stop('SIGKILL'));
  const frames = DAYS * DAY;
  let memory;
  const sum = { video: 0, ...Object.fromEntries(FAULTS.map((fault) => [fault, 0])) };
  await until(
    'so many days',
    async () => {
      fast.check();
      const report = await far.take();
      for (const what in sum) sum[what] += report[what];
      if (sum.video > frames / 10) memory ??= daemon.residentKiB;
      return sum.video > frames;
    },
    { timeout: 30_000 + (3000 * frames) / SPEED, interval: 100 },
  );
  line.atLeast('days of timestamps', sum.video / DAY, DAYS, '');
  line.atMost('memory at the end beside that after a tenth', growth(memory, daemon.residentKiB), 1, '%');
  for (const fault of FAULTS) line.exactly(`packets ${fault}`, sum[fault], 0);
  await fast.stop();
}

faultLine('H10', 'a million connections, and timestamps of 60 days', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { logLevel: 'info', hold: '1s', queue: { seconds: 600, bytes: '64MiB' } });
  await connections(t, line, daemon);
  await timestamps(t, line, daemon);
});
