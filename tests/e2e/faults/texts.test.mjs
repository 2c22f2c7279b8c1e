// Long texts of users, encoders and destinations, and everywhere that they could travel to.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { encode } from '../lib/amf0.mjs';
import { EventSource } from '../lib/event_source.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { Daemon } from '../lib/daemon.mjs';
import { metricsOf } from '../lib/prometheus.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { Pulse } from '../lib/pulse.mjs';
import { EndlessPublisher, RtmpPublisher } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput, sdk } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';
import { WebhookReceiver } from '../lib/webhook_receiver.mjs';

const WEBHOOKS = FULL ? 64 : 8;
const SHOWS = FULL ? 14 : 3;
const NAME = '\u{1F600}'.repeat(250_000); // a million bytes, of four for each character
const MAX_NAME = 252; // 255, at a character
const LONG = 60_000; // what a string of AMF holds

const bytes = (text) => Buffer.byteLength(text);
const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
/** On disk, with its log. */
const databaseOf = (daemon) =>
  ['', '-wal', '-shm'].reduce((sum, end) => sum + sizeOf(`${daemon.stateDir}/simulcastd.db${end}`), 0);
const wellFormed = (text) => !text.includes('\ufffd');

faultLine('S16', 'long texts, in webhooks, metrics, events, the log and the tables', { quick: true }, async (t, line) => {
  const daemon = await Daemon.start(t, { metrics: true, hold: '0s' });
  const { alerting } = sdk(daemon);
  const account_id = daemon.account;
  // Receivers that fail: whatever is for them waits. One works.
  const broken = await WebhookReceiver.listen({ answer: () => 500 });
  t.after(() => broken.close());
  const heard = await WebhookReceiver.listen();
  t.after(() => heard.close());
  for (let i = 0; i < WEBHOOKS; i++) {
    const url = i === 0 ? heard.url() : broken.url(`/${i}`);
    const webhook = await alerting.destinations.webhooks.create({ account_id, name: 'n'.repeat(255), url });
    await alerting.policies.create({
      ...{ account_id, name: 'all', enabled: true, alert_type: 'stream_live_notifications' },
      mechanisms: { webhooks: [{ id: webhook.id }] },
      filters: {
        event_type: ['live_input.connected', 'live_input.disconnected', 'output.connected', 'output.errored', 'output.disconnected'],
      },
    });
  }
  const refusal = `no ${'\u00e4'.repeat(LONG / 2)}`;
  const sink = await RtmpSink.listen({ decide: ({ name }) => (name === 'no' ? { refuse: refusal } : 'accept') });
  t.after(() => sink.close());
  const events = await EventSource.open(daemon);
  t.after(() => events.close());

  const database = databaseOf(daemon);
  const memory = daemon.residentKiB;
  const pulse = new Pulse(daemon);
  const input = await LiveInput.create(daemon, { meta: { name: NAME } });
  const { uid } = await input.addOutput(sink.url('yes'), { name: 'o'.repeat(255) });
  const refused = await input.addOutput(sink.url('no'), { name: 'o'.repeat(255) });
  // An encoder whose name is long, and cut in the middle of a character if it is cut anywhere.
  const encoder = `${'e'.repeat(99)}${'\u00e4'.repeat(LONG / 2 - 100)}`;
  const metadata = { type: 18, timestamp: 0, body: encode('@setDataFrame', 'onMetaData', { encoder, width: 320, height: 180 }) };
  const tags = [metadata, ...(await fixtureTags()).filter(({ type }) => type !== 18)];
  for (let i = 0; i < SHOWS; i++) {
    const publisher = await EndlessPublisher.start(input.publishTo, tags);
    await input.untilOutput(uid, 'live');
    await input.untilOutput(refused.uid, 'retrying');
    if (i === 0) await events.until('stats', ({ inputs }) => inputs[0]?.stats?.encoder);
    await publisher.stop();
    await input.untilConnected(false);
    await until('the end at the destination', async () => (await input.output(uid)).status.state === 'idle');
  }
  // A stranger with long names for everything.
  const stranger = await RtmpPublisher.connect({
    ...{ port: daemon.ports.rtmp, key: 'k'.repeat(LONG / 2), app: 'a'.repeat(10_000), tcUrl: `rtmp://${'h'.repeat(10_000)}/a` },
  });
  await stranger
    .connectApp({ flashVer: 'v'.repeat(10_000) })
    .then(() => stranger.createStream())
    .then(() => stranger.command('publish', 9, null, stranger.key, 'live'))
    .catch(() => {});
  await until('a stranger to be refused', () => stranger.refusal || stranger.closed);
  stranger.socket.destroy();
  await fetch(`${daemon.base}/${'p'.repeat(10_000)}`, { headers: { 'user-agent': 'u'.repeat(4000) } });
  const last = await heard.untilAccepted('live_input.disconnected', SHOWS, { timeout: 30_000 });
  const { longest, answers, resident } = await pulse.stop();
  assert.ok(answers > 10);

  line.atMost('the control thread was busy', longest, timed(1000), 'ms');
  const shows = `${SHOWS} shows, ${WEBHOOKS} webhooks, a name of 1 MB`;
  line.atMost(`database: ${shows}`, (databaseOf(daemon) - database) / 1024, 16 * 1024, 'KiB');
  if (!daemon.sanitized) line.atMost(`memory: ${shows}`, resident - memory, 64 * 1024, 'KiB');

  // Webhooks.
  assert.ok(last.text.includes(input.uid));
  const bodies = heard.requests.map(({ body }) => JSON.stringify(body));
  line.atMost('bytes of a notification', Math.max(...bodies.map(bytes)), 4096, 'bytes');
  const texts = heard.requests.map(({ body }) => body.text);
  const shown = /live input "([^"]*)"/i;
  line.exactly('bytes of the name in it', Math.max(...texts.map((text) => bytes(shown.exec(text)[1]))), MAX_NAME, 'bytes');
  line.exactly('notifications with half a character', texts.filter((text) => !wellFormed(text)).length, 0);
  const words = heard.accepted('output.errored').map(({ data }) => data.message);
  assert.ok(words.length > 0);
  line.atMost('bytes of a destination\'s words', Math.max(...words.map(bytes)), 1024, 'bytes');

  // Metrics, on both listeners.
  for (const url of [`${daemon.base}/metrics`, `http://127.0.0.1:${daemon.ports.metrics}/metrics`]) {
    const labels = (await metricsOf(url)).flatMap((sample) => Object.values(sample.labels));
    line.atMost('bytes of a label', Math.max(...labels.map(bytes)), 255, 'bytes');
    line.exactly('labels with half a character', labels.filter((label) => !wellFormed(label)).length, 0);
  }

  // Events, and the encoder's name.
  const stats = events.all.filter(({ event, data }) => event === 'stats' && data.inputs[0]?.stats?.encoder);
  const encoders = stats.map(({ data }) => data.inputs[0].stats.encoder);
  line.exactly('the encoder\'s name in events', encoders.find((name) => name !== 'e'.repeat(99)) ?? '', '');
  line.atMost('bytes of an event', Math.max(...events.all.map(({ data }) => bytes(JSON.stringify(data)))), 8192, 'bytes');

  // The log.
  const longestLine = Math.max(...daemon.log.split('\n').map(bytes));
  line.atMost('bytes of a line of the log', longestLine, 4096 + 100, 'bytes');

  // The owner's own record is whole.
  line.exactly('the name, to its owner', (await input.get()).meta.name === NAME, true);
});
