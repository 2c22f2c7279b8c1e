// Names that nobody answers for, late answers, addresses that change, and those that lead nowhere.
import assert from 'node:assert/strict';
import { delaysOf, goodScene, percentile } from '../lib/destinations.mjs';
import { faultLine, isWanted } from '../lib/fault_line.mjs';
import { inOwnNetwork, rerunInOwnNetwork } from '../lib/own_network.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { StubDns } from '../lib/stub_dns.mjs';
import { until } from '../lib/until.mjs';

const DEAD_NAMES = 12;

if ((isWanted('D9') || isWanted('S15')) && !inOwnNetwork) {
  rerunInOwnNetwork(import.meta.filename, {
    // One question, and patience enough for an answer after ten seconds.
    resolver: 'nameserver 127.0.0.1\noptions timeout:14 attempts:1\n',
    // A cable to nobody, with a host on it that is known and never answers. To other networks there is no route at all.
    commands: [
      'ip link add cable type veth peer name end',
      'ip link set cable up',
      'ip link set end up',
      'ip address add 2001:db8:1::1/64 dev cable nodad',
      'ip neighbour add 2001:db8:1::9 lladdr 02:00:00:00:00:99 dev cable nud permanent',
    ],
  });
}

faultLine('D9', 'names: dead, 10 s late, a changed address, addresses without a route', {}, async (t, line) => {
  const dns = await StubDns.listen();
  t.after(() => dns.close());
  const { daemon, input, sink, publisher, sessions, finish } = await goodScene(t);
  const add = async (name, records, port = sink.port) => {
    dns.set(`${name}.test`, records);
    const began = performance.now();
    const { uid } = await input.addOutput({ url: `rtmp://${name}.test:${port}/live`, streamKey: name });
    return { name, uid, began };
  };
  const connectedAfter = async ({ name, began }, where = sink) =>
    (await where.session(name, 0, { timeout: 30_000 })).publishedAt - began;

  const since = performance.now();
  // A dozen names that nobody answers for, and beside them one that is known.
  const dead = [];
  for (let i = 0; i < DEAD_NAMES; i++) dead.push(await add(`dead-${i}`, { dead: true }));
  const known = await connectedAfter(await add('known', { a: ['127.0.0.1'] }));
  line.atMost(`a good name beside ${DEAD_NAMES} dead ones: connected after`, known, 1000, 'ms');
  const slow = await add('slow', { a: ['127.0.0.1'], delayMs: 10_000 });

  // A family that leads nowhere beside the one that does.
  const detours = {
    'IPv6 without a route': { a: ['127.0.0.1'], aaaa: ['2001:db8:2::1'] },
    'IPv6 that nobody answers': { a: ['127.0.0.1'], aaaa: ['2001:db8:1::9'] },
  };
  for (const [i, [what, records]] of Object.entries(detours).entries()) {
    line.atMost(`${what}: connected after`, await connectedAfter(await add(`detour-${i}`, records)), 1000, 'ms');
  }

  // A name that moves: the first house closes, the next one has the same port.
  const first = await RtmpSink.listen({ host: '127.0.0.2' });
  const moved = await add('moving', { a: ['127.0.0.2'] }, first.port);
  await connectedAfter(moved, first);
  const next = await RtmpSink.listen({ host: '127.0.0.3', port: first.port });
  t.after(() => next.close());
  const asked = dns.asked('moving.test');
  await first.close();
  const tried = await until(
    'three tries in vain',
    async () => {
      const { status } = await input.output(moved.uid);
      return status.state === 'retrying' && status.attempt >= 4 && status;
    },
    { timeout: 30_000 },
  );
  // The first of these attempts is the connection that was lost.
  line.exactly(`questions in ${tried.attempt - 1} tries`, dns.asked('moving.test') - asked, tried.attempt - 1);
  dns.set('moving.test', { a: ['127.0.0.3'] });
  const told = performance.now();
  const session = await next.session('moving', 0, { timeout: 30_000 });
  line.atMost('changed address: connected after', session.publishedAt - told, 5000, 'ms');

  line.atMost('answer after 10 s: connected after', await connectedAfter(slow), 12_000, 'ms');
  const words = await input.untilOutput(dead[0].uid, 'retrying', { timeout: 30_000 });
  line.exactly('dead: the cause is named', /name cannot be resolved/.test(words.status.message), true);

  // While all that went on, nobody waited.
  const late = sessions.flatMap((one) => delaysOf(publisher.published, one, { since }));
  line.atMost('added delay of pictures at the good ones, p99', percentile(late, 0.99), 10, 'ms');
  line.atMost('the longest of them', Math.max(...late), 50, 'ms');
  await finish(line);

  // A lookup under way is no reason to stay.
  const waiting = ({ name, at }) => name.startsWith('dead') && performance.now() - at < 5000;
  await until('lookups under way', () => dns.queries.some(waiting), { timeout: 20_000 });
  const { ms } = await daemon.stop();
  line.atMost(`stop with lookups under way`, ms, 2000, 'ms');
});

faultLine('S15', 'look-ups that are given up, and names that are all dead', {}, async (t, line) => {
  const dns = await StubDns.listen();
  t.after(() => dns.close());
  const { daemon, input, sink, finish } = await goodScene(t);
  dns.set('known.test', { a: ['127.0.0.1'] });
  const known = await input.addOutput({ url: `rtmp://known.test:${sink.port}/live`, streamKey: 'known' });
  await sink.session('known');
  let connections = 1;
  /** Cuts the innocent one's connection: how long until it is back. */
  const back = async () => {
    sink.named('known').at(-1).reset();
    const began = performance.now();
    const session = await sink.session('known', connections, { timeout: 200_000 });
    connections += 1;
    return session.publishedAt - began;
  };

  // One output, edited to a dead name three hundred times and then removed.
  const EDITS = 300;
  for (let i = 0; i < EDITS; i++) dns.set(`edited-${i}.test`, { dead: true });
  const edited = await input.addOutput({ url: `rtmp://edited-0.test:${sink.port}/live`, streamKey: 'edited' });
  for (let i = 1; i < EDITS; i++) await input.update(edited.uid, { url: `rtmp://edited-${i}.test:${sink.port}/live` });
  await input.remove(edited.uid);
  line.atMost(`${EDITS} look-ups given up: an innocent output is back after`, await back(), 5000, 'ms');

  // Forty outputs to forty dead names, of another input, which is live as well.
  const other = await LiveInput.create(daemon);
  const encoder = await EndlessPublisher.start({ ...other.publishTo, remember: false }, await fixtureTags());
  t.after(() => encoder.vanish());
  for (let i = 0; i < 40; i++) {
    dns.set(`dead-${i}.test`, { dead: true });
    await other.addOutput({ url: `rtmp://dead-${i}.test:${sink.port}/live`, streamKey: `dead-${i}` });
  }
  await until('all dead names to be asked for', () => new Set(dns.queries.map(({ name }) => name).filter((name) => name.startsWith('dead-'))).size === 40, { timeout: 30_000 });
  line.atMost('40 dead names: an innocent output is back after', await back(), 5000, 'ms');
  dns.set('fresh.test', { a: ['127.0.0.1'] });
  const began = performance.now();
  await input.addOutput({ url: `rtmp://fresh.test:${sink.port}/live`, streamKey: 'fresh' });
  const fresh = await sink.session('fresh', 0, { timeout: 60_000 });
  line.atMost('and one whose name was never asked for is there after', fresh.publishedAt - began, 5000, 'ms');

  // Its own name server falls silent.
  dns.set('known.test', { dead: true });
  line.atMost('its name server is silent: back, by its last address, after', await back(), 5000, 'ms');
  line.exactly('it is live', (await input.untilOutput(known.uid, 'live')).status.state, 'live');
  await finish(line);
});
