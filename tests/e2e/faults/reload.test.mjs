// SIGHUP while the show is on: tokens and the log level change, a broken file changes nothing, and no packet is lost.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { assertSinkExact } from '../lib/assertions.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

faultLine('H4', 'reload with a broken file, and while live', { quick: true }, async (t, line) => {
  const daemon = await Daemon.start(t, { logLevel: 'info' });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  await input.addOutput(sink.url('show'));
  const endless = await EndlessPublisher.start(input.publishTo, await fixtureTags());
  const session = await sink.session('show');
  await until('pictures', () => session.videoCount > 15);

  const lines = (words) => daemon.log.split('\n').filter((line) => line.includes(words));
  const reload = async (config, words) => {
    const before = lines(words).length;
    writeFileSync(daemon.configFile, config);
    process.kill(daemon.pid, 'SIGHUP');
    await until(`a log line with "${words}"`, () => lines(words).length > before);
    return lines(words).at(-1);
  };
  const status = async (token) =>
    (
      await fetch(`${daemon.base}/client/v4/accounts/${daemon.account}/stream/live_inputs`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;

  const good = daemon.config();
  assert.equal(await status(daemon.token), 200);
  await reload(good.replace(daemon.token, 'token-after-the-reload').replace('level: info', 'level: debug'), 'reloaded');
  assert.equal(await status(daemon.token), 401);
  assert.equal(await status('token-after-the-reload'), 200);

  const complaint = await reload(good.replace('hold: 30s', 'hold: 30 parsecs'), 'reload failed');
  line.exactly('a broken file: the line is named', /simulcastd\.yaml:\d+: stream\.hold/.test(complaint), true);
  assert.equal(await status('token-after-the-reload'), 200, 'the old configuration goes on');

  const waits = await reload(good.replace('hold: 30s', 'hold: 31s'), 'needs a restart');
  assert.match(waits, /setting=stream/);

  await until('more pictures', () => session.videoCount > 60);
  await endless.stop();
  await assertSinkExact(endless.published, session, { what: 'the destination' });
  line.exactly('packets lost', endless.published.length - session.media.length, 0);
  line.exactly('connections to the destination', sink.named('show').length, 1);
});
