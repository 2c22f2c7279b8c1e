// Destinations that are wrong or rude: the cause is named, and no other output notices. More of them in faults/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSinkExact } from './lib/assertions.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

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
    const output = await input.untilOutput(uid, 'retrying');
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

test('a destination that hangs up at publish is tried again, and comes back', async (t) => {
  let rude = true;
  const { sink, input, retrying, finish } = await scene(t, {
    decide: ({ name }) => (name === 'rude' && rude ? 'reset' : 'accept'),
  });
  const output = await retrying(sink.url('rude'), /reset|closed|end of file/i);
  rude = false;
  await input.untilOutput(output.uid, 'live');
  const session = await sink.session('rude');
  assert.ok(session.firstVideo.keyframe);
  session.reset();
  await sink.session('rude', 1);
  const again = await input.untilOutput(output.uid, 'live');
  assert.ok(again.stats.reconnects >= 1);
  await finish();
});
