// Holding for streams that are not the usual pair of H.264 and AAC.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { Type } from '../lib/rtmp.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { decodeErrors, SrtFilePublisher, SrtSink } from '../lib/srt_peers.mjs';
import { tsFixture } from '../lib/ts_fixture.mjs';
import { until } from '../lib/until.mjs';

const steps = (times) => times.slice(1).map((time, i) => time - times[i]);
const AWAY = 3000;

/** Publishes for 3 s, is away for as long, and publishes again: `publish()` gives somebody who can vanish. */
async function cameBack(publish) {
  for (const last of [false, true]) {
    const publisher = await publish();
    await delay(3000); // the length of what is published
    await publisher.vanish();
    if (!last) await delay(AWAY);
  }
}

faultLine('E13', 'the encoder vanishes and is back: sound alone, pictures alone, H.265, MP2', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { srt: { latency: 300 }, hold: '5s', logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const tags = await fixtureTags({ seconds: 4 });

  for (const [name, type, most] of [
    ['sound alone', Type.audio, 100],
    ['pictures alone', Type.video, 1000],
  ]) {
    const input = await LiveInput.create(daemon);
    const key = name.replace(' ', '-');
    await input.addOutput(sink.url(key));
    const wanted = tags.filter((tag) => tag.type === type);
    await cameBack(async () => {
      const publisher = await RtmpPublisher.connect(input.publishTo);
      await publisher.publish();
      publisher.send(wanted).catch(() => {}); // cut off: that is what this is about
      return publisher;
    });
    const session = await sink.session(key);
    await until('the end of the hold', () => session.closed);
    const times = session.media.filter(({ kind }) => kind === 'video' || kind === 'audio').map((m) => m.timestamp);
    line.exactly(`${name}: connections`, sink.named(key).length, 1);
    line.atLeast(`${name}: smallest step`, Math.min(...steps(times)), 1, 'ms');
    line.atMost(`${name}: longest step`, Math.max(...steps(times)), most, 'ms');
    line.atLeast(`${name}: length`, times.at(-1) - times[0], 6000 + AWAY - 500, 'ms');
  }

  for (const [name, codecs, options] of [
    ['H.265', ['h265', 'aac'], { video: 'h265' }],
    ['MP2', ['h264', 'mpeg-audio'], { audio: 'mp2' }],
  ]) {
    const bytes = await tsFixture({ seconds: 8, ...options });
    const input = await LiveInput.create(daemon);
    const receiver = await SrtSink.listen({ tool: 'srt-live-transmit' });
    t.after(() => receiver.stop());
    await input.addOutput(receiver.output);
    await cameBack(async () => new SrtFilePublisher(bytes, { ...input.publishSrt, latency: 300 }).start());
    await receiver.finished({ timeout: 30_000 });
    const { ts } = receiver;
    for (const codec of codecs) {
      const found = ts.stream(codec);
      assert.ok(found, `${name}: there is ${codec}`);
      const times = ts.pes(found.pid).map((pes) => pes.dts ?? pes.pts);
      line.atLeast(`${name}: smallest step of ${codec}`, Math.min(...steps(times)) / 90, 1, 'ms');
      line.atMost(`${name}: longest step of ${codec}`, Math.max(...steps(times)) / 90, 1000, 'ms');
      line.atLeast(`${name}: length of ${codec}`, (times.at(-1) - times[0]) / 90, 6000 + AWAY - 1000, 'ms');
    }
    // The frame that was under way when the encoder was killed is lost, as any that is cut off by the network.
    const said = await decodeErrors(receiver.file);
    if (said) t.diagnostic(said.replaceAll('\n', '; '));
    const frames = said.split('\n').filter((text) => text && !text.startsWith('[')).length; // one line each
    line.atMost(`${name}: frames that a decoder complains of, with two cut off`, frames, 2);
  }
});
