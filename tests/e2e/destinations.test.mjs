// Destinations that are wrong, rude or untrustworthy: the cause is named, and no other output notices.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertSinkExact } from './lib/assertions.mjs';
import { TlsFront, makeCertificates } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

let certificates;
before(async () => {
  certificates = await makeCertificates();
});

// A live input with one good output on it; finish() ends the show and sees that the good one got everything.
async function scene(t, { decide, daemonOptions, tags } = {}) {
  const daemon = await Daemon.start(t, daemonOptions);
  const sink = await RtmpSink.listen({ decide });
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('good'));
  const endless = await EndlessPublisher.start(input.publishTo, tags ?? (await fixtureTags()));
  const good = await sink.session('good');
  await until('pictures', () => good.videoCount > 15);
  const finish = async () => {
    await until('enough to compare', () => good.videoCount > 45);
    await endless.stop();
    await until('the end of the good one', () => good.closed);
    await assertSinkExact(endless.published, good, { what: 'the good destination' });
    assert.equal(sink.named('good').length, 1);
  };
  const retrying = async (destination, words, fields) => {
    const { uid } = await input.addOutput(destination, fields);
    const output = await input.untilOutput(uid, 'retrying', { timeout: 15_000 });
    assert.match(output.status.message, words);
    assert.ok(output.status.attempt >= 1);
    assert.ok(Date.parse(output.status.nextRetryAt) > 0);
    return output;
  };
  return { daemon, sink, input, endless, finish, retrying };
}

test('a port where nobody listens, a name that does not resolve', async (t) => {
  const { retrying, finish } = await scene(t);
  await retrying({ url: 'rtmp://127.0.0.1:1/live', streamKey: 'k' }, /refused/i);
  await retrying(
    { url: 'rtmp://no-such-host.invalid/live', streamKey: 'k' },
    /no-such-host\.invalid|resolve|not found|host/i,
  );
  await finish();
});

test("a wrong key: the server's own words, and no hammering", async (t) => {
  let asked = 0;
  const { sink, retrying, finish } = await scene(t, {
    decide: ({ name }) => {
      if (name !== 'key-of-last-week') return 'accept';
      asked += 1;
      return { refuse: 'This stream key expired on Tuesday.' };
    },
  });
  await retrying(sink.url('key-of-last-week'), /This stream key expired on Tuesday\./);
  await finish();
  assert.ok(asked <= 2, `it asked ${asked} times within seconds`);
});

test('a destination that hangs up at publish is tried again, and comes back', async (t) => {
  let rude = true;
  const { sink, input, retrying, finish } = await scene(t, {
    decide: ({ name }) => (name === 'rude' && rude ? 'reset' : 'accept'),
  });
  const output = await retrying(sink.url('rude'), /reset|closed|end of file/i);
  rude = false;
  await input.untilOutput(output.uid, 'live', { timeout: 10_000 });
  const session = await sink.session('rude');
  assert.ok(session.firstVideo.keyframe);
  session.reset();
  await sink.session('rude', 1, { timeout: 10_000 });
  const again = await input.untilOutput(output.uid, 'live');
  assert.ok(again.stats.reconnects >= 1);
  await finish();
});

test('a destination that never reads: whole GOPs dropped for it alone, and it resumes on a keyframe', async (t) => {
  // Heavy, so that the socket buffers are full soon: 30 frames a second of 40 kB, a keyframe each half second.
  const tags = syntheticBroadcast({ frames: 300, gop: 15, size: 40_000 });
  const { sink, input, endless, finish } = await scene(t, {
    tags,
    decide: ({ name }) => (name === 'deaf' ? 'stall' : 'accept'),
    daemonOptions: { queue: { seconds: '2', bytes: '4MiB' } },
  });
  const { uid } = await input.addOutput(sink.url('deaf'));
  const deaf = await sink.session('deaf');
  await until('frames to be dropped', async () => (await input.output(uid)).stats.framesDropped > 30, {
    timeout: 15_000,
  });
  const { stats } = await input.output(uid);
  assert.ok(stats.queueMs <= 2500, `its queue holds ${stats.queueMs} ms, more than its 2 s`);
  deaf.resume();
  await until(
    'pictures from after the hole',
    () => {
      const video = deaf.messages.filter((m) => m.kind === 'video');
      return video.some((m, i) => i > 0 && m.timestamp - video[i - 1].timestamp > 300) && video.at(-1);
    },
    { timeout: 10_000 },
  );
  await finish();
  const video = deaf.messages.filter((m) => m.kind === 'video');
  const published = new Set(endless.published.map((p) => p.hash));
  let holes = 0;
  for (let i = 1; i < video.length; i++) {
    assert.ok(published.has(video[i].hash), 'what arrives is what was sent');
    const step = (video[i].timestamp - video[i - 1].timestamp) | 0;
    assert.ok(step > 0, 'time never goes back');
    if (step > 40) {
      holes += 1;
      assert.ok(video[i].keyframe, `after a hole of ${step} ms comes ${video[i].keyframe ? 'a' : 'no'} keyframe`);
    }
  }
  assert.ok(holes >= 1);
});

test('TLS: only a good certificate gets a byte of RTMP; the cause is named', async (t) => {
  const { retrying, sink, input, finish } = await scene(t, { daemonOptions: { caFile: certificates.caFile } });
  for (const [name, words] of [
    ['selfSigned', /self.signed/i],
    ['wrongHost', /host|name|match/i],
    ['expired', /expired/i],
  ]) {
    const front = await TlsFront.listen(certificates[name], sink.port);
    t.after(() => front.close());
    const destination = { url: `rtmps://localhost:${front.port}/live`, streamKey: `key-${name}` };
    const output = await retrying(destination, words);
    assert.equal(front.plaintextBytes, 0, `${name}: something was said before the certificate was checked`);
    // The user may say that this one is trusted all the same.
    await input.update(output.uid, { verifyTls: false });
    await sink.session(`key-${name}`, 0, { timeout: 10_000 });
    assert.equal((await input.output(output.uid)).verifyTls, false);
  }
  const front = await TlsFront.listen(certificates.good, sink.port);
  t.after(() => front.close());
  const { uid } = await input.addOutput({ url: `rtmps://localhost:${front.port}/live`, streamKey: 'trusted' });
  await sink.session('trusted');
  await input.untilOutput(uid, 'live');
  await retrying({ url: `rtmps://127.0.0.1:${sink.port}/live`, streamKey: 'plain' }, /TLS/);
  await finish();
});

test('without the CA in the configuration a certificate of it is not trusted', async (t) => {
  const { retrying, sink, finish } = await scene(t);
  const front = await TlsFront.listen(certificates.good, sink.port);
  t.after(() => front.close());
  await retrying({ url: `rtmps://localhost:${front.port}/live`, streamKey: 'k' }, /issuer|unknown|verify|certificate/i);
  assert.equal(front.plaintextBytes, 0);
  await finish();
});

function syntheticBroadcast({ frames, gop, size }) {
  const tags = [
    { type: 9, timestamp: 0, body: Buffer.from('17000000000164001fffe1000467640001010004', 'hex') },
    { type: 8, timestamp: 0, body: Buffer.from('af001210', 'hex') },
  ];
  for (let i = 0; i < frames; i++) {
    const timestamp = Math.round((i * 1000) / 30);
    const key = i % gop === 0;
    tags.push({
      type: 9,
      timestamp,
      body: Buffer.concat([Buffer.from([key ? 0x17 : 0x27, 1, 0, 0, 0]), randomBytes(size)]),
    });
    tags.push({ type: 8, timestamp, body: Buffer.concat([Buffer.from([0xaf, 1]), randomBytes(200)]) });
  }
  return tags;
}
