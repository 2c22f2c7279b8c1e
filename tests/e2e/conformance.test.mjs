// Every call of the contract through the official client, its answers judged by the client's own types; and the shapes of
// requests that the clients of other languages send.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { makeCertificates } from './lib/certificates.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { sdk } from './lib/sdk.mjs';
import { SdkTypes } from './lib/sdk_types.mjs';
import { until } from './lib/until.mjs';

const types = new SdkTypes();
const LIVE_INPUTS = 'stream/live-inputs/live-inputs';
const OUTPUTS = 'stream/live-inputs/outputs';

// Where the declarations say something else than the original's wire and documentation, and the wire is followed:
// `status` is an object with history (the declarations have the reasons alone), and what is not set is null.
const ON_THE_WIRE = [/^\/status: \{/, /^\/deleteRecordingAfterDays: null /, /^\/recording\/allowedOrigins: null /];
// There is no player here, and no address is made up.
const NOT_SERVED = [/^\/(playback|rtmpsPlayback|srtPlayback|webRTC|webRTCPlayback): is missing$/];
const NOT_YET = [/^\/keysRotatedAt: is missing$/];

function assertTyped(name, file, value, exceptions = []) {
  const problems = types.problems(name, file, value);
  const told = problems.filter((problem) => !exceptions.some((exception) => exception.test(problem)));
  assert.deepEqual(told, [], name);
}
const assertLiveInput = (value, exceptions = NOT_YET) =>
  assertTyped('LiveInput', LIVE_INPUTS, value, [...ON_THE_WIRE, ...NOT_SERVED, ...exceptions]);
const assertOutput = (value) => assertTyped('Output', OUTPUTS, value);

describe('conformance', () => {
  let daemon;
  let client;
  let account;
  before(async () => {
    const { good } = await makeCertificates();
    daemon = await Daemon.start(undefined, { srt: {}, rtmps: good });
    client = sdk(daemon);
    account = { account_id: daemon.account };
  });
  after(() => daemon.stop());

  test('the judge sees what is wrong', () => {
    const problems = types.problems('LiveInput', LIVE_INPUTS, {
      uid: 1,
      recording: { mode: 'sometimes', allowedOrigins: ['a', 2] },
      created: null,
      srt: [],
    });
    for (const part of ['/uid: 1 is no string', '/recording/mode: "sometimes"', '/recording/allowedOrigins/1: 2']) {
      assert.ok(problems.some((problem) => problem.startsWith(part)), part);
    }
    for (const part of ['/created: null', '/srt: []', '/modified: is missing', '/recording/timeoutSeconds: is missing']) {
      assert.ok(problems.some((problem) => problem.startsWith(part)), part);
    }
  });

  test('every call of live inputs and outputs, each member by the declarations', async () => {
    const { liveInputs } = client.stream;
    const created = await liveInputs.create({
      ...account,
      meta: { name: 'all of it' },
      defaultCreator: 'somebody',
      deleteRecordingAfterDays: 30,
      enabled: true,
      preferLowLatency: true,
      recording: {
        mode: 'automatic',
        timeoutSeconds: 5,
        requireSignedURLs: true,
        allowedOrigins: ['example.com'],
        hideLiveViewerCount: true,
      },
    });
    assertLiveInput(created);
    assert.equal(created.recording.mode, 'automatic');
    assertLiveInput(await liveInputs.create(account));
    assertLiveInput(await liveInputs.get(created.uid, account));

    const updated = await liveInputs.update(created.uid, {
      ...account,
      meta: { name: 'another' },
      defaultCreator: 'somebody else',
      deleteRecordingAfterDays: 45,
      enabled: false,
      preferLowLatency: false,
      recording: { mode: 'off', timeoutSeconds: 0, requireSignedURLs: false, allowedOrigins: [], hideLiveViewerCount: false },
    });
    assertLiveInput(updated);
    assert.deepEqual(updated.recording.allowedOrigins, []);
    assertLiveInput(await liveInputs.update(created.uid, { ...account, enabled: true }));

    for (const include_counts of [undefined, true, false]) {
      const list = await liveInputs.list({ ...account, include_counts });
      assertTyped('LiveInputListResponse', LIVE_INPUTS, list, [/^\/liveInputs\/\d+\/deleteRecordingAfterDays: null /]);
      assert.equal(list.total, list.liveInputs.length);
    }

    const rotated = await client.post(`/accounts/${daemon.account}/stream/live_inputs/${created.uid}/rotate_keys`);
    assertLiveInput(rotated.result, []);

    // While something is live the status is there, too.
    const encoder = await EndlessPublisher.start(
      { port: daemon.ports.rtmp, key: rotated.result.rtmp.streamKey },
      await fixtureTags(),
    );
    const live = await until('the status', async () => {
      const input = await liveInputs.get(created.uid, account);
      return input.status?.current.state === 'connected' && input;
    });
    assertLiveInput(live, []);

    const ids = { ...account, live_input_identifier: created.uid };
    const { outputs } = liveInputs;
    const output = await outputs.create(created.uid, {
      ...account,
      url: 'rtmp://127.0.0.1:1/live',
      streamKey: 'key',
      enabled: true,
    });
    assertOutput(output);
    assertOutput(await outputs.update(output.uid, { ...ids, enabled: false }));
    let listed = 0;
    for await (const item of outputs.list(created.uid, account)) {
      assertOutput(item);
      listed += 1;
    }
    assert.equal(listed, 1);
    await outputs.delete(output.uid, ids);
    encoder.vanish();
    await liveInputs.delete(created.uid, account);
    await assert.rejects(liveInputs.get(created.uid, account), { status: 404 });
  });

  // The Python client sends its bodies with these; the Go client nothing with DELETE but its own headers; the original's
  // own curl examples send JSON typed as a form.
  const SHAPES = {
    Python: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate',
      'content-type': 'application/json',
      'user-agent': 'Cloudflare/Python 4.3.1',
      'x-stainless-lang': 'python',
      'x-stainless-package-version': '4.3.1',
      'x-stainless-os': 'Linux',
      'x-stainless-runtime': 'CPython',
      'x-stainless-async': 'false',
      'x-stainless-retry-count': '0',
      'x-stainless-read-timeout': '60',
    },
    Go: {
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'Cloudflare/Go 4.6.0',
      'x-stainless-lang': 'go',
      'x-stainless-retry-count': '0',
      'x-stainless-timeout': '0',
    },
    'curl -d': { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'curl/7.88.1' },
  };
  for (const [language, headers] of Object.entries(SHAPES)) {
    test(`the main flows as ${language} sends them`, async () => {
      const slash = language === 'Go' ? '/' : ''; // its base URL ends in one, and so do paths joined to it
      const root = `${daemon.base}/client/v4/${slash}accounts/${daemon.account}/stream/live_inputs`;
      const ask = async (method, path, body) => {
        const response = await fetch(root + path, {
          method,
          headers: { ...headers, authorization: `Bearer ${daemon.token}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        assert.match(response.headers.get('content-type'), /^application\/json/);
        const answer = await response.json();
        assert.equal(response.status, 200, JSON.stringify(answer.errors));
        assert.deepEqual([answer.success, answer.errors], [true, []]);
        return answer.result;
      };
      const input = await ask('POST', slash, { meta: { name: language }, recording: { mode: 'off' } });
      assertLiveInput(input);
      assert.equal((await ask('GET', `/${input.uid}`)).uid, input.uid);
      assert.equal((await ask('PUT', `/${input.uid}`, { meta: { name: 'b' } })).meta.name, 'b');
      assert.ok((await ask('GET', `${slash}?include_counts=true`)).liveInputs.some(({ uid }) => uid === input.uid));
      const output = await ask('POST', `/${input.uid}/outputs`, { url: 'rtmps://a.example/x', streamKey: 'k' });
      assertOutput(output);
      assert.equal((await ask('PUT', `/${input.uid}/outputs/${output.uid}`, { enabled: false })).enabled, false);
      assert.equal((await ask('GET', `/${input.uid}/outputs${slash}`)).length, 1);
      assert.equal(await ask('DELETE', `/${input.uid}/outputs/${output.uid}`), '');
      assert.equal(await ask('DELETE', `/${input.uid}`), '');
    });
  }
});
