// A PES of pictures has no length: only what comes behind it shows where it ends. The last one of a show counts, too, also
// when it fills its packets to the last byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromFlv } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { parseTs } from './lib/mpegts.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher } from './lib/srt_peers.mjs';
import { tsFixture, withLastPictureFilled } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const hasStuffing = ({ bytes }) => (bytes[3] & 0x20) !== 0;

/** The packets of the last picture. */
function lastPicture(bytes) {
  const ts = parseTs(bytes);
  const { pid } = ts.stream('h264');
  const { index } = ts.pes(pid).at(-1);
  return ts.packetsOf(pid).filter((packet) => packet.index >= index);
}

test('the last picture is whole though it fills its packets', async (t) => {
  const plain = await tsFixture({ seconds: 3 });
  const filled = withLastPictureFilled(plain);
  assert.deepEqual(parseTs(filled).errors, []);
  assert.ok(hasStuffing(lastPicture(plain).at(-1)) && !hasStuffing(lastPicture(filled).at(-1)));

  const daemon = await Daemon.start(t, { srt: {} });
  const sink = await RtmpSink.listen({ bodies: true });
  t.after(() => sink.close());
  await Promise.all(
    Object.entries({ plain, filled }).map(async ([name, bytes]) => {
      const input = await LiveInput.create(daemon);
      await input.addOutput(sink.url(name));
      const publisher = new SrtFilePublisher(bytes, input.publishSrt);
      t.after(() => publisher.vanish());
      await publisher.start();
      await publisher.finished();
      const session = await sink.session(name);
      await until('the end of the broadcast at the sink', () => session.closed);
      const result = assertUnits(publisher.published, fromFlv(session.messages), { what: name, atLeast: 90 });
      t.diagnostic(`${name}: ${result.report}`);
    }),
  );
});
