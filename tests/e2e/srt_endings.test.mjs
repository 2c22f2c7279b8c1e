// How a show by SRT ends, and with which picture: SRT tells nothing of where it was cut off.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fromFlv } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { VIDEO } from './lib/flv.mjs';
import { PACKET, parseTs } from './lib/mpegts.mjs';
import { NginxRtmp } from './lib/nginx_rtmp.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher, decodeErrors } from './lib/srt_peers.mjs';
import { tsFixture } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const SECONDS = 3;
const GROUP = 7; // packets of a datagram
let nginx;

before(async () => {
  nginx = await NginxRtmp.start();
});
after(() => nginx.stop());

/** Where in the bytes a datagram ends within one of the last pictures, and how many pictures are whole before that. */
function cutInAPicture(bytes) {
  const ts = parseTs(bytes);
  const pictures = ts.pes(ts.stream('h264').pid);
  for (let last = pictures.length - 2; last > 0; last--) {
    const [begin, end] = [pictures[last].index, pictures[last + 1].index];
    const cut = (Math.floor(begin / GROUP) + 1) * GROUP;
    if (cut < begin + Math.ceil(pictures[last].data.length / PACKET) && cut < end) return { cut: cut * PACKET, whole: last };
  }
  throw new Error('no picture is larger than a datagram');
}

test('an encoder that leaves with datagrams unsent: recorded up to the picture before', async (t) => {
  const daemon = await Daemon.start(t, { srt: {} });
  const input = await LiveInput.create(daemon);
  await input.addOutput(nginx.output('torn'));
  const bytes = await tsFixture({ seconds: SECONDS, gop: 30 });
  const { cut, whole } = cutInAPicture(bytes);
  const publisher = new SrtFilePublisher(bytes.subarray(0, cut), { ...input.publishSrt, padding: false });
  await publisher.start();
  await publisher.finished();
  const recorded = await nginx.finished('torn');
  assert.equal(recorded.filter(({ type, body }) => type === VIDEO && body[1] === 1).length, whole);
  assert.equal(await decodeErrors(nginx.file('torn')), '');
});

// The hold ends before anything is filled in, and long after.
for (const hold of ['1s', '4s']) {
  test(`the goodbye is lost on the way, hold ${hold}: everything that came goes out`, async (t) => {
    const daemon = await Daemon.start(t, { srt: {}, hold });
    const sink = await RtmpSink.listen({ bodies: true });
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon);
    await input.addOutput(sink.url('show'));
    const publisher = new SrtFilePublisher(await tsFixture({ seconds: SECONDS, gop: 30 }), input.publishSrt);
    await publisher.start();
    await publisher.delivered();
    await publisher.vanish();
    const session = await sink.session('show');
    await until('the end of the broadcast at the sink', () => session.closed);
    assert.equal((await input.get()).status.current.reason, 'ttl_exceeded');
    // What filled the hold comes behind.
    const { published } = publisher;
    const received = fromFlv(session.messages);
    for (const kind of ['video', 'audio']) received[kind] = received[kind].slice(0, published[kind].length);
    t.diagnostic(assertUnits(published, received, { atLeast: SECONDS * 24 }).report);
  });
}
