// Servers that mean harm: an output of theirs costs little, is soon given up, and nobody else notices.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { goodScene } from '../lib/destinations.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { HOSTILE, HostileServer } from '../lib/hostile_server.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const EACH = 3; // outputs to each server where memory is measured
const TOGETHER = 4; // daemons at a time

async function serve(t, hostility) {
  const server = await HostileServer.listen(hostility);
  t.after(() => server.close());
  return server;
}

/** How long the relay stayed with each server, the longest connection; one that is still there counts until now. */
const longestStay = (server) =>
  Math.max(...server.connections.map(({ at, closedAt }) => (closedAt ?? performance.now()) - at));

/** What EACH outputs to such a server cost a daemon that does nothing else, in KiB an output. */
async function memoryFor(t, hostility) {
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const input = await LiveInput.create(daemon);
  const publisher = await EndlessPublisher.start({ ...input.publishTo, remember: false }, await fixtureTags());
  await input.untilConnected();
  await delay(3000); // a GOP and a half: the memory of a stream grows until there is one
  const before = daemon.residentKiB;
  const servers = [];
  for (let i = 0; i < EACH; i++) {
    servers.push(await serve(t, hostility));
    await input.addOutput(servers[i].output);
  }
  let most = 0;
  const began = performance.now();
  const over = () => servers.every(({ connections }) => connections.length > 0 && connections[0].closedAt);
  while (performance.now() - began < 12_000 && !over()) {
    most = Math.max(most, daemon.residentKiB - before);
    await delay(50);
  }
  most = Math.max(most, daemon.residentKiB - before);
  assert.ok(!daemon.log.includes('hostile-secret'));
  publisher.vanish();
  await daemon.stop();
  return most / EACH;
}

faultLine('D10', 'hostile servers', {}, async (t, line) => {
  const { daemon, input, finish } = await goodScene(t);
  const servers = [];
  for (const [name, hostility] of Object.entries(HOSTILE)) {
    const server = await serve(t, hostility);
    const { uid } = await input.addOutput(server.output);
    servers.push({ name, server, uid, stays: hostility.stays });
  }
  for (const { name, server } of servers) await until(`a call of ${name}`, () => server.connections.length > 0);
  // Time enough for the slowest to be given up, and for others to be called again.
  await until(
    'all to be given up',
    () => servers.every(({ server, stays }) => stays || server.connections.some(({ closedAt }) => closedAt)),
    { timeout: 30_000 },
  );
  for (const { name, server, stays } of servers) {
    assert.equal(server.error, undefined);
    if (!stays) line.atMost(`${name}: dropped after`, longestStay(server), 10_000, 'ms');
  }
  for (const { name, uid } of servers) {
    const { status } = await input.output(uid);
    assert.ok((status.message?.length ?? 0) < 1000, `${name}: the API is not flooded`);
  }
  assert.ok(!daemon.log.includes('\u001b'), 'nobody writes into the log');
  assert.ok(!daemon.log.includes('hostile-secret'), 'no key in the log');
  await finish(line);

  if (daemon.sanitized) return; // its memory says nothing; what it has to say it says by its exit code
  const rest = Object.entries(HOSTILE);
  const work = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) {
      const [name, hostility] = next;
      line.atMost(`${name}: memory`, await memoryFor(t, hostility), 1024, 'KiB');
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
});
