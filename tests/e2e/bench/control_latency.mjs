// How fast the API acts on a live broadcast: with a 10 s GOP and the input live, one output is switched off and on 50
// times. Prints the distribution of `enabled: true` -> first media byte at the destination and of `enabled: false` ->
// last byte, whether the destination was told properly, and whether the other outputs stayed exact. Exits 1 when a
// limit is missed.
//   node bench/control_latency.mjs [rounds]
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { compare } from '../lib/exactness.mjs';
import { ffmpegPublisher, fixture } from '../lib/publishers.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const ROUNDS = Number(process.argv[2] ?? 50);
const LIMITS = { 'on p50': 60, 'on p99': 200, 'off p99': 100 };

// Nearest rank: p99 of 50 values is the largest.
const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)];
function distribution(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    min: sorted[0],
    p50: percentile(sorted, 50),
    p90: percentile(sorted, 90),
    p99: percentile(sorted, 99),
    max: sorted.at(-1),
  };
}

const daemon = await Daemon.start(null, { logLevel: 'info' });
const sink = await RtmpSink.listen();
const input = await LiveInput.create(daemon);
for (const name of ['steady-1', 'steady-2', 'steady-3']) await input.addOutput(sink.url(name));
const { uid } = await input.addOutput(sink.url('switched'), { enabled: false });
const encoder = ffmpegPublisher(input.publishUrl, { source: await fixture({ gop: 300 }) });
const steady = await sink.session('steady-1');
await until('a second of pictures', () => steady.videoCount > 30);

// Times the call itself, too: from just before the request is sent.
async function wish(enabled) {
  const at = performance.now();
  const answer = await daemon.request('PUT', `/${input.uid}/outputs/${uid}`, { body: { enabled } });
  if (answer.status !== 200) throw new Error(answer.text);
  return at;
}

const on = [];
const off = [];
let told = 0;
let keyframes = 0;
for (let round = 0; round < ROUNDS; round++) {
  const enabledAt = await wish(true);
  const session = await sink.session('switched', round, { interval: 2 });
  await until('the first picture', () => session.firstVideo, { interval: 2 });
  on.push(session.firstMediaAt - enabledAt);
  keyframes += session.firstVideo.keyframe;
  await delay(150 + Math.random() * 350); // let it run for a while, so that switching meets all phases of a GOP
  const disabledAt = await wish(false);
  await until('the end of the session', () => session.closed, { interval: 2 });
  off.push(Math.max(0, session.lastMediaAt - disabledAt));
  told += session.fcUnpublish && session.deleteStream;
  await delay(Math.random() * 200);
}

await encoder.stop();
await until('the end of the others', () => sink.sessions.every((s) => s.closed));
const others = ['steady-1', 'steady-2', 'steady-3'].map((name) =>
  compare(encoder.published, sink.named(name)[0].media),
);
await daemon.stop();
await sink.close();

const figures = { on: distribution(on), off: distribution(off) };
const ms = (value) => value.toFixed(1).padStart(8);
console.log(`${ROUNDS} times off and on, GOP 10 s, loopback; milliseconds`);
console.log(`${''.padEnd(36)}${['min', 'p50', 'p90', 'p99', 'max'].map((h) => h.padStart(8)).join('')}`);
console.log(`enabled: true  -> first media byte  ${Object.values(figures.on).map(ms).join('')}`);
console.log(`enabled: false -> last media byte   ${Object.values(figures.off).map(ms).join('')}`);
const lines = [
  ...Object.entries(LIMITS).map(([what, limit]) => {
    const [way, p] = what.split(' ');
    return [what, figures[way][p] <= limit, `${figures[way][p].toFixed(1)} ms, limit ${limit} ms`];
  }),
  ['first picture a keyframe', keyframes === ROUNDS, `${keyframes} of ${ROUNDS}`],
  ['FCUnpublish and deleteStream', told === ROUNDS, `${told} of ${ROUNDS}`],
  ['other outputs exact', others.every((o) => o.ok), others.map((o) => o.report).join('; ')],
];
for (const [what, ok, figure] of lines) console.log(`${ok ? 'PASS' : 'FAIL'} ${what}: ${figure}`);
process.exitCode = lines.every(([, ok]) => ok) ? 0 : 1;
