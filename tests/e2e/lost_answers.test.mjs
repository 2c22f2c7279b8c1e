// Answers that get lost on their way, and clients that then ask again: nothing is made twice where a key says so, and
// nothing is wrong anywhere else.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { sdk } from './lib/sdk.mjs';

/** A way to the daemon that loses the answer to the first `lose` requests with a body or effect; counts all of them. */
class LossyWay {
  passed = 0;
  lost = 0;

  static async open(daemon, lose = 1) {
    const way = new LossyWay();
    way.server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const answer = await fetch(daemon.base + request.url, {
        method: request.method,
        headers: Object.fromEntries(
          Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)),
        ),
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      });
      const body = Buffer.from(await answer.arrayBuffer());
      way.passed += 1;
      if (way.lost < lose) {
        way.lost += 1;
        request.socket.resetAndDestroy();
        return;
      }
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(body);
    });
    await new Promise((listening) => way.server.listen(0, '127.0.0.1', listening));
    way.base = `http://127.0.0.1:${way.server.address().port}`;
    return way;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe('lost answers', () => {
  let daemon;
  let direct;
  let account;
  before(async () => {
    daemon = await Daemon.start(undefined, { logLevel: 'info' });
    direct = sdk(daemon);
    account = { account_id: daemon.account };
  });
  after(() => daemon.stop());

  const inputs = async () => (await direct.stream.liveInputs.list(account)).liveInputs;
  const outputsOf = async (uid) => {
    const all = [];
    for await (const output of direct.stream.liveInputs.outputs.list(uid, account)) all.push(output);
    return all;
  };
  /** Runs `work` with a client that tries again, over a way that loses one answer. */
  const lossy = async (work, { lose = 1, maxRetries = 2 } = {}) => {
    const way = await LossyWay.open(daemon, lose);
    try {
      const result = await work(sdk({ ...daemon, base: way.base, token: daemon.token, account: daemon.account }, { maxRetries }));
      assert.equal(way.lost, lose);
      assert.equal(way.passed, lose + 1);
      return result;
    } finally {
      way.close();
    }
  };
  const keyed = (key) => ({ headers: { 'Idempotency-Key': key } });

  test('creating an input, with a key: one, and its answer', async () => {
    const before = (await inputs()).length;
    const made = await lossy((client) => client.stream.liveInputs.create({ ...account, meta: { name: 'once' } }, keyed('one')));
    const now = await inputs();
    assert.equal(now.length, before + 1);
    assert.equal(now.at(-1).uid, made.uid);
  });

  test('creating an input, ten answers lost and the daemon killed in between: still one', async () => {
    const before = (await inputs()).length;
    const first = await lossy((client) => client.stream.liveInputs.create(account, keyed('ten')), { lose: 10, maxRetries: 10 });
    await daemon.crash();
    await daemon.restart();
    const again = await direct.stream.liveInputs.create(account, keyed('ten'));
    assert.equal(again.uid, first.uid);
    assert.equal((await inputs()).length, before + 1);
  });

  test('creating an input without a key: what was made is whole, and each is one of its own', async () => {
    const before = await inputs();
    const made = await lossy((client) => client.stream.liveInputs.create({ ...account, meta: { name: 'twice' } }));
    const fresh = (await inputs()).slice(before.length);
    assert.equal(fresh.length, 2);
    assert.ok(fresh.every(({ meta }) => meta.name === 'twice'));
    assert.equal(fresh.at(-1).uid, made.uid);
    const [a, b] = await Promise.all(fresh.map(({ uid }) => direct.stream.liveInputs.get(uid, account)));
    assert.notEqual(a.rtmp.streamKey, b.rtmp.streamKey);
  });

  test('creating an output, with a key: one', async () => {
    const { uid } = await direct.stream.liveInputs.create(account);
    const to = { ...account, url: 'rtmp://a.example/live', streamKey: 'k' };
    const made = await lossy((client) => client.stream.liveInputs.outputs.create(uid, to, keyed('out')));
    assert.deepEqual((await outputsOf(uid)).map((output) => output.uid), [made.uid]);
  });

  test('updates and deletions come to the same as once', async () => {
    const { uid } = await direct.stream.liveInputs.create(account);
    const updated = await lossy((client) => client.stream.liveInputs.update(uid, { ...account, meta: { n: 1 } }));
    assert.deepEqual(updated.meta, { n: 1 });
    const to = { ...account, url: 'rtmp://a.example/live', streamKey: 'k' };
    const output = await direct.stream.liveInputs.outputs.create(uid, to);
    const ids = { ...account, live_input_identifier: uid };
    const off = await lossy((client) => client.stream.liveInputs.outputs.update(output.uid, { ...ids, enabled: false }));
    assert.equal(off.enabled, false);
    // The second time there is nothing left to delete, which the client is told: not found, and so deleted.
    await assert.rejects(
      lossy((client) => client.stream.liveInputs.outputs.delete(output.uid, ids)),
      { status: 404 },
    );
    assert.deepEqual(await outputsOf(uid), []);
    await assert.rejects(lossy((client) => client.stream.liveInputs.delete(uid, account)), { status: 404 });
    assert.ok((await inputs()).every((input) => input.uid !== uid));
  });

  test('every other POST may be seen twice', async (t) => {
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const { uid } = await direct.stream.liveInputs.create(account);
    const root = `/accounts/${daemon.account}/stream/live_inputs/${uid}`;
    const post = (path, body) => lossy(async (client) => (await client.post(root + path, { body })).result);
    assert.equal((await post('/disable')).enabled, false);
    assert.equal((await post('/enable')).enabled, true);
    const rotated = await post('/rotate_keys');
    const now = await direct.stream.liveInputs.get(uid, account);
    assert.equal(now.rtmp.streamKey, rotated.rtmp.streamKey, 'the keys of the last answer count');
    const output = await direct.stream.liveInputs.outputs.create(uid, { ...account, ...sink.url('x') });
    assert.equal((await post(`/outputs/${output.uid}/retry`)).uid, output.uid);
    assert.equal((await post('/outputs/test', sink.url('y'))).ok, true);
    assert.equal((await outputsOf(uid)).length, 1);
  });
});
