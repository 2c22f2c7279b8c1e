// SRT destinations behind a bad path: what the latency allows is repaired, and what it does not is lost whole.
import assert from 'node:assert/strict';
import { comparePackets } from '../lib/access_units.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { PACKET, SYNC, parseTs, pidOf, splitPackets } from '../lib/mpegts.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { SrtFilePublisher, SrtSink } from '../lib/srt_peers.mjs';
import { tsFixture } from '../lib/ts_fixture.mjs';
import { UdpPath } from '../lib/udp_path.mjs';

const SECONDS = 20;
const RTT = 100;
const PATH = { delayMs: RTT / 2, jitterMs: 2, reorder: 0.02, duplicate: 0.01 };

/** What of `sent` is missing in `received`, in packets, and how many received ones are not of it or out of order. */
function missing(sent, received) {
  const tables = [0, parseTs(sent).pmtPid];
  const want = Array.from(splitPackets(sent), (packet) => packet.toString('latin1'));
  const all = Array.from(splitPackets(received));
  const lead = all.findIndex((packet) => !tables.includes(pidOf(packet))); // tables that a destination is sent off with
  const result = { gone: 0, strange: 0 };
  let at;
  for (const packet of all.slice(lead)) {
    const found = want.indexOf(packet.toString('latin1'), at ?? 0);
    if (found < 0) {
      result.strange += 1;
      continue;
    }
    if (at !== undefined) result.gone += found - at;
    at = found + 1;
  }
  return { ...result, tail: want.length - at };
}

faultLine('D6', 'SRT over 100 ms there and back with loss, reordering and duplicates', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { srt: { latency: 120 }, hold: '1s', logLevel: 'info' });
  const input = await LiveInput.create(daemon);
  const cases = [
    { name: '2 % lost, latency of 4 RTT', loss: 0.02, latency: 4 * RTT, exact: true },
    { name: '5 % lost, latency of 4 RTT', loss: 0.05, latency: 4 * RTT, exact: true },
    { name: '5 % lost, latency of 1.1 RTT', loss: 0.05, latency: RTT + 10, exact: false },
  ];
  for (const [i, one] of cases.entries()) {
    one.sink = await SrtSink.listen({ latency: one.latency });
    one.path = await UdpPath.open({ to: { port: one.sink.port }, seed: 20 + i, ...PATH, loss: one.loss });
    t.after(async () => {
      await one.sink.stop();
      await one.path.close();
    });
    const url = `srt://127.0.0.1:${one.path.port}?latency=${one.latency}`;
    one.uid = (await input.addOutput({ url, streamKey: '' })).uid;
  }
  const bytes = await tsFixture({ seconds: SECONDS, kbps: 900 });
  const publisher = new SrtFilePublisher(bytes, { ...input.publishSrt, latency: 120 });
  t.after(() => publisher.vanish());
  await publisher.start();
  for (const { uid } of cases) await input.untilOutput(uid, 'live');
  await publisher.done;
  for (const one of cases) one.stats = (await input.output(one.uid)).stats;
  await publisher.finished();

  for (const { name, path, sink, stats, exact } of cases) {
    const received = await sink.finished({ timeout: 20_000 });
    const { forward } = path;
    t.diagnostic(`${name}: ${JSON.stringify(forward)} ${JSON.stringify(stats)}`);
    assert.ok(forward.lost > 20 && forward.reordered > 10 && forward.doubled > 5, 'the path was bad enough');
    line.atLeast(`${name}: round trip in the API`, stats.rttMs, RTT - 1, 'ms');
    line.atLeast(`${name}: lost packets in the API, of ${forward.lost} that the path lost`, stats.packetsLost, 1);
    if (exact) {
      const run = comparePackets(publisher.sent, received);
      line.exactly(`${name}: everything arrived as it was sent`, run.ok ? 'yes' : run.report, 'yes');
      continue;
    }
    const { gone, strange, tail } = missing(publisher.sent, received);
    line.atLeast(`${name}: TS packets missing`, gone, 7);
    line.exactly(`${name}: bytes beyond whole TS packets`, received.length % PACKET, 0);
    const torn = Array.from(splitPackets(received)).filter((packet) => packet[0] !== SYNC).length;
    line.exactly(`${name}: TS packets torn, altered, doubled or out of order`, strange + torn, 0);
    line.exactly(`${name}: missing packets that are no whole datagram of seven`, gone % 7, 0);
    const told = stats.packetsLost + stats.packetsDropped;
    line.atLeast(`${name}: datagrams lost as the API says, of ${gone / 7} missing`, told, gone / 7);
    line.atMost(`${name}: TS packets missing at the end`, tail, 7 * 20);
  }
});
