// One input to many SRT outputs, beside the floor and beside srt-live-transmit, in one run.
//   node bench/srt_fanout.mjs [outputs] [seconds] [rounds]           default 50 20 2
//
// The relay takes 4 Mbit/s by RTMP and sends it to `outputs` SRT destinations. The floor is one thread that hands the
// same bytes to as many connections with srt_sendmsg2 and does nothing else (tests/tools/srt_tool.cpp);
// srt-live-transmit is one process for each output, fed by UDP. One receiving process takes all connections of a case.
// Prints CPU seconds of the sending side per GB delivered, and its threads. Exits 1 if anything was lost.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, tempDir } from '../lib/cleanup.mjs';
import { Daemon, SRT_TOOL } from '../lib/daemon.mjs';
import { freePort } from '../lib/nginx_rtmp.mjs';
import { writeFlv } from '../lib/flv.mjs';
import { fixtureTags, inflated } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const OUTPUTS = Number(process.argv[2] ?? 50);
const SECONDS = Number(process.argv[3] ?? 20);
const ROUNDS = Number(process.argv[4] ?? 2);
const SHOW = 10; // seconds
const TAGS = inflated(await fixtureTags(), 3900); // with 96 kbit/s of sound 4 Mbit/s
const SETTLE = 4000; // ms, until all connections run

const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const threadsOf = (pid) => readdirSync(`/proc/${pid}/task`).length;

class Sink {
  static async start() {
    const sink = new Sink();
    sink.port = await freePort();
    sink.child = new Child(SRT_TOOL, ['sink', String(sink.port)], { stdio: ['pipe', 'pipe', 'pipe'] });
    sink.lines = createInterface({ input: sink.child.process.stdout })[Symbol.asyncIterator]();
    return sink;
  }
  async totals() {
    this.child.process.stdin.write('\n');
    return JSON.parse((await this.lines.next()).value);
  }
  async connected() {
    await until(`${OUTPUTS} connections`, async () => (await this.totals()).connections >= OUTPUTS, {
      timeout: 30_000,
    });
    await delay(SETTLE);
  }
  stop() {
    return this.child.stop('SIGKILL');
  }
}

// Measures over a steady window: `pids` is what the sending side consists of.
async function window(sink, pids) {
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const before = { cpu: cpu(), ...(await sink.totals()) };
  await delay(SECONDS * 1000);
  const after = { cpu: cpu(), ...(await sink.totals()) };
  const bytes = after.bytes - before.bytes;
  return {
    perGB: (after.cpu - before.cpu) / (bytes / 1e9),
    mbit: (bytes * 8) / SECONDS / 1e6,
    dropped: after.dropped,
    ended: after.ended,
    threads: pids.reduce((sum, pid) => sum + threadsOf(pid), 0),
  };
}

async function floor(file, bitrate) {
  const sink = await Sink.start();
  const args = ['floor', String(sink.port), String(OUTPUTS), file, String(SECONDS + SETTLE / 1000 + 10)];
  const sender = new Child(SRT_TOOL, args, { env: { ...process.env, SRT_TOOL_BITRATE: String(bitrate) } });
  await sink.connected();
  const result = await window(sink, [sender.pid]);
  await sender.stop('SIGKILL');
  await sink.stop();
  return result;
}

async function relay() {
  const sink = await Sink.start();
  const daemon = await Daemon.start(undefined, { logLevel: 'info' });
  const input = await LiveInput.create(daemon);
  for (let i = 0; i < OUTPUTS; i++) await input.addOutput({ url: `srt://127.0.0.1:${sink.port}`, streamKey: '' });
  const publisher = await EndlessPublisher.start(
    { port: daemon.ports.rtmp, key: input.key, chunkSize: 60_000, remember: false },
    TAGS,
  );
  await sink.connected();
  const result = await window(sink, [daemon.pid]);
  await publisher.stop();
  await daemon.stop();
  await sink.stop();
  return result;
}

async function liveTransmit(file, bitrate) {
  const sink = await Sink.start();
  const first = 21_000;
  const senders = [];
  for (let i = 0; i < OUTPUTS; i++) {
    senders.push(
      new Child('srt-live-transmit', ['-q', `udp://127.0.0.1:${first + i}`, `srt://127.0.0.1:${sink.port}`]),
    );
  }
  const args = ['udp', String(first), String(OUTPUTS), file, String(SECONDS + SETTLE / 1000 + 40)];
  const feeder = new Child(SRT_TOOL, args, { env: { ...process.env, SRT_TOOL_BITRATE: String(bitrate) } });
  await sink.connected();
  const result = await window(
    sink,
    senders.map(({ pid }) => pid),
  );
  await feeder.stop('SIGKILL');
  for (const sender of senders) await sender.stop('SIGKILL');
  await sink.stop();
  return result;
}

const folder = tempDir('srt-fanout');
const [flv, ts] = ['fixture.flv', 'fixture.ts'].map((name) => join(folder, name));
writeFileSync(flv, writeFlv(TAGS));
execFileSync('ffmpeg', ['-v', 'error', '-i', flv, '-c', 'copy', '-f', 'mpegts', '-muxdelay', '0', ts]);
const bitrate = Math.round((readFileSync(ts).length * 8) / SHOW);

const cases = { floor: () => floor(ts, bitrate), relay, 'srt-live-transmit': () => liveTransmit(ts, bitrate) };
const results = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const result = await run();
    results[name].push(result);
    console.error(`round ${round + 1}: ${name} ${JSON.stringify(result)}`);
  }
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const base = mean(results.floor.map(({ perGB }) => perGB));
console.log(`| ${OUTPUTS} SRT outputs of 4 Mbit/s | CPU-s/GB | to the floor | Mbit/s | threads | packets lost |`);
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [name, runs] of Object.entries(results)) {
  const perGB = mean(runs.map((run) => run.perGB));
  const lost = runs.reduce((sum, run) => sum + run.dropped, 0);
  console.log(
    `| ${name} | ${perGB.toFixed(2)} | ${(perGB / base).toFixed(2)} | ${mean(runs.map((run) => run.mbit)).toFixed(0)} ` +
      `| ${runs.at(-1).threads} | ${lost} |`,
  );
}
process.exit(results.relay.some(({ dropped, ended }) => dropped > 0 || ended > 0) ? 1 : 0);
