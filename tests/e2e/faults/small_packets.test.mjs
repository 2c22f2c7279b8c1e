// Encoders that send many tiny packets, each with destinations that hardly read: what waits for those stays within its
// bounds, and others on the same threads do not notice.
import { setTimeout as delay } from 'node:timers/promises';
import { encode } from '../lib/amf0.mjs';
import { delaysOf, goodScene, syntheticTags } from '../lib/destinations.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { FaultProxy } from '../lib/fault_proxy.mjs';
import { Type, fullHeader } from '../lib/rtmp.mjs';
import { RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';

const SLOW = 16_000; // bits a second
const CAP = FULL ? { seconds: 10, bytes: 64 << 20 } : { seconds: 2, bytes: 4 << 20 };
const LASTS_MS = FULL ? 60_000 : 6000;
const TICK_MS = 10;

const HEADER = Buffer.from('af001210', 'hex');
// Each: how many a second, to how many slow destinations, and the nth message.
const FLOODS = {
  'audio headers': [12_000, 1, () => [Type.audio, HEADER]],
  'headers of many tracks': [12_000, 1, (n) => [Type.audio, Buffer.from([0x95, 0x00, 0x6d, 0x70, 0x34, 0x61, n & 0xff, 0x12, 0x10])]],
  metadata: [12_000, 1, () => [Type.data, encode('@setDataFrame', 'onMetaData', { a: 1 })]],
  'audio frames': [5000, 3, (n) => [Type.audio, Buffer.from([0xaf, 0x01, n & 0xff, (n >> 8) & 0xff])]],
};

async function flood(publisher, [rate, , message], signal) {
  // Without a picture nothing is begun; a small one, again and again.
  const picture = syntheticTags({ frames: 1, gop: 1, size: 40 });
  for (const tag of picture) publisher.sendTag(tag);
  const began = performance.now();
  let pictures = 1;
  for (let sent = 0; !signal.aborted && !publisher.closed;) {
    const ms = performance.now() - began;
    const parts = [];
    for (; pictures < ms / 40; pictures++) publisher.sendTag({ ...picture[2], timestamp: pictures * 40 });
    for (; sent < (ms * rate) / 1000; sent++) {
      const [type, body] = message(sent);
      const timestamp = Math.floor((sent * 1000) / rate);
      parts.push(fullHeader({ csid: 7, timestamp, length: body.length, type, streamId: publisher.streamId }), body);
    }
    if (parts.length && !publisher.socket.writableNeedDrain) publisher.write(Buffer.concat(parts));
    await delay(TICK_MS);
  }
}

faultLine('S14', 'many tiny packets and destinations that hardly read', { quick: true }, async (t, line) => {
  const { daemon, publisher, sessions, finish } = await goodScene(t, {
    daemonOptions: { queue: CAP },
  });
  // At 2 kB/s it takes a minute until what the kernels and the link hold is full; who does not read at all is like that
  // at once, and stays for ten seconds.
  const slow = await RtmpSink.listen({ decide: () => (FULL ? 'accept' : 'stall') });
  t.after(() => slow.close());
  const stop = new AbortController();
  t.after(() => stop.abort());
  const outputs = [];
  const encoders = [];
  const before = daemon.residentKiB;
  for (const [name, kind] of Object.entries(FLOODS)) {
    const input = await LiveInput.create(daemon);
    for (let i = 0; i < kind[1]; i++) {
      const proxy = FULL && (await FaultProxy.open({ to: slow.port, bitrate: SLOW }));
      t.after(() => proxy && proxy.close());
      const { uid } = await input.addOutput({ url: `rtmp://127.0.0.1:${(proxy || slow).port}/live`, streamKey: `${name.replaceAll(' ', '-')}-${i}` });
      outputs.push({ name, input, uid });
    }
    const encoder = await RtmpPublisher.connect({ ...input.publishTo, remember: false });
    t.after(() => encoder.vanish());
    await encoder.publish();
    encoders.push(encoder);
    flood(encoder, kind, stop.signal);
  }
  const since = performance.now();
  let [queued, resident] = [0, 0];
  const dropped = new Set();
  while (performance.now() - since < LASTS_MS || (dropped.size < Object.keys(FLOODS).length && performance.now() - since < 4 * LASTS_MS)) {
    for (const { name, input, uid } of outputs) {
      const { stats } = await input.output(uid);
      queued = Math.max(queued, stats.queueMs);
      if (stats.framesDropped > 0) dropped.add(name);
    }
    resident = Math.max(resident, daemon.residentKiB);
    await delay(100);
  }
  line.exactly('kinds of which something was dropped', dropped.size, Object.keys(FLOODS).length);
  line.exactly('encoders that were sent away', encoders.filter(({ closed }) => closed).length, 0);
  line.atMost('media waiting for a slow one, as the API says', queued, CAP.seconds * 1000, 'ms');
  if (!daemon.sanitized) {
    // What waits, and a quarter more for what lies around it.
    const most = (outputs.length * CAP.bytes * 1.25) / 1024;
    line.atMost('memory beyond that before', resident - before, most, 'KiB');
  }
  const late = sessions.flatMap((session) => delaysOf(publisher.published, session, { since }));
  line.atMost('longest delay of a picture at the good ones', Math.max(...late), timed(200), 'ms');
  stop.abort();
  await finish(line);
});
