// A daemon with an encoder and many destinations, whose figures are the daemon's own: both are rtmp_load, one process
// each. Every byte, number and timestamp is looked at, and the delay is that from the encoder's write to the destination's
// read.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Publisher, Sink } from '../../bench/peers.mjs';
import { Daemon } from './daemon.mjs';
import { LiveInput } from './sdk.mjs';
import { until } from './until.mjs';

const FPS = 30;

/** Daemon, encoder, and `good` destinations that receive. `load` is that of rtmp_load. */
export async function stage(t, { good, load, daemonOptions }) {
  const daemon = await Daemon.start(t, { logLevel: 'info', outputsPerInput: 100, ...daemonOptions });
  const sink = await Sink.start({ fps: FPS });
  t.after(() => sink.stop());
  const input = await LiveInput.create(daemon);
  const url = `rtmp://127.0.0.1:${sink.port}/live`;
  for (let i = 0; i < good; i++) await input.addOutput({ url, streamKey: `good-${i}` });
  const publisher = await Publisher.start([input.publishUrl], { fps: FPS, gop: 60, audioKbps: 128, ...load });
  t.after(() => publisher.stop());
  await until('frames everywhere', async () => (await sink.report()).video > good * FPS, { timeout: 30_000 });
  return { daemon, sink, input, publisher, good };
}

/**
 * How long threads were ready and got no processor: look() gives the longest of any of them since the last look, in ms.
 * Those that are nicer than `mostNice` wait for the others on purpose.
 */
export class Queueing {
  #last = new Map();

  constructor(pid, mostNice = 19) {
    this.folder = `/proc/${pid}/task`;
    this.mostNice = mostNice;
  }

  look() {
    let longest = 0;
    for (const thread of readdirSync(this.folder)) {
      const nice = Number(readFileSync(`${this.folder}/${thread}/stat`, 'utf8').split(') ').at(-1).split(' ')[16]);
      if (nice > this.mostNice) continue;
      const waited = Number(readFileSync(`${this.folder}/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
      longest = Math.max(longest, waited - (this.#last.get(thread) ?? waited));
      this.#last.set(thread, waited);
    }
    return longest;
  }
}

/**
 * What `ms` bring: { report, elapsed, cpu, resident: [KiB, ...], queued }. `act` is called all the time. `queued`: the
 * longest that daemon and destinations waited for a processor between two calls, ms.
 */
export async function watch({ daemon, sink, publisher }, ms, act = () => {}) {
  await sink.reset();
  const queues = [daemon.pid, sink.child.pid].map((pid) => new Queueing(pid));
  let queued = 0;
  const began = performance.now();
  const cpu = daemon.cpuSeconds;
  const resident = [];
  for (let next = 0; performance.now() - began < ms; ) {
    publisher.check();
    if (performance.now() - began >= next) {
      resident.push(daemon.residentKiB);
      next += 1000;
    }
    await act();
    queued = Math.max(queued, queues.reduce((sum, queue) => sum + queue.look(), 0));
    await delay(100);
  }
  const elapsed = (performance.now() - began) / 1000;
  return { report: await sink.report(), elapsed, cpu: (daemon.cpuSeconds - cpu) / elapsed, resident, queued };
}

/** The good ones have got everything. */
export function exact(line, { good }, { report, elapsed }) {
  for (const what of ['lost', 'out_of_order', 'altered', 'shifted', 'steps_back']) {
    line.exactly(`frames ${what.replaceAll('_', ' ')} at the ${good} good ones`, report[what], 0);
  }
  line.exactly('connections of theirs that ended', report.ended, 0);
  const sent = good * FPS * elapsed;
  line.atLeast('pictures that arrived there, of those sent meanwhile', (100 * report.video) / sent, 99.5, '%');
}
