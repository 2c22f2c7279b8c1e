// Outputs that lead back to where their stream came from.
import assert from 'node:assert/strict';
import { assertSinkExact } from '../lib/assertions.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { encodedUrl } from '../lib/srt_peers.mjs';
import { until } from '../lib/until.mjs';

/** A live input as a destination. */
const leadingTo = {
  RTMP: (input) => ({ url: input.daemon.ingestUrl, streamKey: input.key }),
  SRT: ({ publishSrt: { url, ...parameters } }) => ({ url: encodedUrl(url, parameters), streamKey: '' }),
};
const told = (daemon) => daemon.log.match(/publisher refused .*cause="this is the live input's own stream.*/g)?.length ?? 0;
const arrivals = (daemon, input) => daemon.log.split(`publisher connected input=${input.uid} `).length - 1;

faultLine('S8', 'outputs that lead back to their own input', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { srt: { latency: 500 }, logLevel: 'info' });
  const other = await Daemon.start(t, { srt: { latency: 500 }, logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const tags = await fixtureTags();

  for (const [protocol, destination] of Object.entries(leadingTo)) {
    const input = await LiveInput.create(daemon);
    await input.addOutput(sink.url(`${protocol}-show`));
    const encoder = await EndlessPublisher.start(input.publishTo, tags);
    const session = await sink.session(`${protocol}-show`);
    await until('pictures', () => session.videoCount > 15);

    let before = told(daemon);
    let began = performance.now();
    const { uid } = await input.addOutput(destination(input));
    await until('the loop to be cut', () => told(daemon) > before);
    line.atMost(`${protocol} to itself: cut after`, performance.now() - began, 5000, 'ms');
    if (protocol === 'RTMP') {
      const { status } = await input.untilOutput(uid, 'retrying');
      assert.match(status.message, /own stream, which an output leads back to it: remove that output/);
      assert.doesNotMatch(status.message, /check the stream key/);
    }
    await input.disable(uid);

    // There and back: what the other one gets is right, and its own destination gets it once.
    const there = await LiveInput.create(other);
    await there.addOutput(sink.url(`${protocol}-there`));
    await input.addOutput(destination(there));
    const echo = await sink.session(`${protocol}-there`);
    await until('pictures there', () => echo.videoCount > 15);
    before = told(daemon);
    began = performance.now();
    await there.addOutput(destination(input));
    await until('the loop to be cut', () => told(daemon) > before);
    line.atMost(`${protocol} there and back: cut after`, performance.now() - began, 5000, 'ms');
    const at = echo.videoCount;
    await until('more pictures there', () => echo.videoCount > at + 90);

    line.exactly(`${protocol}: publishers that the input has had`, arrivals(daemon, input), 1);
    line.exactly(`${protocol}: publishers that the other one has had`, arrivals(other, there), 1);
    await encoder.stop();
    await until('the end', () => session.closed && echo.closed);
    await assertSinkExact(encoder.published, session);
    line.exactly(`${protocol}: packets lost on the way to others`, encoder.published.length - session.media.length, 0);
    const pictures = encoder.published.filter(({ kind }) => kind === 'video').length;
    line.atMost(`${protocol}: pictures that came out behind the loop, of ${pictures}`, echo.videoCount, pictures);
  }
});
