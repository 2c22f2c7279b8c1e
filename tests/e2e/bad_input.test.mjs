// Everything that is wrong, and what comes back: keys, publishing sequences, handshakes, chunks, AMF, HTTP, configs.
// Each row must get the answer named in it, the daemon must live on, and a broadcast that runs beside all this must
// stay exact. SIMULCASTD_E2E_TABLE=1 prints what was sent and what came back as a table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSinkExact } from './lib/assertions.mjs';
import { badInputRows } from './lib/bad_input_rows.mjs';
import { makeCertificates } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

test('bad input', { concurrency: 8, timeout: 600_000 }, async (t) => {
  const certificates = await makeCertificates();
  const daemon = await Daemon.start(t, { rtmps: certificates.good });
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const tags = await fixtureTags();
  const running = await LiveInput.create(daemon);
  await running.addOutput(sink.url('running'));
  const endless = await EndlessPublisher.start(running.publishTo, tags);
  const session = await sink.session('running');

  let count = 0;
  const fresh = async () => {
    const input = await LiveInput.create(daemon);
    input.name = `victim-${count++}`;
    input.sink = sink;
    await input.addOutput(sink.url(input.name));
    return input;
  };
  const table = badInputRows({ daemon, certificates, fresh, tags });
  assert.ok(table.length >= 40);
  const results = table.map(() => '');
  await Promise.all(
    table.map(([group, what, act, expected], i) =>
      t.test(`${group}: ${what}`, async () => {
        assert.ok(daemon.child.running, 'the daemon is gone already');
        try {
          results[i] = await act();
          assert.match(results[i], expected);
          assert.ok(daemon.child.running, 'the daemon is gone');
        } catch (error) {
          daemon.troubled = true;
          throw error;
        }
      }),
    ),
  );

  assert.equal((await fetch(`${daemon.base}/readyz`)).status, 200);
  await endless.stop();
  await until('the end of the running broadcast', () => session.closed);
  await assertSinkExact(endless.published, session, { what: 'the broadcast beside all this' });
  assert.equal(sink.named('running').length, 1);
  if (process.env.SIMULCASTD_E2E_TABLE) {
    const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').slice(0, 200);
    console.log(
      [
        '| what was sent | what came back |',
        '| --- | --- |',
        ...table.map(([group, what], i) => `| ${group}: ${cell(what)} | ${cell(results[i])} |`),
      ].join('\n'),
    );
  }
});
