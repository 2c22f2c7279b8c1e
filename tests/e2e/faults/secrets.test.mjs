// Stream keys and tokens never leave by the back door: logs, error answers, metrics, the command line, file modes.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { run } from '../lib/cleanup.mjs';
import { BINARY, Daemon } from '../lib/daemon.mjs';
import { EventSource } from '../lib/event_source.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher, RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';
import { WebhookReceiver } from '../lib/webhook_receiver.mjs';

faultLine('S6', 'secrets in logs, errors, metrics, the command line and files', { quick: true }, async (t, line) => {
  const token = 'MARKtoken0123456789abcdef';
  const daemon = await Daemon.start(t, { token, logLevel: 'trace' });
  const sink = await RtmpSink.listen({
    decide: ({ name }) => (name.startsWith('MARKrefused') ? { refuse: 'not today' } : 'accept'),
  });
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const spoken = []; // every answer that is not the owner reading his own keys
  const say = async (promise) => spoken.push((await promise).text);

  // A webhook with a marked secret and path that takes nothing, a watcher of events.
  const receiver = await WebhookReceiver.listen({ answer: () => ({ status: 500, body: 'no' }) });
  t.after(() => receiver.close());
  const { destinations, policies } = input.client.alerting;
  const account_id = daemon.account;
  const hook = { account_id, name: 'hook', url: receiver.url('/MARKhook?x=MARKhookquery'), secret: 'MARKhooksecret' };
  const { id } = await destinations.webhooks.create(hook);
  await policies.create({
    ...{ account_id, name: 'all', enabled: true, alert_type: 'stream_live_notifications' },
    mechanisms: { webhooks: [{ id }] },
    filters: { event_type: ['live_input.connected', 'output.connected', 'output.errored'] },
  });
  const events = await EventSource.open(daemon);
  t.after(() => events.close());

  // Working, refused, unreachable, changed and deleted destinations, each with a marked key; one with a key in its query.
  await input.addOutput(sink.url('MARKgood'));
  await input.addOutput(sink.url('MARKrefused'));
  const query = await input.addOutput({
    url: `${sink.url('').url}?auth=MARKquery`,
    streamKey: 'MARKnamed?sign=MARKsign',
  });
  const gone = await input.addOutput({ url: 'rtmp://127.0.0.1:1/live', streamKey: 'MARKunreachable' });
  const endless = await EndlessPublisher.start(input.publishTo, await fixtureTags());
  await sink.session('MARKgood');
  await sink.session('MARKnamed?sign=MARKsign');
  const refused = await until('the refusal to show', async () =>
    (await input.outputs()).find((o) => o.status.state === 'retrying' && o.streamKey === 'MARKrefused'),
  );
  assert.match(refused.status.message, /not today/);
  spoken.push(refused.status.message);
  await input.update(query.uid, { streamKey: 'MARKchanged' });
  await input.untilOutput(gone.uid, 'retrying');
  spoken.push((await input.output(gone.uid)).status.message);
  await input.remove(gone.uid);

  // Strangers with marked credentials.
  const stranger = await RtmpPublisher.connect({
    port: daemon.ports.rtmp,
    key: `MARKwrong${input.uid}?x=MARKwrongquery`,
    tcUrl: 'rtmp://h/live?MARKtc',
  });
  await assert.rejects(stranger.publish(), (error) => spoken.push(error.message) > 0);
  const path = await RtmpPublisher.connect({ port: daemon.ports.rtmp, app: 'MARKapp', key: 'MARKpath' });
  await assert.rejects(path.publish(), (error) => spoken.push(error.message) > 0);
  await say(daemon.request('GET', '', { token: 'MARKwrongtoken' }));
  await say(daemon.request('GET', '?token=MARKurltoken', { token: null }));
  await say(
    daemon.request('POST', `/${input.uid}/outputs`, {
      body: { url: 'ftp://u:MARKpassword@127.0.0.1/x', streamKey: 'MARKbody' },
    }),
  );
  await say(
    daemon.request('POST', `/${input.uid}/outputs`, {
      body: '{"url": "rtmp://127.0.0.1/live", "streamKey": "MARKbroken"',
    }),
  );
  await say(
    daemon.request('POST', `/${input.uid}/outputs`, {
      body: { url: 'rtmp://127.0.0.1/live', streamKey: ['MARKlist'] },
    }),
  );
  await say(daemon.request('POST', `/${input.uid}/outputs/test`, { body: sink.url('MARKrefusedtest') }));
  await until('a webhook that failed', () => receiver.requests.length > 0);
  spoken.push(JSON.stringify(receiver.requests.map(({ body }) => body)), JSON.stringify(events.all));
  spoken.push(await (await fetch(`${daemon.base}/metrics`)).text());
  const shown = ['--config', daemon.configFile, '--url', daemon.base];
  for (const command of [['inputs'], ['inputs', 'show', input.uid], ['outputs', input.uid], ['outputs', input.uid, '--json']]) {
    spoken.push((await run(join(dirname(BINARY), 'simulcastctl'), [...command, ...shown])).output);
  }
  await say(daemon.request('GET', ''));
  spoken.push(
    readFileSync(`/proc/${daemon.pid}/cmdline`, 'latin1'),
    readFileSync(`/proc/${daemon.pid}/environ`, 'latin1'),
  );
  await endless.stop();
  await daemon.stop();

  const secret = input.key.slice(0, 32); // the rest of the key is the uid, which is no secret
  const leaks = (text) =>
    [...text.matchAll(/.*MARK.*/g)].map((m) => m[0]).concat(text.split('\n').filter((line) => line.includes(secret)));
  assert.ok(daemon.log.split('\n').length > 10, 'there was no log to look at');
  const found = [daemon.log, ...spoken].flatMap(leaks);
  assert.deepEqual(found, []);
  line.exactly('hits', found.length, 0);
  const modes = readdirSync(daemon.stateDir).map((file) => statSync(join(daemon.stateDir, file)).mode & 0o777);
  line.exactly('the mode of the files of the state folder', [...new Set(modes)].map((mode) => mode.toString(8)).join(), '600');
});

test("the state folder is the daemon's alone", async (t) => {
  const daemon = await Daemon.start(t);
  await LiveInput.create(daemon);
  const mode = (file) => (statSync(file).mode & 0o777).toString(8);
  assert.equal(mode(daemon.stateDir), '700');
  const files = readdirSync(daemon.stateDir);
  assert.ok(files.length > 0);
  for (const file of files) assert.equal(mode(join(daemon.stateDir, file)), '600', file);
});

test('keys survive in the database, tokens are not in it', async (t) => {
  const daemon = await Daemon.start(t, { token: 'MARKtoken-that-is-configured' });
  await LiveInput.create(daemon);
  await daemon.stop();
  for (const file of readdirSync(daemon.stateDir)) {
    assert.ok(!readFileSync(join(daemon.stateDir, file), 'latin1').includes('MARKtoken-that-is-configured'), file);
  }
});
