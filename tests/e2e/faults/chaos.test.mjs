// Many destinations, and many of them bad, for minutes: the good ones are exact and in time, and the daemon neither grows
// nor gets busy over it. SIMULCASTD_FAULTS_MINUTES: how long, in place of what the lines ask for.
import assert from 'node:assert/strict';
import { Sink } from '../../bench/peers.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { FaultProxy } from '../lib/fault_proxy.mjs';
import { HOSTILE, HostileServer } from '../lib/hostile_server.mjs';
import { exact, stage, watch } from '../lib/loaded.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { seededRandom } from '../lib/udp_path.mjs';
import { until } from '../lib/until.mjs';

const BASELINE_S = 30;
const minutes = (asked) => Number(process.env.SIMULCASTD_FAULTS_MINUTES ?? asked);

faultLine('D4', '50 of 100 destinations stall, flap and refuse at random for 10 min', {}, async (t, line) => {
  const load = { kbps: 1000 };
  const queue = { seconds: 10, bytes: 2 << 20 };
  const scene = await stage(t, { good: 50, load, daemonOptions: { queue: { seconds: '10', bytes: '2MiB' } } });
  const { daemon, input } = scene;
  const behind = await Sink.start();
  t.after(() => behind.stop());
  const proxies = [];
  for (let i = 0; i < 50; i++) {
    const proxy = await FaultProxy.open({ to: behind.port });
    t.after(() => proxy.close());
    proxies.push(proxy);
    await input.addOutput({ url: `rtmp://127.0.0.1:${proxy.port}/live`, streamKey: `bad-${i}` });
  }
  await until('all to be there', async () => (await behind.report()).publishing === 50, { timeout: 30_000 });
  await watch(scene, 5000);
  const calm = await watch(scene, BASELINE_S * 1000);

  const random = seededRandom(4);
  const between = (least, most) => least + random() * (most - least);
  const faults = { stall: 0, swallow: 0, slow: 0, reset: 0, cut: 0, refuse: 0 };
  const hurtUntil = new Map(); // proxy -> when its fault is over
  const strike = async (proxy) => {
    const kind = Object.keys(faults)[Math.floor(random() * 6)];
    faults[kind] += 1;
    if (kind === 'stall' || kind === 'swallow') proxy.set({ mode: kind });
    else if (kind === 'slow') proxy.set({ bitrate: between(100_000, 900_000) });
    else if (kind === 'refuse') {
      await proxy.refuse();
      proxy.reset();
    } else proxy[kind]();
    hurtUntil.set(proxy, performance.now() + between(1000, kind === 'stall' ? 25_000 : 8000));
  };
  const storm = await watch(scene, minutes(10) * 60_000, async () => {
    for (const proxy of proxies) {
      if ((hurtUntil.get(proxy) ?? 0) > performance.now()) continue;
      if (hurtUntil.has(proxy)) {
        hurtUntil.delete(proxy);
        proxy.set({ mode: 'pass', bitrate: 0 });
        await proxy.accept();
      }
      if (random() < 0.05) await strike(proxy);
    }
  });
  t.diagnostic(`faults: ${JSON.stringify(faults)}; baseline ${JSON.stringify(calm.report.delay)}`);
  assert.ok(Object.values(faults).every((count) => count > 5), 'each fault came to pass');

  exact(line, scene, storm);
  const cap = Math.min(queue.bytes, ((load.kbps + 128) * 1000 * queue.seconds) / 8) / 1024;
  const grown = Math.max(...storm.resident) - Math.max(...calm.resident);
  if (!daemon.sanitized) line.atMost('memory beyond the baseline', grown, 50 * cap, 'KiB');
  line.atMost('CPU against the baseline', storm.cpu / calm.cpu, 2, 'times');
  // A pause of the event loop holds up every good one, so it was not longer than their longest delay; apart from the
  // time for which the machine had no processor for it.
  const { p99, max } = storm.report.delay;
  const what = `longest delay at a good one, ${max} ms, beyond the longest wait for a processor, ${storm.queued.toFixed(1)}`;
  line.atMost(`${what} (p99 ${p99}, before ${calm.report.delay.p99})`, Math.max(0, max - storm.queued), 50, 'ms');

  // What was hurt recovers.
  for (const proxy of proxies) {
    proxy.set({ mode: 'pass', bitrate: 0 });
    await proxy.accept();
  }
  await until('all to be back', async () => (await behind.report()).publishing >= 50, { timeout: 120_000, interval: 500 });
});

faultLine('D11', 'not in the matrix: stalled, refusing, flapping, hostile ones beside 20 good, 5 min', {}, async (t, line) => {
  const queue = { seconds: '5', bytes: '4MiB' };
  const scene = await stage(t, { good: 20, load: { kbps: 3000 }, daemonOptions: { queue } });
  const { daemon, input } = scene;
  await watch(scene, 5000);
  const calm = await watch(scene, BASELINE_S * 1000);

  const rude = await RtmpSink.listen({
    decide: ({ name }) => (name === 'deaf' ? 'stall' : name === 'wrong' ? { refuse: 'no such key' } : 'accept'),
  });
  t.after(() => rude.close());
  const flap = await FaultProxy.open({ to: rude.port });
  const closed = await FaultProxy.open({ to: rude.port });
  t.after(() => Promise.all([flap.close(), closed.close()]));
  await closed.refuse();
  const to = (port, streamKey) => input.addOutput({ url: `rtmp://127.0.0.1:${port}/live`, streamKey });
  await to(rude.port, 'deaf');
  await to(rude.port, 'wrong');
  await to(flap.port, 'flapping');
  await to(closed.port, 'closed');
  const hostile = [];
  for (const name of ['garbage behind the consent', 'questions without end, and no ear', 'endless handshake']) {
    const server = await HostileServer.listen(HOSTILE[name]);
    t.after(() => server.close());
    hostile.push(server);
    await input.addOutput(server.output);
  }
  let flapped = 0;
  let nextFlap = performance.now() + 2000;
  const storm = await watch(scene, minutes(5) * 60_000, () => {
    if (performance.now() < nextFlap) return;
    nextFlap += 2000;
    if (flap.connections.length === 0) return;
    flapped += 1;
    if (flapped % 2) flap.reset();
    else flap.cut();
    // What a sink of ours remembers is not to grow for minutes either.
    rude.sessions = rude.sessions.filter(({ closed: over }) => !over);
    rude.connections = rude.connections.filter(({ closed: over }) => !over);
  });
  t.diagnostic(`flapped ${flapped} times; hostile calls ${hostile.map(({ connections }) => connections.length)}`);
  assert.ok(flapped > 10 && hostile.every(({ connections }) => connections.length > 1), 'the bad ones were bad');

  exact(line, scene, storm);
  line.atMost(`added delay of pictures, p99 (${calm.report.delay.p99} before)`, storm.report.delay.p99, 10, 'ms');
  if (daemon.sanitized) return;
  const fifth = Math.floor(storm.resident.length / 5);
  const early = Math.max(...storm.resident.slice(fifth, 2 * fifth));
  const late = Math.max(...storm.resident.slice(-fifth));
  line.atMost(`growth from the second fifth (${early} KiB) to the last`, (100 * (late - early)) / early, 2, '%');
  line.atMost('memory beyond the time without bad ones', late - Math.max(...calm.resident), 7 * 4096, 'KiB');
});
