// Outputs to where they may not go, however the address is written, and names that lead there only sometimes.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { goodScene } from '../lib/destinations.mjs';
import { faultLine, isWanted } from '../lib/fault_line.mjs';
import { inOwnNetwork, rerunInOwnNetwork } from '../lib/own_network.mjs';
import { StubDns } from '../lib/stub_dns.mjs';
import { until } from '../lib/until.mjs';

// Whatever leads to 127.9.9.9, by any detour, arrives in this network.
const DENY = ['127.9.0.0/16', '::1/128', 'fd00:9::/32', '169.254.0.0/16', 'fe80::/10'];
const DETOURS = ['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32', '::ffff:0:0:0/96', '::/96', 'fd00:9::/32'];

if (isWanted('S7') && !inOwnNetwork) {
  rerunInOwnNetwork(import.meta.filename, {
    resolver: 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n',
    commands: DETOURS.map((network) => `ip -6 route add local ${network} dev lo`),
  });
}

// Hosts, in the way that they stand in a URL.
const LITERALS = [
  '127.9.9.9',
  '127.9.9.9.', // as a name
  '2131298569',
  '0x7f090909',
  '0X7F090909',
  '017702204411',
  '0x7f.0x9.0x9.0x9',
  '0177.011.011.011',
  '0x7f.9.011.9',
  '0000177.9.9.9',
  '127.9.2313',
  '127.592137',
  '0x7f.592137',
  '6426265865', // and 2^32
  '127.9.9.265',
  '[::ffff:127.9.9.9]',
  '[::FFFF:7F09:0909]',
  '[0:0:0:0:0:ffff:127.9.9.9]',
  '[0000:0000:0000:0000:0000:ffff:7f09:0909]',
  '[::ffff:0:127.9.9.9]',
  '[::127.9.9.9]',
  '[64:ff9b::127.9.9.9]',
  '[64:FF9B::7f09:909]',
  '[64:ff9b:1::127.9.9.9]',
  '[2002:7f09:909::1]',
  '[2001:0:102:304::80f6:f6f6]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[fd00:9::9]',
  '[fe80::1]',
  '[fe80::1%25lo]',
  '[fe80::1%lo]',
  '[::ffff:127.9.9.9%25lo]',
  '[v1.127.9.9.9]',
  '127%2e9%2e9%2e9',
  '%31%32%37.9.9.9',
  '\uff11\uff12\uff17.9.9.9',
  '127\u30029\u30029\u30029',
  '127.9.9.9%00.good.test',
  'good@127.9.9.9',
  'good:1935@127.9.9.9',
  '127.0.0.1%40@127.9.9.9',
  '127.0.0.1\\@127.9.9.9',
  '127.0.0.1#@127.9.9.9',
];
const NAMES = {
  'denied.test': { a: ['127.9.9.9'] },
  'DENIED.Test': { a: ['127.9.9.9'] },
  'denied.test.': { a: ['127.9.9.9'] },
  'mapped.test': { aaaa: ['::ffff:7f09:909'] },
  'nat64.test': { aaaa: ['64:ff9b::7f09:909'] },
  'six-to-four.test': { aaaa: ['2002:7f09:909::1'] },
  'six.test': { aaaa: ['fd00:9::9'] },
  'link-local.test': { aaaa: ['fe80::1'] },
  'both.test': { a: ['127.9.9.9', '127.9.9.10'], aaaa: ['::ffff:7f09:909', 'fd00:9::9'] },
  '127.9.9.9.test': { a: ['127.9.9.9'] },
};
const CAUSES = /may not go|host or port is malformed|must (begin|not contain)|The URL.s host|the URL has no|cannot be resolved/i;
const ROUNDS = 8;

/** Listens for TCP and UDP on one port of every address; whoever comes is counted. */
async function trap(t, options) {
  const one = { calls: [], bytes: 0 };
  const server = net.createServer((socket) => {
    one.calls.push(socket.localAddress);
    socket.on('data', (data) => (one.bytes += data.length)).on('error', () => {});
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(options, resolve));
  one.port = server.address().port;
  const udp = dgram.createSocket(options.host.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (data, { address }) => {
    one.calls.push(`udp ${address}`);
    one.bytes += data.length;
  });
  await new Promise((resolve) => udp.bind(one.port, options.host, resolve));
  t.after(() => {
    server.close();
    udp.close();
  });
  return one;
}

faultLine('S7', 'outputs to denied networks, in every spelling, and DNS that changes its mind', {}, async (t, line) => {
  const dns = await StubDns.listen();
  t.after(() => dns.close());
  const { input, sink, finish } = await goodScene(t, { daemonOptions: { deny: DENY, srt: {}, outputsPerInput: 300 } });
  const listener = await trap(t, { host: '::', port: 0 });
  for (const [name, records] of Object.entries(NAMES)) dns.set(name.toLowerCase().replace(/\.$/, ''), records);

  // The listener does stand there, at the end of each detour.
  const reached = async (host) =>
    new Promise((resolve) => {
      const socket = net.connect({ host, port: listener.port }, () => resolve(socket.destroy() && true));
      socket.on('error', () => resolve(false));
    });
  const doors = [
    '127.9.9.9', '::1', '::127.9.9.9',
    '64:ff9b::127.9.9.9', '64:ff9b:1::127.9.9.9', '2002:7f09:909::1', 'fd00:9::9',
  ];
  for (const host of doors) assert.ok(await reached(host), `${host} is reached`);
  await until('them to be seen', () => listener.calls.length === doors.length);
  listener.calls.length = 0;

  const spellings = [...LITERALS, ...Object.keys(NAMES)];
  const urls = spellings.flatMap((host) => [
    { url: `rtmp://${host}:${listener.port}/live`, streamKey: 'secret-key' },
    { url: `srt://${host}:${listener.port}`, streamKey: 'secret-key' },
  ]);
  urls.push(
    { url: `RTMPS://127.9.9.9:${listener.port}/live`, streamKey: 'x' },
    { url: `rtmp:127.9.9.9:${listener.port}/live`, streamKey: 'x' },
    { url: `rtmp:///127.9.9.9:${listener.port}/live`, streamKey: 'x' },
    { url: `srt://127.9.9.9:${listener.port}?mode=rendezvous`, streamKey: '' },
  );
  const refused = { 'by the API': 0, 'when it was to be called': 0 };
  const unexplained = [];
  const stored = [];
  for (const output of urls) {
    const answer = await input.addOutput(output).catch((error) => error);
    if (answer.uid) stored.push({ ...output, uid: answer.uid });
    else if (answer.status === 400 && CAUSES.test(answer.errors[0].message)) refused['by the API'] += 1;
    else unexplained.push(`${output.url}: ${answer.message}`);
  }
  for (const { url, uid } of stored) {
    const { status } = await input.untilOutput(uid, 'retrying', { timeout: 20_000 });
    if (CAUSES.test(status.message)) refused['when it was to be called'] += 1;
    else unexplained.push(`${url}: ${status.message}`);
    await input.disable(uid);
  }
  t.diagnostic(JSON.stringify({ ...refused, unexplained }));
  line.atLeast('spellings of a host', spellings.length, 40);
  const all = Object.values(refused).reduce((sum, count) => sum + count);
  line.exactly(`URLs refused (${refused['by the API']} by the API)`, all, urls.length);
  line.exactly('refused without a clear cause', unexplained.join('; '), '');
  line.exactly('calls at the listener', listener.calls.join(), '');
  line.exactly('bytes at the listener', listener.bytes, 0, 'bytes');

  // At the port of a good destination there is somebody at the denied address as well.
  const beside = await trap(t, { host: '127.9.9.9', port: sink.port });
  assert.equal(sink.host, '127.0.0.1');
  const to = (name) => input.addOutput({ url: `rtmp://${name}:${sink.port}/live`, streamKey: name });
  dns.set('mixed.test', { a: ['127.9.9.9', '127.0.0.1', '127.9.9.10'], aaaa: ['64:ff9b::7f09:909'] });
  await to('mixed.test');
  await sink.session('mixed.test');
  line.exactly('a name with good and denied addresses: calls at the denied ones', beside.calls.join(), '');

  // The first answer is good, the next one is not, and so on: what is connected to is what was looked at.
  let answers = 0;
  dns.set('turn.test', { a: () => [answers++ % 2 === 0 ? '127.0.0.1' : '127.9.9.9'] });
  const { uid } = await to('turn.test');
  let tries = 0;
  let good = 0;
  for (; tries < ROUNDS; tries++) {
    if (tries % 2 === 0) {
      await sink.session('turn.test', good++);
      await input.untilOutput(uid, 'live');
    } else {
      const { status } = await input.untilOutput(uid, 'retrying');
      assert.match(status.message, /may not go/);
    }
    await input.disable(uid);
    await input.untilOutput(uid, 'disabled');
    if (tries + 1 < ROUNDS) await input.enable(uid);
  }
  line.exactly(`questions in ${ROUNDS} tries`, answers, ROUNDS);
  line.exactly('connections to the address that was checked', sink.named('turn.test').length, ROUNDS / 2);
  line.exactly('calls at the denied address', beside.calls.join(), '');
  await finish(line);
});
