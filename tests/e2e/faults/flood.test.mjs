// More connections than anybody can mean well by.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { Child } from '../lib/cleanup.mjs';
import { BINARY } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { exact, stage, watch } from '../lib/loaded.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { LiveInput } from '../lib/sdk.mjs';

const FLOOD = join(dirname(BINARY), 'tcp_flood');
const RATE = 10_000;
const SECONDS = 10;
const PER_ADDRESS = 256; // limits.strangers_per_address
const TOGETHER = 4096; // limits.strangers

faultLine('S1', '10,000 connection attempts a second for 10 s', {}, async (t, line) => {
  const scene = await stage(t, { good: 20, load: { kbps: 1000 } });
  const { daemon } = scene;
  const second = await LiveInput.create(daemon);
  const tags = await fixtureTags();
  await watch(scene, 5000);
  const calm = await watch(scene, 5000);
  const { descriptors } = daemon;

  const flood = new Child(FLOOD, [daemon.ports.rtmp, RATE, SECONDS].map(String));
  t.after(() => flood.stop('SIGKILL'));
  let most = 0;
  let encoder;
  let began;
  const storm = await watch(scene, SECONDS * 1000, () => {
    most = Math.max(most, daemon.descriptors);
    if (performance.now() - (began ??= performance.now()) < 3000 || encoder) return;
    const asked = performance.now();
    encoder = EndlessPublisher.start(second.publishTo, tags).then((one) => {
      one.vanish();
      return performance.now() - asked;
    });
    encoder.catch(() => {}); // told below
  });
  const { code } = await flood.exited;
  assert.equal(code, 0, flood.tail);
  const told = JSON.parse(flood.output);
  t.diagnostic(JSON.stringify({ ...told, storm, calm: calm.report.delay }));

  line.atLeast('connection attempts a second', told.attempts / told.seconds, 0.95 * RATE);
  line.atMost('of them not possible here', (100 * told.impossible) / told.attempts, 1, '%');
  // The others were reset before the daemon had come to them.
  const taken = ((told.closed + told.open) / told.seconds).toFixed(0);
  line.atLeast(`connections made a second (the daemon took ${taken})`, told.connected / told.seconds, 0.5 * RATE);
  line.atMost('connections left open, of the one address that made half of them', told.openOfOne, PER_ADDRESS);
  line.atMost('connections left open, altogether', told.open, TOGETHER);
  // Whoever has to go is told by a message to his thread, so some are counted that are on their way out.
  line.atMost('descriptors meanwhile', most - descriptors, 1.5 * TOGETHER);
  if (!daemon.sanitized) {
    line.atMost('memory meanwhile', Math.max(...storm.resident) - Math.max(...calm.resident), 64 * 1024, 'KiB');
  }
  line.atMost('an encoder is taken meanwhile after', await encoder, 5000, 'ms');
  exact(line, scene, storm);
  const late = Math.max(0, storm.report.delay.max - storm.queued);
  const what = `longest delay of a picture (p99 ${storm.report.delay.p99}) beyond the wait for a processor`;
  line.atMost(what, late, 250, 'ms');
});
