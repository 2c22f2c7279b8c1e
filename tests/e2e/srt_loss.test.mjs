// A bad path on either side: SRT in and SRT out each lose, delay and reorder, and nothing of it arrives.
// SIMULCASTD_E2E_SECONDS: how long the encoder publishes (default 8).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePackets, fromFlv } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher, SrtSink } from './lib/srt_peers.mjs';
import { tsFixture } from './lib/ts_fixture.mjs';
import { UdpPath } from './lib/udp_path.mjs';
import { until } from './lib/until.mjs';

const SECONDS = Number(process.env.SIMULCASTD_E2E_SECONDS ?? 8);
// Ten round trips. Four are enough for the path, but not for a machine that is busy with other things beside it.
const LATENCY = 600;
const BAD = { loss: 0.03, delayMs: 30, jitterMs: 2, reorder: 0.02, duplicate: 0.005 };

test('3 % lost, 60 ms there and back, reordered, on both sides', async (t) => {
  // SRT says goodbye once, and the path may lose that too: the show then ends with the hold.
  const daemon = await Daemon.start(t, { srt: { latency: LATENCY }, hold: '1s' });
  const input = await LiveInput.create(daemon);
  const rtmp = await RtmpSink.listen({ bodies: true });
  t.after(() => rtmp.close());
  await input.addOutput(rtmp.url('show'));
  const sink = await SrtSink.listen({ latency: LATENCY });
  t.after(() => sink.stop());

  const there = await UdpPath.open({ to: { port: daemon.srtPort }, seed: 11, ...BAD });
  t.after(() => there.close());
  const back = await UdpPath.open({ to: { port: sink.port }, seed: 12, ...BAD });
  t.after(() => back.close());
  const { uid } = await input.addOutput({
    url: `srt://127.0.0.1:${back.port}?latency=${LATENCY}`,
    streamKey: '',
  });

  const bytes = await tsFixture({ seconds: SECONDS, kbps: 900 });
  const publisher = new SrtFilePublisher(bytes, {
    ...input.publishSrt,
    url: `srt://127.0.0.1:${there.port}`,
    latency: LATENCY,
  });
  t.after(() => publisher.vanish());
  await publisher.start();
  const { stats } = await until('retransmissions', async () => {
    const output = await input.output(uid);
    return output.stats.retransmits > 0 && output.stats.rttMs > 30 && output;
  });
  t.diagnostic(JSON.stringify(stats));
  await publisher.finished();
  const session = await rtmp.session('show');
  await until('the end of the broadcast at the sink', () => session.closed);
  await sink.finished();
  for (const [name, { forward }] of Object.entries({ in: there, out: back })) {
    t.diagnostic(`${name}: ${JSON.stringify(forward)}`);
    assert.ok(forward.lost > 5 && forward.reordered > 3, `the path ${name} was too good to prove anything`);
  }
  const atLeast = SECONDS * 24;
  const options = { what: 'RTMP behind the bad path', atLeast };
  t.diagnostic(assertUnits(publisher.published, fromFlv(session.messages), options).report);
  t.diagnostic(assertUnits(publisher.published, sink.units, { what: 'SRT by the bad path', atLeast }).report);
  const run = comparePackets(publisher.sent, sink.received);
  assert.ok(run.ok, run.report);
});
