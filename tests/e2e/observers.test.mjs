// What watches: the event stream, the metrics, the command line and webhooks, in the same words as the API.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './lib/cleanup.mjs';
import { BINARY, Daemon } from './lib/daemon.mjs';
import { EventSource } from './lib/event_source.mjs';
import { metricsOf } from './lib/prometheus.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';
import { WebhookReceiver } from './lib/webhook_receiver.mjs';

/** A server that takes connections and says nothing; gives its port. */
async function silentServer(t) {
  const sockets = new Set();
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

/** Notes what an observer shows: { state, message, at } whenever that is another than before; at: ms since 1970. */
class Sightings {
  all = [];
  note(state, message = '') {
    const last = this.all.at(-1);
    if (state !== undefined && (last?.state !== state || last.message !== message)) {
      this.all.push({ state, message, at: Date.now() });
    }
  }
  /** The newest of a state, if it is of after `since`. */
  of(state, since) {
    return this.all.findLast((one) => one.state === state && one.at >= since);
  }
}

/** Asks again and again, until the test is over. */
function poll(t, ask) {
  let over = false;
  const done = (async () => {
    while (!over) {
      await ask().catch(() => {});
      await delay(20);
    }
  })();
  t.after(async () => {
    over = true;
    await done;
  });
}

/** Watches an output by everything that shows its state. */
async function watch(t, daemon, input, oid) {
  const eyes = Object.fromEntries(['api', 'events', 'metrics', 'simulcastctl', 'webhook'].map((name) => [name, new Sightings()]));
  const events = await EventSource.open(daemon);
  t.after(() => events.close());
  events.listen(({ event, data }) => {
    if (event === 'output' && data.output === oid) eyes.events.note(data.status.state, data.status.message);
  });
  const watching = new Child(join(dirname(BINARY), 'simulcastctl'), [
    ...['watch', input.uid, '--json', '--config', daemon.configFile, '--url', daemon.base],
  ]);
  t.after(() => watching.stop('SIGKILL'));
  createInterface({ input: watching.process.stdout }).on('line', (line) => {
    const { output, state, message } = JSON.parse(line);
    if (output === oid) eyes.simulcastctl.note(state, message);
  });
  const receiver = await WebhookReceiver.listen({
    answer: ({ text }) => {
      const { output_id, state, message } = JSON.parse(text).data;
      if (output_id === oid) eyes.webhook.note(state, message);
      return 200;
    },
  });
  t.after(() => receiver.close());
  const account_id = daemon.account;
  const { destinations, policies } = input.client.alerting;
  const webhook = await destinations.webhooks.create({ account_id, name: 'receiver', url: receiver.url() });
  await policies.create({
    ...{ account_id, name: 'outputs', enabled: true, alert_type: 'stream_live_notifications' },
    mechanisms: { webhooks: [{ id: webhook.id }] },
    filters: { event_type: ['output.connected', 'output.errored', 'output.disconnected'] },
  });
  poll(t, async () => {
    const { status } = await input.output(oid);
    eyes.api.note(status.state, status.message);
  });
  poll(t, async () => {
    const samples = await metricsOf(`${daemon.base}/metrics`);
    const wanted = ({ name, labels }) => name === 'simulcastd_output_state' && labels.output === oid;
    eyes.metrics.note(samples.find(wanted)?.labels.state);
  });

  let since = 0;
  const longest = { ms: 0 };
  return {
    events,
    longest,
    /** What happens from now on counts. */
    mark() {
      since = Date.now();
    },
    /** Until all of them have shown it; gives their messages. Not every state is told to webhooks. */
    async all(state, { webhook = false } = {}) {
      const wanted = Object.entries(eyes).filter(([name]) => webhook || name !== 'webhook');
      const seen = await until(`all to show ${state}`, () => {
        const found = wanted.map(([name, eye]) => [name, eye.of(state, since)]);
        const missing = found.filter(([, sighting]) => !sighting).map(([name]) => name);
        if (missing.length) throw new Error(`not shown by ${missing}`);
        return found;
      });
      const times = seen.map(([, { at }]) => at);
      const ms = Math.max(...times) - Math.min(...times);
      if (ms > longest.ms) Object.assign(longest, { ms, state, of: seen[times.indexOf(Math.max(...times))][0] });
      return Object.fromEntries(seen.map(([name, { message }]) => [name, message]));
    },
    /** Those that have not shown it, of all but webhooks, and the metrics, which are up to a second old. */
    missed(state) {
      return Object.keys(eyes).filter((name) => !['webhook', 'metrics'].includes(name) && !eyes[name].of(state, since));
    },
  };
}

// Most of their time is spent waiting.
describe('observers', { concurrency: 3 }, () => {
  test('every state of an output is seen in the API, events, metrics, simulcastctl watch and webhooks, in the same words', async (t) => {
    const daemon = await Daemon.start(t, { hold: '60s' });
    const silent = await silentServer(t);
    let answer = 'accept';
    const sink = await RtmpSink.listen({ decide: () => answer });
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon);
    const { uid } = await input.addOutput({ url: `rtmp://127.0.0.1:${silent}/app`, streamKey: 'k' });
    const seen = await watch(t, daemon, input, uid);
    const after = async (action) => {
      seen.mark();
      return action();
    };
    await after(() => input.disable(uid));
    await seen.all('disabled');
    await after(() => input.enable(uid));
    await seen.all('idle');

    const encoder = await after(async () => EndlessPublisher.start(input.publishTo, await fixtureTags()));
    t.after(() => encoder.vanish());
    await seen.all('connecting');
    answer = { refuse: 'the stream key has expired' };
    await after(() => input.update(uid, sink.url('show')));
    const { metrics, ...messages } = await seen.all('retrying', { webhook: true });
    assert.match(messages.api, /the stream key has expired/);
    for (const [name, message] of Object.entries(messages)) assert.equal(message, messages.api, name);
    answer = 'accept';
    await after(() =>
      input.client.post(`/accounts/${daemon.account}/stream/live_inputs/${input.uid}/outputs/${uid}/retry`),
    );
    await seen.all('live', { webhook: true });
    await after(() => encoder.vanish());
    await seen.all('holding');
    const back = await after(async () => EndlessPublisher.start(input.publishTo, await fixtureTags()));
    t.after(() => back.vanish());
    await seen.all('live');

    // One that does not read keeps its worker ending for half a second. On a busy machine who asks may ask too late.
    for (let round = 0; round === 0 || (round < 10 && seen.missed('stopping').length); round++) {
      if (round > 0) {
        await after(() => input.enable(uid));
        await seen.all('live');
      }
      sink.sessions.at(-1).socket.pause();
      await after(() => input.disable(uid));
      await seen.all('disabled');
    }
    assert.deepEqual(seen.missed('stopping'), []);
    t.diagnostic(`all of them within ${seen.longest.ms} ms (${seen.longest.of}: ${seen.longest.state})`);

    const reasons = seen.events.all.filter(({ event }) => event === 'input').map(({ data }) => data.status.reason);
    assert.deepEqual(reasons, ['connected', 'reconnecting', 'reconnected']);
    assert.ok(seen.events.all.some(({ event, data }) => event === 'changed' && data.input === input.uid));
  });

  test('retry is at once', async (t) => {
    const daemon = await Daemon.start(t);
    let answer = { refuse: 'not yet' };
    const sink = await RtmpSink.listen({ decide: () => answer });
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon);
    const { uid } = await input.addOutput(sink.url('show'));
    const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    // A refusal is tried again late, and later each time.
    const { status } = await input.untilOutput(uid, 'retrying');
    assert.ok(Date.parse(status.nextRetryAt) - Date.now() > 5000, `next at ${status.nextRetryAt}`);
    answer = 'accept';
    const before = performance.now();
    await input.client.post(
      `/accounts/${daemon.account}/stream/live_inputs/${input.uid}/outputs/${uid}/retry`,
    );
    await input.untilOutput(uid, 'live');
    const took = performance.now() - before;
    t.diagnostic(`live after ${took.toFixed(0)} ms`);
    assert.ok(Date.now() < Date.parse(status.nextRetryAt), 'it was the retry that did it');
  });

  test('the figures come each second, of all inputs or of one', async (t) => {
    const daemon = await Daemon.start(t);
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const [one, other] = [await LiveInput.create(daemon), await LiveInput.create(daemon)];
    const { uid } = await one.addOutput(sink.url('show'));
    const encoder = await EndlessPublisher.start(one.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    await one.untilOutput(uid, 'live');
    const events = await EventSource.open(daemon);
    const ofOne = await EventSource.open(daemon, { input: one.uid });
    const ofOther = await EventSource.open(daemon, { input: other.uid });
    t.after(() => [events, ofOne, ofOther].forEach((source) => source.close()));
    assert.match(events.headers.get('content-type'), /^text\/event-stream/);

    // What is live is told at once, also to who comes late.
    await ofOne.until('output', ({ output, status }) => output === uid && status.state === 'live');
    await ofOne.until('input', ({ input, status }) => input === one.uid && status.state === 'connected');
    for (const source of [events, ofOne]) {
      const { data } = await source.until('stats', ({ inputs }) => inputs[0]?.stats && inputs[0].outputs[0]?.stats.framesSent > 0);
      assert.deepEqual(data.inputs.map(({ input }) => input), [one.uid]);
      assert.equal(data.inputs[0].stats.videoCodec, 'h264');
      assert.equal(data.inputs[0].outputs[0].output, uid);
    }
    await ofOther.until('stats', ({ inputs }) => inputs.length === 1 && inputs[0].stats === null);
    await until('a second report', () => events.all.filter(({ event }) => event === 'stats').length >= 3);
    assert.equal(ofOther.last('output'), undefined);
    await other.addOutput(sink.url('else'));
    await ofOther.until('changed');
    assert.equal(ofOne.last('changed'), undefined);
  });

  test('the event stream asks for credentials, and ends with the daemon', async (t) => {
    const daemon = await Daemon.start(t);
    assert.equal((await EventSource.open(daemon, { token: 'wrong' })).status, 401);
    assert.equal((await EventSource.open(daemon, { input: '0'.repeat(32) })).status, 404);
    const events = await EventSource.open(daemon);
    assert.equal(events.status, 200);
    await daemon.stop();
    await until('the end', () => events.ended);
  });

  test('a token that is taken away ends its event streams, and no others', async (t) => {
    const [stays, goes] = ['a-token-that-stays', 'a-token-that-goes'];
    const daemon = await Daemon.start(t, { token: stays, tokens: [stays, goes] });
    const kept = await EventSource.open(daemon, { token: stays });
    const lost = [await EventSource.open(daemon, { token: goes }), await EventSource.open(daemon, { token: goes })];
    t.after(() => [kept, ...lost].forEach((source) => source.close()));
    for (const source of [kept, ...lost]) await source.until('stats');
    daemon.options.tokens = [stays];
    writeFileSync(daemon.configFile, daemon.config());
    process.kill(daemon.pid, 'SIGHUP');
    for (const source of lost) {
      await until('the end', () => source.ended);
      const last = source.all.at(-1);
      assert.equal(last.event, 'end');
      assert.match(last.data.reason, /not valid any more/);
    }
    assert.match(daemon.log, /event streams have ended.* count=2/);
    assert.ok(!daemon.log.includes(goes));
    assert.equal((await EventSource.open(daemon, { token: goes })).status, 401);
    const before = kept.all.length;
    await until('more for the other', () => kept.all.length > before + 1);
    assert.equal(kept.ended, false);
  });

  test('too many event streams are turned away, and those that went make room', async (t) => {
    const daemon = await Daemon.start(t);
    const open = [];
    t.after(() => open.forEach((source) => source.close()));
    for (let i = 0; i < 64; i++) open.push(await EventSource.open(daemon));
    const refused = await EventSource.open(daemon);
    assert.equal(refused.status, 429);
    assert.equal(refused.problem.errors[0].code, 10016);
    for (const source of open.splice(0)) source.close();
    await until('room', async () => {
      const source = await EventSource.open(daemon);
      open.push(source);
      return source.status === 200;
    });
  });

  test('too many requests of one client are turned away for a moment, those of this machine never', async (t) => {
    const daemon = await Daemon.start(t, { requestsPerSecond: 1 });
    const ask = (headers = {}) => fetch(`${daemon.base}/healthz`, { headers });
    const elsewhere = { 'x-forwarded-for': '192.0.2.1' };
    // Two seconds' worth at once.
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(elsewhere)));
    assert.ok(answers.filter(({ status }) => status === 200).length >= 2);
    const refused = answers.find(({ status }) => status === 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    const { errors } = await refused.json();
    assert.equal(errors[0].code, 10016);
    assert.match(errors[0].message, /at most 1 a second/);
    for (let i = 0; i < 40; i++) assert.equal((await ask()).status, 200);
    await until('a good answer', async () => (await ask(elsewhere)).status === 200);
  });

  test('metrics: to this machine, by a token, or on a listener of their own', async (t) => {
    const daemon = await Daemon.start(t, { metrics: true });
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon, { meta: { name: 'a "show"\\\n' } });
    const secret = 'a-stream-key-that-stays-secret';
    const { uid } = await input.addOutput({ ...sink.url('x'), streamKey: secret }, { name: 'the first' });
    const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    const here = `${daemon.base}/metrics`;
    const own = `http://127.0.0.1:${daemon.ports.metrics}/metrics`;
    const value = (samples, name, labels = {}) =>
      samples.find(
        (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
      )?.value;

    const samples = await until('frames', async () => {
      const all = await metricsOf(own);
      return value(all, 'simulcastd_output_sent_frames_total', { output: uid }) > 30 && all;
    });
    assert.equal(value(samples, 'simulcastd_build_info'), 1);
    assert.equal(value(samples, 'simulcastd_input_state', { input: input.uid, state: 'connected' }), 1);
    assert.equal(value(samples, 'simulcastd_output_state', { output: uid, state: 'live' }), 1);
    assert.equal(value(samples, 'simulcastd_output_info', { output: uid, name: 'the first' }), 1);
    assert.ok(samples.some(({ name, labels }) => name === 'simulcastd_input_info' && labels.name.startsWith('a \\"show')));
    assert.ok(value(samples, 'simulcastd_input_received_bytes_total', { input: input.uid }) > 10_000);
    assert.ok(value(samples, 'simulcastd_store_seconds_count') > 0);
    assert.ok(value(samples, 'simulcastd_http_requests_total', { method: 'POST', status: '200' }) >= 2);
    assert.ok(value(samples, 'process_resident_memory_bytes') > 1e6);
    assert.ok(value(samples, 'simulcastd_shard_loop_lag_seconds', { shard: '0' }) >= 0);

    const text = await (await fetch(own)).text();
    for (const hidden of [secret, input.key, daemon.token]) assert.ok(!text.includes(hidden));
    assert.equal((await fetch(here)).status, 200);
    const forwarded = { 'x-forwarded-for': '192.0.2.1' };
    assert.equal((await fetch(here, { headers: forwarded })).status, 401);
    const authorization = `Bearer ${daemon.token}`;
    assert.equal((await fetch(here, { headers: { ...forwarded, authorization } })).status, 200);
    assert.equal((await fetch(own.replace('/metrics', '/healthz'))).status, 404);
    assert.equal((await fetch(own, { method: 'POST' })).status, 405);
  });

  test('the metrics are one text for all who ask at one time, and each client may ask so often', async (t) => {
    const daemon = await Daemon.start(t, { metrics: true, requestsPerSecond: 1 });
    const own = `http://127.0.0.1:${daemon.ports.metrics}/metrics`;
    const cpu = ({ text }) => /^process_cpu_seconds_total (\S+)$/m.exec(text)[1];
    const ask = async (headers = {}) => {
      const response = await fetch(own, { headers });
      return { status: response.status, retry: response.headers.get('retry-after'), text: await response.text() };
    };
    const texts = (await Promise.all(Array.from({ length: 50 }, () => ask()))).map(({ text }) => text);
    assert.ok(new Set(texts).size < texts.length / 2, `${new Set(texts).size} texts in ${texts.length} answers`);
    const first = cpu({ text: texts.at(-1) });
    await until('another text', async () => cpu(await ask()) !== first);
    const elsewhere = await Promise.all(Array.from({ length: 30 }, () => ask({ 'x-forwarded-for': '192.0.2.1' })));
    const refused = elsewhere.find(({ status }) => status === 429);
    assert.equal(refused.retry, '1');
    assert.match(refused.text, /at most 1 a second/);
  });
});
