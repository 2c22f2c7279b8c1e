// How fast an SRT output of a live broadcast begins: with a 10 s GOP, one SRT and one RTMP output are switched on and
// off in turn. Prints the distribution of `enabled: true` -> first media byte at each destination, with the latencies
// of SRT at 0 so that only the handshake and the way count. Exits 1 when SRT needs more than the limits of RTMP plus a
// round trip of handshake, which on loopback is put at 10 ms.
//   node bench/srt_enable.mjs [rounds]
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../lib/cleanup.mjs';
import { Daemon, SRT_TOOL } from '../lib/daemon.mjs';
import { ffmpegPublisher, fixture } from '../lib/publishers.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { freeUdpPort } from '../lib/srt_peers.mjs';
import { until } from '../lib/until.mjs';

const ROUNDS = Number(process.argv[2] ?? 50);
const LIMITS = { p50: 60 + 10, p99: 200 + 10 }; // ms

const port = await freeUdpPort();
const srt = new Child(SRT_TOOL, ['sink', String(port)], {
  stdio: ['pipe', 'pipe', 'pipe'],
  env: { ...process.env, SRT_TOOL_LATENCY: '0' },
});
const lines = createInterface({ input: srt.process.stdout })[Symbol.asyncIterator]();
const received = async () => {
  srt.process.stdin.write('\n');
  return JSON.parse((await lines.next()).value).bytes;
};

const daemon = await Daemon.start(null, { logLevel: 'info' });
const sink = await RtmpSink.listen();
const input = await LiveInput.create(daemon);
await input.addOutput(sink.url('steady'));
const outputs = {
  RTMP: await input.addOutput(sink.url('switched'), { enabled: false }),
  SRT: await input.addOutput({ url: `srt://127.0.0.1:${port}?latency=0`, streamKey: '' }, { enabled: false }),
};
const encoder = ffmpegPublisher(input.publishUrl, { source: await fixture({ gop: 300 }) });
const steady = await sink.session('steady');
await until('a second of pictures', () => steady.videoCount > 30);

async function wish(uid, enabled) {
  const at = performance.now();
  const answer = await daemon.request('PUT', `/${input.uid}/outputs/${uid}`, { body: { enabled } });
  if (answer.status !== 200) throw new Error(answer.text);
  return at;
}

const times = { RTMP: [], SRT: [] };
for (let round = 0; round < ROUNDS; round++) {
  const before = await received();
  const srtAt = await wish(outputs.SRT.uid, true);
  await until('the first byte by SRT', async () => (await received()) > before, { interval: 1 });
  times.SRT.push(performance.now() - srtAt);
  await delay(100 + Math.random() * 300);
  await wish(outputs.SRT.uid, false);

  const rtmpAt = await wish(outputs.RTMP.uid, true);
  const session = await sink.session('switched', round, { interval: 1 });
  await until('the first picture by RTMP', () => session.firstVideo, { interval: 1 });
  times.RTMP.push(session.firstMediaAt - rtmpAt);
  await delay(100 + Math.random() * 300);
  await wish(outputs.RTMP.uid, false);
  for (const { uid } of Object.values(outputs)) await input.untilOutput(uid, 'disabled');
}
await encoder.stop();
await daemon.stop();
await sink.close();
await srt.stop('SIGKILL');

const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)];
let good = true;
for (const [name, values] of Object.entries(times)) {
  const sorted = values.toSorted((a, b) => a - b);
  const [p50, p99] = [percentile(sorted, 50), percentile(sorted, 99)];
  console.log(`${name}: enabled -> first media byte, ${ROUNDS} times: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`);
  if (name === 'SRT') good = p50 <= LIMITS.p50 && p99 <= LIMITS.p99;
}
process.exit(good ? 0 : 1);
