// One run: a sink, a relay, a publisher, and a window over which CPU, bytes, delays and losses are taken.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, tempDir } from '../e2e/lib/cleanup.mjs';
import { until } from '../e2e/lib/until.mjs';
import { Publisher, Sink } from './peers.mjs';

const RESULTS = resolve(import.meta.dirname, '../../build/bench');
const START_TIMEOUT = 60_000; // 200 outputs to connect, and ffmpeg looks at its input for 5 s first

export function residentKiB(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

// In seconds. The scheduler's own account is exact but forgets threads that have ended; the other is in hundredths.
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const [user, system] = [Number(fields[11]) / 100, Number(fields[12]) / 100];
  let exact = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      exact += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
    } catch {
      /* it has just ended */
    }
  }
  return { exact, user, system };
}

export function cpuBetween(before, after) {
  const user = after.user - before.user;
  const system = after.system - before.system;
  const exact = after.exact - before.exact;
  // Far below the rough account: a thread has ended meanwhile and taken its time with it.
  const total = exact < 0.8 * (user + system) - 0.05 ? user + system : exact;
  return { total, user, system };
}

/** Raw results, a line of JSON each, for later. */
export function record(name, result) {
  mkdirSync(RESULTS, { recursive: true });
  appendFileSync(join(RESULTS, `${name}.jsonl`), `${JSON.stringify({ at: new Date().toISOString(), ...result })}\n`);
}

class Profile {
  constructor(pid, seconds) {
    this.file = join(tempDir('perf'), 'perf.data');
    const args = ['record', '-q', '-e', 'cpu-clock', '-g', '-o', this.file, '-p', String(pid)];
    this.child = new Child('perf', [...args, '--', 'sleep', String(seconds)]);
  }

  /** The shares of user space and kernel in the samples, in percent. */
  async shares() {
    await this.child.exited;
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28 };
    const args = ['report', '-i', this.file, '--stdio', '--no-children', '-g', 'none', '--sort', 'sym'];
    const shares = { user: 0, kernel: 0 };
    for (const [, percent, level] of execFileSync('perf', args, options).matchAll(/^\s*([\d.]+)%\s+\[(.)\]/gm)) {
      shares[level === 'k' ? 'kernel' : 'user'] += Number(percent);
    }
    return shares;
  }
}

/** Sink, relay and publisher up and every output receiving; `use` gets them, and all of it is ended afterwards. */
export async function withRelay(startRelay, { inputs = 1, outputs, load = {}, tls }, use) {
  const sink = await Sink.start({ tls: tls?.good });
  const running = [sink];
  try {
    const relay = await startRelay({ inputs, outputs, port: sink.port, rtmps: tls?.caFile });
    running.unshift(relay);
    const publisher = await Publisher.start(relay.publishUrls, load);
    running.unshift(publisher);
    const all = inputs * outputs;
    const alive = () => {
      relay.check();
      publisher.check();
    };
    await until(
      `${all} outputs to publish`,
      async () => {
        alive();
        const { publishing } = await sink.report();
        if (publishing >= all) return true;
        throw new Error(`there are ${publishing}`);
      },
      { timeout: START_TIMEOUT, interval: 100 },
    );
    await sink.reset();
    await until(
      `frames at ${all} outputs`,
      async () => {
        alive();
        return (await sink.report()).video >= all * 10;
      },
      { timeout: START_TIMEOUT, interval: 100 },
    );
    const result = await use({ sink, relay, publisher });
    const late = await running.shift().stop();
    return { ...result, publisher: late };
  } finally {
    for (const each of running) await each.stop();
  }
}

/** One run of a case; `scene` { inputs, outputs, load, tls }. */
export function measure(startRelay, scene, { seconds, settle = 2, profile = false }) {
  return withRelay(startRelay, scene, async ({ sink, relay }) => {
    await delay(settle * 1000);
    const opened = await sink.reset();
    const before = cpuOf(relay.pid);
    const began = performance.now();
    const profiler = profile ? new Profile(relay.pid, seconds) : undefined;
    await delay(seconds * 1000);
    const after = cpuOf(relay.pid);
    const report = await sink.report();
    const elapsed = (performance.now() - began) / 1000;
    const rss = residentKiB(relay.pid);
    const cpu = cpuBetween(before, after);
    const all = (scene.inputs ?? 1) * scene.outputs;
    const bytes = report.bytes - opened.bytes;
    return {
      perGB: cpu.total / (bytes / 1e9),
      cpu,
      bytes,
      elapsed,
      delay: report.delay,
      audioDelay: report.audio_delay,
      // Of the frames that were published in the meantime, how many came; below 1 means that it does not keep up.
      delivered: report.video / (all * (scene.load?.fps ?? 60) * elapsed),
      lost: report.lost,
      outOfOrder: report.out_of_order,
      stepsBack: report.steps_back,
      ended: report.ended,
      rss,
      sinkCpu: report.cpu,
      ...(profiler ? { profile: await profiler.shares() } : {}),
    };
  });
}
