// The contract, through the official client with only its base URL changed.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import Cloudflare from 'cloudflare';
import { Daemon } from './lib/daemon.mjs';
import { LiveInput, sdk } from './lib/sdk.mjs';

const HEX = '[0-9a-f]{32}';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const DESTINATION = { url: 'rtmp://127.0.0.1:1/app', streamKey: 'key' };

describe('the official client', () => {
  let daemon;
  let client;
  let account;
  before(async () => {
    daemon = await Daemon.start();
    client = sdk(daemon);
    account = { account_id: daemon.account };
  });
  afterEach((t) => {
    if (!t.passed) daemon.showLog();
  });
  after(() => daemon.stop());

  // A client that would try again ten times, and how often it has asked.
  const eager = () => {
    let asked = 0;
    const counting = (...request) => {
      asked += 1;
      return fetch(...request);
    };
    return { retrying: sdk(daemon, { maxRetries: 10, fetch: counting }), tries: () => asked };
  };

  test('a live input: create, get, list, update, delete', async () => {
    const inputs = client.stream.liveInputs;
    const created = await inputs.create({
      ...account,
      meta: { name: 'first' },
      recording: { mode: 'automatic', timeoutSeconds: 10 },
      deleteRecordingAfterDays: 45,
    });
    assert.match(created.uid, new RegExp(`^${HEX}$`));
    assert.match(created.created, TIME);
    assert.equal(created.created, created.modified);
    assert.equal(created.enabled, true);
    assert.equal(created.status, null);
    assert.equal(created.deleteRecordingAfterDays, 45);
    assert.deepEqual(created.meta, { name: 'first' });
    assert.deepEqual(created.recording, {
      mode: 'automatic',
      timeoutSeconds: 10,
      requireSignedURLs: false,
      allowedOrigins: null,
      hideLiveViewerCount: false,
    });
    assert.equal(created.rtmp.url, `rtmp://localhost:${daemon.ports.rtmp}/live/`);
    assert.match(created.rtmp.streamKey, new RegExp(`^${HEX}k${created.uid}$`));
    assert.equal(created.rtmps, undefined, 'no address of a listener that is not there');
    assert.equal(created.srt, undefined, 'no address of a listener that is not there');
    assert.deepEqual(await inputs.get(created.uid, account), created);

    const list = await inputs.list(account);
    assert.equal(list.total, list.liveInputs.length);
    assert.equal(list.range, 0);
    const item = list.liveInputs.find(({ uid }) => uid === created.uid);
    assert.deepEqual(Object.keys(item).sort(), [
      'created',
      'deleteRecordingAfterDays',
      'enabled',
      'meta',
      'modified',
      'status',
      'uid',
    ]);
    assert.ok(!JSON.stringify(list).includes(created.rtmp.streamKey), 'a list never shows credentials');

    const updated = await inputs.update(created.uid, {
      ...account,
      meta: { name: 'second', more: [1] },
      recording: { timeoutSeconds: 20 },
    });
    assert.deepEqual(updated.meta, { name: 'second', more: [1] });
    assert.equal(updated.recording.mode, 'automatic', 'members of recording merge');
    assert.equal(updated.recording.timeoutSeconds, 20);
    assert.equal(updated.deleteRecordingAfterDays, 45, 'an absent member changes nothing');
    assert.equal(updated.rtmp.streamKey, created.rtmp.streamKey);
    assert.ok(updated.modified > created.modified);
    const unchanged = await inputs.update(created.uid, { ...account });
    assert.deepEqual({ ...unchanged, modified: 0 }, { ...updated, modified: 0 });

    const deleted = await inputs.delete(created.uid, account).asResponse();
    assert.equal(deleted.status, 200);
    assert.equal((await deleted.json()).result, '');
    await assert.rejects(inputs.get(created.uid, account), Cloudflare.NotFoundError);
    await assert.rejects(inputs.delete(created.uid, account), Cloudflare.NotFoundError);
  });

  test('an output: create, list, update, delete; gone with its input', async () => {
    const input = await LiveInput.create(daemon);
    const first = await input.addOutput(DESTINATION);
    const second = await input.addOutput({ ...DESTINATION, streamKey: 'other' }, { enabled: false });
    assert.match(first.uid, new RegExp(`^${HEX}$`));
    assert.deepEqual([first.url, first.streamKey, first.enabled], [DESTINATION.url, DESTINATION.streamKey, true]);
    assert.deepEqual([second.enabled, second.status.state], [false, 'disabled']);
    assert.deepEqual(
      (await input.outputs()).map((o) => o.uid),
      [first.uid, second.uid],
      'in the order of creation',
    );
    const updated = await input.enable(second.uid);
    assert.deepEqual([updated.uid, updated.enabled], [second.uid, true]);
    assert.equal((await input.outputs())[1].enabled, true, 'read your writes');
    await input.remove(first.uid);
    assert.deepEqual(
      (await input.outputs()).map((o) => o.uid),
      [second.uid],
    );
    await assert.rejects(input.remove(first.uid), Cloudflare.NotFoundError);
    await assert.rejects(input.enable(first.uid), Cloudflare.NotFoundError);
    await client.stream.liveInputs.delete(input.uid, account);
    await assert.rejects(input.outputs(), Cloudflare.NotFoundError);
    await assert.rejects(input.addOutput(DESTINATION), Cloudflare.NotFoundError);
  });

  test('errors are the classes of the client, with code, words and pointer', async () => {
    await assert.rejects(sdk(daemon, { token: 'wrong' }).stream.liveInputs.list(account), (error) => {
      assert.ok(error instanceof Cloudflare.AuthenticationError);
      assert.equal(error.errors[0].code, 10000);
      return true;
    });
    await assert.rejects(client.stream.liveInputs.get('0'.repeat(32), account), (error) => {
      assert.ok(error instanceof Cloudflare.NotFoundError);
      assert.equal(error.errors[0].code, 10003);
      return true;
    });
    const input = await LiveInput.create(daemon);
    await assert.rejects(input.addOutput({ url: 'ftp://example.org/x', streamKey: 'k' }), (error) => {
      assert.ok(error instanceof Cloudflare.BadRequestError);
      assert.equal(error.errors[0].code, 10010);
      assert.equal(error.errors[0].source.pointer, '/url');
      assert.match(error.errors[0].message, /rtmp/);
      return true;
    });
    await assert.rejects(client.stream.liveInputs.create({ ...account, deleteRecordingAfterDays: 7 }), (error) => {
      assert.ok(error instanceof Cloudflare.BadRequestError);
      assert.equal(error.errors[0].code, 10060);
      return true;
    });
  });

  test('the other way to show credentials: e-mail and key', async () => {
    const old = new Cloudflare({
      apiEmail: 'someone@example.org',
      apiKey: daemon.token,
      apiToken: null,
      baseURL: `${daemon.base}/client/v4`,
      maxRetries: 0,
    });
    assert.ok(Array.isArray((await old.stream.liveInputs.list(account)).liveInputs));
  });

  test('an idempotency key makes one input, however often it is sent', async () => {
    const create = (key) =>
      client.stream.liveInputs.create({ ...account, meta: { name: 'once' }, 'Idempotency-Key': key });
    const [first, ...others] = await Promise.all([create('same'), create('same'), create('same'), create('same')]);
    for (const other of others) assert.equal(other.uid, first.uid);
    assert.notEqual((await create('different')).uid, first.uid);
    await client.stream.liveInputs.delete(first.uid, account);
    // A retrying client must not try a lasting conflict again: the answer says x-should-retry: false.
    const { retrying, tries } = eager();
    await assert.rejects(
      retrying.stream.liveInputs.create({ ...account, 'Idempotency-Key': 'same' }),
      Cloudflare.ConflictError,
    );
    assert.equal(tries(), 1, 'the client retried');
    await assert.rejects(create('x'.repeat(256)), Cloudflare.BadRequestError);
  });

  test('fifty outputs at once, and the fifty-first is refused in words', async () => {
    const input = await LiveInput.create(daemon);
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, i) => input.addOutput({ ...DESTINATION, streamKey: `key-${i}` })),
    );
    assert.equal(new Set(made.map((o) => o.uid)).size, 50);
    const listed = await input.outputs();
    assert.deepEqual(new Set(listed.map((o) => o.streamKey)), new Set(made.map((o) => o.streamKey)));
    const { retrying, tries } = eager();
    await assert.rejects(new LiveInput(daemon, retrying, input.record).addOutput(DESTINATION), (error) => {
      assert.ok(error instanceof Cloudflare.BadRequestError);
      assert.equal(error.errors[0].code, 10013);
      assert.match(error.errors[0].message, /50/);
      return true;
    });
    assert.equal(tries(), 1, 'the client retried');
    await input.remove(made[7].uid);
    await input.addOutput(DESTINATION);
    assert.equal((await input.outputs()).length, 50);
  });

  test('enable, disable and new keys of an input', async () => {
    const input = await LiveInput.create(daemon);
    const post = async (what) =>
      (await client.post(`/accounts/${daemon.account}/stream/live_inputs/${input.uid}/${what}`)).result;
    assert.equal((await post('disable')).enabled, false);
    assert.equal((await input.get()).enabled, false);
    assert.equal((await post('enable')).enabled, true);
    const rotated = await post('rotate_keys');
    assert.notEqual(rotated.rtmp.streamKey, input.key);
    assert.match(rotated.keysRotatedAt, TIME);
    assert.deepEqual(
      (await client.get(`/accounts/${daemon.account}/stream/live_inputs/${input.uid}/videos`)).result,
      [],
    );
  });

  test('base URLs with a trailing slash, and doubled slashes, are forgiven', async () => {
    const slashed = new Cloudflare({ apiToken: daemon.token, baseURL: `${daemon.base}/client/v4/`, maxRetries: 0 });
    assert.ok((await slashed.stream.liveInputs.list(account)).liveInputs);
    assert.equal(
      (await daemon.request('GET', `//client//v4/accounts/${daemon.account}//stream/live_inputs/`)).status,
      200,
    );
  });
});
