// The API over a large store: 10,000 inputs with 3 outputs each, while 50 outputs are live. Prints how long the start
// takes, list, get and create one after the other, and what becomes of the live outputs while `wrk` asks 500 times a
// second. Exits 1 when a limit is missed. Needs `wrk`, `curl` and `sqlite3`.
//   node bench/control_scale.mjs [inputs] [seconds of wrk]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Publisher, Sink } from '../../bench/peers.mjs';
import { run, tempDir } from '../lib/cleanup.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { LiveInput, sdk } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const [INPUTS = 10_000, SECONDS = 60] = process.argv.slice(2).map(Number);
const [OUTPUTS, LIVE, RATE, CALLS, FPS, WINDOWS] = [3, 50, 500, 200, 30, 6];
const LIMITS = { start: 2000, list: 20, get: 20, create: 20, late: 5 };

const percentile = (values, share) => values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1];
const missed = [];
function show(what, value, limit, unit = 'ms') {
  const verdict = value <= limit ? 'good' : 'MISSED';
  if (value > limit) missed.push(what);
  console.log(`${what.padEnd(44)} ${value.toFixed(1).padStart(9)} ${unit}  limit ${limit}  ${verdict}`);
}

const daemon = await Daemon.start(null, { logLevel: 'info', outputsPerInput: 100 });
const live = await LiveInput.create(daemon);
const sink = await Sink.start({ fps: FPS });
for (let i = 0; i < LIVE; i++) await live.addOutput({ url: `rtmp://127.0.0.1:${sink.port}/live`, streamKey: `live-${i}` });
const model = await LiveInput.create(daemon);
await model.addOutput({ url: 'rtmp://live.example.com/app', streamKey: 'a-stream-key-of-usual-length' });
await daemon.stop();

// As if they had been made one by one: copies of one input and one output with uids of their own.
const script = join(tempDir('scale'), 'fill.sql');
const columns = async (table) =>
  (await run('sqlite3', [join(daemon.stateDir, 'simulcastd.db'), `SELECT name FROM pragma_table_info('${table}')`])).output
    .trim()
    .split('\n')
    .filter((name) => name !== 'sequence');
const copy = async (table, replaced, from, rows) => {
  const names = await columns(table);
  const values = names.map((name) => replaced[name] ?? `t.${name}`);
  return `INSERT INTO ${table} (${names.join(', ')})
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    SELECT ${values.join(', ')} FROM n, ${table} AS t WHERE ${from};`;
};
const uid = (prefix, i) => `'${prefix}' || printf('%028x', ${i})`;
writeFileSync(
  script,
  [
    'BEGIN;',
    await copy('live_inputs', { uid: uid('1000', 'i') }, `t.uid = '${model.uid}'`, INPUTS),
    await copy(
      'outputs',
      { uid: uid('2000', 'i'), input_uid: uid('1000', `(i - 1) / ${OUTPUTS} + 1`) },
      `t.input_uid = '${model.uid}'`,
      INPUTS * OUTPUTS,
    ),
    'COMMIT;',
  ].join('\n'),
);
await run('sqlite3', [join(daemon.stateDir, 'simulcastd.db'), `.read ${script}`]);

const began = performance.now();
await daemon.launch();
show(`start with ${INPUTS} inputs`, performance.now() - began, LIMITS.start);

const encoder = await Publisher.start([live.publishUrl], { fps: FPS, gop: 60, kbps: 1000, audioKbps: 128 });
await until('frames everywhere', async () => (await sink.report()).video > LIVE * FPS, { timeout: 30_000 });

const show99 = (what, took) => {
  show(`${what}: p99 of ${took.length}`, percentile(took, 0.99), LIMITS[what]);
  console.log(`${' '.repeat(44)} p50 ${percentile(took, 0.5).toFixed(1)} ms`);
};
// The time until an answer is whole, by curl on one connection; a client that makes sense of it has its own to add.
const root = `${daemon.base}/client/v4/accounts/${daemon.account}/stream/live_inputs`;
const ask = async (urls) => {
  const file = join(tempDir('curl'), 'urls');
  const common = `header = "Authorization: Bearer ${daemon.token}"\nsilent\nfail\nwrite-out = "%{time_total}\\n"\n`;
  writeFileSync(file, common + urls.map((url) => `url = "${url}"\noutput = "/dev/null"\n`).join(''));
  return (await run('curl', ['-K', file])).output.trim().split('\n').map((seconds) => Number(seconds) * 1000);
};
await sink.reset();
show99('list', await ask(Array(CALLS).fill(root)));
show99('get', await ask(Array.from({ length: CALLS }, (_, i) => `${root}/1000${(i * 37 + 1).toString(16).padStart(28, '0')}`)));
const client = sdk(daemon);
const created = [];
for (let i = 0; i < CALLS; i++) {
  const from = performance.now();
  await client.stream.liveInputs.create({ account_id: daemon.account, meta: { name: 'new' } });
  created.push(performance.now() - from);
}
show99('create', created);
const faults = ['lost', 'out_of_order', 'steps_back', 'altered', 'shifted', 'ended'];
const wrong = (report) => faults.reduce((sum, fault) => sum + report[fault], 0);
show(`meanwhile: packets not as sent, of ${LIVE} outputs`, wrong(await sink.take()), 0, '');

const lua = join(tempDir('wrk'), 'calls.lua');
writeFileSync(
  lua,
  `wrk.headers["Authorization"] = "Bearer ${daemon.token}"
   local n = 0
   function delay() return 10 end
   function request()
     n = n + 1
     if n % 10 == 0 then return wrk.format("GET", "/healthz") end
     return wrk.format("GET", "/client/v4/accounts/${daemon.account}/stream/live_inputs/" .. string.format("1000%028x", n % ${INPUTS} + 1) .. (n % 3 == 0 and "/outputs" or ""))
   end
   function done(summary, latency)
     local e = summary.errors
     io.write(string.format('RESULT {"requests":%d,"errors":%d,"p99":%.3f,"seconds":%.3f}\\n', summary.requests,
       e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99) / 1000, summary.duration / 1e6))
   end`,
);
// Each connection waits 10 ms before it asks again: some 90 a second.
const load = async (seconds) => {
  const wrk = await run('wrk', ['-t1', `-c${Math.ceil(RATE / 90)}`, `-d${seconds}s`, '-s', lua, daemon.base]);
  return JSON.parse(/RESULT (.*)/.exec(wrk.output)[1]);
};
// By turns without and with requests, as encoder, destinations and wrk have the same cores as the relay: how long a frame
// takes at most is as much theirs.
const [quiet, loaded] = [[], []];
const sum = { requests: 0, seconds: 0, errors: 0, wrong: 0 };
for (let i = 0; i < WINDOWS; i++) {
  await sink.reset();
  await delay((SECONDS / WINDOWS) * 1000);
  quiet.push((await sink.take()).delay);
  const result = await load(SECONDS / WINDOWS);
  for (const name of ['requests', 'seconds', 'errors']) sum[name] += result[name];
  const report = await sink.take();
  loaded.push(report.delay);
  sum.wrong += wrong(report);
  const rate = (result.requests / result.seconds).toFixed(0);
  console.log(`wrk: ${rate} requests/s, p99 ${result.p99} ms; longest delay ${quiet[i].max} ms without, ${report.delay.max} ms under it`);
}
show('requests a second too few', Math.max(0, RATE - sum.requests / sum.seconds), 0, '');
show('requests that failed', sum.errors, 0, '');
show(`under wrk: packets not as sent, of ${LIVE} outputs`, sum.wrong, 0, '');
const median = (delays, name) => percentile(delays.map((each) => Number(each[name])), 0.5);
for (const name of ['p50', 'p99', 'max']) {
  const [without, under] = [median(quiet, name), median(loaded, name)];
  console.log(`delay of frames, ${name}: ${without.toFixed(2)} ms without requests, ${under.toFixed(2)} ms under them`);
  if (name === 'max') show('longest delay: what the requests add', under - without, LIMITS.late);
}

await encoder.stop();
await sink.stop();
await daemon.stop();
if (missed.length > 0) {
  console.log(`missed: ${missed.join(', ')}`);
  process.exit(1);
}
