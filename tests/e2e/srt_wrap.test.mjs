// Clocks that run over in mid-show: 33 bits of 90 kHz in TS, 32 bits of milliseconds in RTMP. No destination notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePackets, fromFlv } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { WRAP } from './lib/mpegts.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { RtmpPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher, SrtSink, decodeErrors } from './lib/srt_peers.mjs';
import { shiftTs, tsFixture } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const SECONDS = 6;
const BEFORE = 3; // seconds of the show before the clock runs over

test('both clocks, to RTMP and to SRT', async (t) => {
  const daemon = await Daemon.start(t, { srt: {} });
  const rtmp = await RtmpSink.listen({ bodies: true });
  t.after(() => rtmp.close());

  const show = async (name, publish) => {
    const input = await LiveInput.create(daemon);
    const sink = await SrtSink.listen();
    t.after(() => sink.stop());
    await input.addOutput(rtmp.url(name));
    await input.addOutput(sink.output);
    const { published, sent } = await publish(input);
    const session = await rtmp.session(name);
    await until('the end of the broadcast at the sink', () => session.closed);
    await sink.finished();
    const byRtmp = fromFlv(session.messages);
    for (const [kind, received] of [
      ['RTMP', byRtmp],
      ['SRT', sink.units],
    ]) {
      const what = `${name} to ${kind}`;
      const result = assertUnits(published, received, { what, atLeast: SECONDS * 24 });
      t.diagnostic(`${what}: ${result.report}`);
    }
    assert.ok(byRtmp.video[0].dts < 1000 * 90, "a destination's time starts near 0");
    if (sent) {
      const run = comparePackets(sent, sink.received);
      assert.ok(run.ok, run.report);
    } else {
      assert.equal(await decodeErrors(sink.file), '');
    }
  };

  await Promise.all([
    show('2^33-of-TS', async (input) => {
      const bytes = shiftTs(await tsFixture({ seconds: SECONDS }), WRAP - BEFORE * 90_000);
      const publisher = new SrtFilePublisher(bytes, input.publishSrt);
      t.after(() => publisher.vanish());
      await publisher.start();
      await publisher.finished();
      return publisher;
    }),
    show('2^32-of-RTMP', async (input) => {
      const tags = (await fixtureTags({ seconds: SECONDS, gop: 30 })).map((tag) => ({
        ...tag,
        timestamp: (tag.timestamp + 2 ** 32 - BEFORE * 1000) >>> 0,
      }));
      const publisher = await RtmpPublisher.connect(input.publishTo);
      await publisher.publish();
      await publisher.send(tags);
      await publisher.end();
      return { published: fromFlv(tags) };
    }),
  ]);
});
