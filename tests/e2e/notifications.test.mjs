// Webhooks: managed by the official client, and what they get to hear of a broadcast.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCertificates } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput, sdk } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';
import { WebhookReceiver } from './lib/webhook_receiver.mjs';

const ID = /^[0-9a-f]{32}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const SECRET = 'a-webhook-secret';

async function receiver(t, options) {
  const made = await WebhookReceiver.listen(options);
  t.after(() => made.close());
  return made;
}

/** A webhook and a policy that names it; gives their ids. */
async function subscribe(daemon, url, { filters, secret = SECRET, name = 'Receiver' } = {}) {
  const { destinations, policies } = sdk(daemon).alerting;
  const account_id = daemon.account;
  const webhook = await destinations.webhooks.create({ account_id, name, url, secret });
  const policy = await policies.create({
    account_id,
    name: 'policy',
    enabled: true,
    alert_type: 'stream_live_notifications',
    mechanisms: { webhooks: [{ id: webhook.id }] },
    ...(filters ? { filters } : {}),
  });
  return { webhook: webhook.id, policy: policy.id };
}

async function publish(input) {
  return EndlessPublisher.start(input.publishTo, await fixtureTags());
}

/** A broadcast that begins and ends. */
async function broadcast(input) {
  const encoder = await publish(input);
  await input.untilConnected();
  await encoder.stop();
  await input.untilConnected(false);
}

async function collect(pages) {
  const all = [];
  for await (const item of pages) all.push(item);
  return all;
}

// Most of their time is spent waiting.
describe('notifications', { concurrency: 3 }, () => {
  test('webhook destinations by the official client', async (t) => {
    const daemon = await Daemon.start(t);
    const { webhooks } = sdk(daemon).alerting.destinations;
    const account = { account_id: daemon.account };
    const url = 'https://hooks.example.com/services/T0/B0?x=1';
    const { id } = await webhooks.create({ ...account, name: 'First', url, secret: SECRET });
    assert.match(id, ID);
    const got = await webhooks.get(id, account);
    const { created_at, ...rest } = got;
    assert.match(created_at, TIME);
    assert.deepEqual(rest, { id, name: 'First', url, type: 'generic' });
    const second = await webhooks.create({ ...account, name: 'Second', url: 'http://[::1]:8080' });
    assert.deepEqual(
      (await collect(webhooks.list(account))).map(({ name }) => name),
      ['First', 'Second'],
    );
    const updated = await webhooks.update(id, { ...account, name: 'Renamed', url: 'https://other.example.com/' });
    assert.deepEqual(updated, { id });
    assert.equal((await webhooks.get(id, account)).name, 'Renamed');
    assert.equal((await webhooks.delete(second.id, account)).success, true);
    await assert.rejects(webhooks.get(second.id, account), { status: 404 });
    await assert.rejects(webhooks.delete(second.id, account), { status: 404 });
    for (const bad of ['ftp://example.com/', 'https://u:p@example.com/', 'example.com', 'http://169.254.169.254/x']) {
      await assert.rejects(webhooks.create({ ...account, name: 'Bad', url: bad }), (error) => {
        assert.equal(error.status, 400, bad);
        assert.equal(error.errors[0].code, 10010, bad);
        return true;
      });
    }
    await daemon.crash();
    await daemon.restart();
    assert.equal((await webhooks.get(id, account)).url, 'https://other.example.com/');
    assert.ok(!daemon.log.includes(SECRET) && !daemon.log.includes('services'));
  });

  test('policies by the official client', async (t) => {
    const daemon = await Daemon.start(t);
    const { destinations, policies } = sdk(daemon).alerting;
    const account = { account_id: daemon.account };
    const webhook = await destinations.webhooks.create({ ...account, name: 'Hook', url: 'https://example.com/' });
    const fields = {
      name: 'Live events',
      description: 'What happens',
      enabled: true,
      alert_type: 'stream_live_notifications',
      filters: { input_id: ['0123456789abcdef0123456789abcdef'], event_type: ['live_input.connected'] },
      mechanisms: { webhooks: [{ id: webhook.id }] },
    };
    const { id } = await policies.create({ ...account, ...fields });
    assert.match(id, ID);
    const { created, modified, ...rest } = await policies.get(id, account);
    assert.match(created, TIME);
    assert.equal(created, modified);
    assert.deepEqual(rest, { id, ...fields });
    assert.deepEqual(await policies.update(id, { ...account, enabled: false, filters: {} }), { id });
    const after = await policies.get(id, account);
    assert.equal(after.enabled, false);
    assert.deepEqual(after.filters, {});
    assert.equal(after.name, fields.name);
    assert.ok(after.modified > created);
    assert.deepEqual(await collect(policies.list(account)), [after]);
    await destinations.webhooks.delete(webhook.id, account);
    assert.deepEqual((await policies.get(id, account)).mechanisms, { webhooks: [] });
    assert.equal((await policies.delete(id, account)).success, true);
    await assert.rejects(policies.get(id, account), { status: 404 });
    const pointer = async (change) => {
      const error = await policies.create({ ...account, ...fields, ...change }).then(
        () => assert.fail('it was accepted'),
        (why) => why,
      );
      assert.equal(error.status, 400);
      return error.errors[0].source.pointer;
    };
    assert.equal(await pointer({}), '/mechanisms/webhooks/0/id', 'the webhook is gone');
    assert.equal(await pointer({ alert_type: 'dos_attack_l7' }), '/alert_type');
    assert.equal(await pointer({ filters: { event_type: ['live_input.started'] } }), '/filters/event_type/0');
    assert.equal(await pointer({ mechanisms: { email: [{ id: 'a@example.com' }] } }), '/mechanisms/email');
  });

  test('a broadcast is told from its beginning to its end', async (t) => {
    const daemon = await Daemon.start(t);
    const hook = await receiver(t);
    const input = await LiveInput.create(daemon, { meta: { name: 'Main stage' } });
    const { webhook } = await subscribe(daemon, hook.url('/a/path?token=t'));
    const began = Math.floor(Date.now() / 1000);
    await broadcast(input);
    await hook.untilAccepted('live_input.disconnected');
    assert.deepEqual(hook.types, ['live_input.connected', 'live_input.disconnected']);
    const [request] = hook.requests;
    assert.equal(request.method, 'POST');
    assert.equal(request.path, '/a/path?token=t');
    assert.equal(request.headers.host, `127.0.0.1:${hook.port}`);
    assert.equal(request.headers['cf-webhook-auth'], SECRET);
    assert.equal(request.headers['content-type'], 'application/json');
    const { ts, data, ...rest } = request.body;
    assert.ok(ts >= began && ts <= Date.now() / 1000, String(ts));
    assert.match(data.updated_at, TIME);
    assert.deepEqual(data, {
      notification_name: 'Stream Live Input',
      input_id: input.uid,
      event_type: 'live_input.connected',
      updated_at: data.updated_at,
    });
    assert.deepEqual(rest, { name: 'Receiver', text: `Live input "Main stage" (${input.uid}) is connected by RTMP` });
    const shown = await until('the success to show', async () => {
      const now = await sdk(daemon).alerting.destinations.webhooks.get(webhook, { account_id: daemon.account });
      return now.last_success && now;
    });
    assert.match(shown.last_success, TIME);
    assert.equal(shown.last_failure, undefined);
  });

  test('an encoder that does not come back is an error', async (t) => {
    const daemon = await Daemon.start(t, { hold: '1s' });
    const hook = await receiver(t);
    const input = await LiveInput.create(daemon);
    await subscribe(daemon, hook.url(), { secret: undefined });
    const encoder = await publish(input);
    await until('the figures', async () => (await input.get()).stats?.videoCodec);
    encoder.vanish();
    const { data } = await hook.untilAccepted('live_input.errored');
    assert.deepEqual(hook.types, ['live_input.connected', 'live_input.disconnected', 'live_input.errored']);
    assert.equal(data.live_input_errored.error.code, 'ERR_TTL_EXCEEDED');
    assert.equal(data.live_input_errored.video_codec, 'h264');
    assert.equal(data.live_input_errored.audio_codec, 'aac');
    assert.match(hook.accepted()[1].text, /has lost its encoder/);
  });

  test('filters by input and by event, and policies that are off', async (t) => {
    const daemon = await Daemon.start(t);
    const [one, other] = [await LiveInput.create(daemon), await LiveInput.create(daemon)];
    const hooks = {};
    for (const [name, filters] of Object.entries({
      all: undefined,
      input: { input_id: [other.uid] },
      event: { event_type: ['live_input.disconnected'] },
      both: { input_id: [one.uid], event_type: ['live_input.connected'] },
      off: undefined,
    })) {
      hooks[name] = await receiver(t);
      const { policy } = await subscribe(daemon, hooks[name].url(), { filters });
      if (name === 'off') {
        await sdk(daemon).alerting.policies.update(policy, { account_id: daemon.account, enabled: false });
      }
    }
    await broadcast(one);
    await broadcast(other);
    await hooks.all.untilAccepted('live_input.disconnected', 2);
    await hooks.input.untilAccepted('live_input.disconnected');
    await hooks.event.untilAccepted('live_input.disconnected', 2);
    const told = (hook) => hook.accepted().map(({ data }) => [data.input_id, data.event_type.split('.')[1]]);
    assert.deepEqual(told(hooks.all), [
      [one.uid, 'connected'],
      [one.uid, 'disconnected'],
      [other.uid, 'connected'],
      [other.uid, 'disconnected'],
    ]);
    assert.deepEqual(told(hooks.input), [
      [other.uid, 'connected'],
      [other.uid, 'disconnected'],
    ]);
    assert.deepEqual(told(hooks.event), [
      [one.uid, 'disconnected'],
      [other.uid, 'disconnected'],
    ]);
    assert.deepEqual(told(hooks.both), [[one.uid, 'connected']]);
    assert.deepEqual(told(hooks.off), []);
  });

  test('one that answers 500 three times gets all in their order', async (t) => {
    const daemon = await Daemon.start(t);
    const hook = await receiver(t, { answer: (_, nth) => (nth < 3 ? 500 : 204) });
    const input = await LiveInput.create(daemon);
    const { webhook } = await subscribe(daemon, hook.url('/secret-path'));
    await broadcast(input);
    await hook.untilAccepted('live_input.disconnected', 1, { timeout: 60_000 });
    assert.deepEqual(hook.types, ['live_input.connected', 'live_input.disconnected']);
    const tries = hook.requests.slice(0, 4);
    assert.deepEqual(
      tries.map(({ body }) => body),
      Array(4).fill(tries[0].body),
      'the same, until it is accepted',
    );
    const number = ({ headers }) => headers['simulcastd-delivery'];
    assert.equal(new Set(tries.map(number)).size, 1);
    assert.notEqual(number(hook.requests[4]), number(tries[0]));
    // 1, 2 and 4 s; a busy machine may have seen the first one late.
    assert.ok(tries[3].at - tries[0].at >= 4000, 'each wait is longer than the one before');
    const about = () => daemon.log.split('\n').filter((line) => line.includes(`webhook=${webhook}`));
    await until('the log to say so', () => about().some((line) => line.includes('works again')));
    assert.equal(about().filter((line) => line.includes('webhook failed')).length, 1, 'told once');
    assert.ok(about().some((line) => line.includes('url=http://127.0.0.1 cause="it answered 500"')));
    assert.ok(!daemon.log.includes('secret-path') && !daemon.log.includes(SECRET));
  });

  test('one that is away while the daemon crashes gets all afterwards', async (t) => {
    const daemon = await Daemon.start(t);
    const gone = await receiver(t);
    const { port } = gone;
    await gone.close();
    const input = await LiveInput.create(daemon);
    const { webhook } = await subscribe(daemon, `http://127.0.0.1:${port}/`);
    await broadcast(input);
    await until('the failure to show', async () => {
      const { webhooks } = sdk(daemon).alerting.destinations;
      return (await webhooks.get(webhook, { account_id: daemon.account })).last_failure;
    });
    await daemon.crash();
    const hook = await receiver(t, { port });
    await daemon.restart();
    await hook.untilAccepted('live_input.disconnected');
    assert.deepEqual(hook.types, ['live_input.connected', 'live_input.disconnected']);
    await broadcast(input);
    await hook.untilAccepted('live_input.disconnected', 2);
    assert.equal(hook.requests.length, 4, 'nothing twice');
  });

  test('one that never answers keeps nobody waiting', async (t) => {
    const daemon = await Daemon.start(t);
    const deaf = await receiver(t, { answer: () => 'never' });
    const hook = await receiver(t);
    const input = await LiveInput.create(daemon);
    for (let i = 0; i < 8; ++i) await subscribe(daemon, deaf.url());
    await subscribe(daemon, hook.url());
    await broadcast(input);
    await hook.untilAccepted('live_input.disconnected');
    await until('all of them to be asked', () => deaf.requests.length === 8);
    await broadcast(input); // and the API goes on
    await hook.untilAccepted('live_input.disconnected', 2);
    assert.equal(deaf.requests.length, 8, 'one request at a time to each, and those still wait');
  });

  test('one that is given another address is asked there at once', async (t) => {
    const daemon = await Daemon.start(t);
    const wrong = await receiver(t, { answer: () => ({ status: 302, headers: { location: '/elsewhere' } }) });
    const hook = await receiver(t);
    const input = await LiveInput.create(daemon);
    const { webhook } = await subscribe(daemon, wrong.url());
    await broadcast(input);
    await until('a few tries', () => wrong.requests.length === 3);
    assert.ok(wrong.requests.every(({ path }) => path === '/hook'), 'redirects are not followed');
    const { webhooks } = sdk(daemon).alerting.destinations;
    await webhooks.update(webhook, { account_id: daemon.account, name: 'Moved', url: hook.url() });
    await hook.untilAccepted('live_input.disconnected');
    assert.equal(hook.requests[0].headers['cf-webhook-auth'], SECRET, 'the secret stays');
  });

  test('a deleted one hears nothing more', async (t) => {
    const daemon = await Daemon.start(t);
    let up = false;
    const hook = await receiver(t, { answer: () => (up ? 200 : 503) });
    const witness = await receiver(t);
    const input = await LiveInput.create(daemon);
    const { webhook } = await subscribe(daemon, hook.url());
    await subscribe(daemon, witness.url());
    await broadcast(input);
    await until('a try', () => hook.requests.length > 0);
    await sdk(daemon).alerting.destinations.webhooks.delete(webhook, { account_id: daemon.account });
    up = true;
    await daemon.stop();
    await daemon.restart();
    await broadcast(input);
    await witness.untilAccepted('live_input.disconnected', 2);
    assert.deepEqual(hook.accepted(), []);
  });

  test('over TLS, and only with a good certificate', async (t) => {
    const certificates = await makeCertificates();
    const daemon = await Daemon.start(t, { caFile: certificates.caFile });
    const good = await receiver(t, { tls: certificates.good });
    const bad = {};
    for (const name of ['wrongHost', 'selfSigned', 'expired']) {
      bad[name] = await receiver(t, { tls: certificates[name] });
      await subscribe(daemon, bad[name].url());
    }
    await subscribe(daemon, good.url('/by-address'));
    await subscribe(daemon, good.url('/by-name', 'localhost'));
    const input = await LiveInput.create(daemon);
    await broadcast(input);
    await good.untilAccepted('live_input.disconnected', 2);
    assert.deepEqual(new Set(good.requests.map(({ path }) => path)), new Set(['/by-address', '/by-name']));
    await until('the failures', () => daemon.log.match(/cause="TLS failed: certificate not accepted/g)?.length === 3);
    for (const [name, { requests }] of Object.entries(bad)) assert.deepEqual(requests, [], name);
  });

  test('a name that leads to a denied network is not asked', async (t) => {
    const daemon = await Daemon.start(t, { deny: ['127.0.0.0/8', '::1/128'] });
    const hook = await receiver(t);
    const input = await LiveInput.create(daemon);
    await subscribe(daemon, hook.url('/', 'localhost'));
    await broadcast(input);
    await until('the log to say so', () =>
      daemon.log.includes('url=http://localhost cause="the host\'s address is in a network that outputs may not go to"'),
    );
    assert.deepEqual(hook.requests, []);
  });

  test('outputs: refused, accepted, switched off', async (t) => {
    const daemon = await Daemon.start(t);
    const hook = await receiver(t);
    let open = false;
    const sink = await RtmpSink.listen({ decide: () => (open ? 'accept' : { refuse: 'come back later' }) });
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon, { meta: { name: 'Show' } });
    const original = await receiver(t);
    await subscribe(daemon, original.url());
    await subscribe(daemon, hook.url(), {
      filters: { event_type: ['output.connected', 'output.disconnected', 'output.errored', 'output.retrying'] },
    });
    const output = await input.addOutput(sink.url('a-secret-key'), { name: 'Tube' });
    const encoder = await publish(input);
    const { data, text } = await hook.untilAccepted('output.errored');
    assert.match(data.message, /come back later/);
    assert.deepEqual(data, {
      notification_name: 'Stream Live Input',
      input_id: input.uid,
      event_type: 'output.errored',
      updated_at: data.updated_at,
      output_id: output.uid,
      output_name: 'Tube',
      state: 'retrying',
      message: data.message,
    });
    assert.match(text, /^Output "Tube" \(.*\) of live input "Show" \(.*\) has failed and is tried again: .*come back/);
    open = true;
    // The destination has said no: left alone, the next try would be a minute later.
    await daemon.request('POST', `/${input.uid}/outputs/${output.uid}/retry`);
    assert.equal((await hook.untilAccepted('output.connected')).data.state, 'live');
    await input.disable(output.uid);
    await hook.untilAccepted('output.disconnected');
    await input.enable(output.uid);
    await hook.untilAccepted('output.connected', 2);
    await input.remove(output.uid);
    const deleted = await hook.untilAccepted('output.disconnected', 2);
    assert.equal(deleted.data.output_name, 'Tube');
    assert.deepEqual(hook.types, [
      'output.errored',
      'output.connected',
      'output.disconnected',
      'output.connected',
      'output.disconnected',
    ]);
    assert.ok(hook.requests.every(({ body }) => !JSON.stringify(body).includes('a-secret-key')));
    await encoder.stop();
    await original.untilAccepted('live_input.disconnected');
    assert.deepEqual(original.types, ['live_input.connected', 'live_input.disconnected'], 'no events of ours unasked');
  });
});
