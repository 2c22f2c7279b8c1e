// A second encoder comes with the same key while the first is still there.
import assert from 'node:assert/strict';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

faultLine('E4', 'a second encoder with the same key', { quick: true }, async (t, line) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const tags = await fixtureTags();

  const first = await EndlessPublisher.start(input.publishTo, tags);
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);
  const second = await EndlessPublisher.start(input.publishTo, tags);
  await until('the first encoder to be closed', () => first.publisher.closed);
  const seam = session.media.length;
  const sent = first.publisher.sent;
  await until('more pictures', () => session.media.length > seam + 60);
  await second.stop();
  await until('the end', () => session.closed);

  assert.equal(first.publisher.sent, sent, 'the older one sends nothing any more');
  line.exactly('connections to the destination', sink.named('show').length, 1);
  const steps = { video: [], audio: [] };
  const last = {};
  for (const { kind, timestamp } of session.media) {
    if (!steps[kind]) continue;
    if (last[kind] !== undefined) steps[kind].push(timestamp - last[kind]);
    last[kind] = timestamp;
  }
  line.atLeast('smallest step of a timestamp', Math.min(...steps.video, ...steps.audio), 0, 'ms');
  const behind = session.media.slice(seam).find(({ kind }) => kind === 'video');
  line.exactly('first picture behind the seam is a keyframe', Boolean(behind?.keyframe), true);
});
