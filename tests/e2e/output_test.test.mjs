// What a destination would say, before the show and while an output tries: the step that failed, and what to change.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import net from 'node:net';
import { describe, test } from 'node:test';
import { makeCertificates, TlsFront } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { freePort, NginxRtmp } from './lib/nginx_rtmp.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtSink } from './lib/srt_peers.mjs';
import { until } from './lib/until.mjs';

/** A server that answers each connection with `words` (null: nothing) and then with silence; gives its port. */
async function oddServer(t, words) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if (words) socket.end(words);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

const testOutput = async (input, destination) => {
  const path = `/accounts/${input.daemon.account}/stream/live_inputs/${input.uid}/outputs/test`;
  return (await input.client.post(path, { body: destination })).result;
};

// Most of their time is spent waiting.
describe('testing an output', { concurrency: 4 }, () => {
  test('a good destination: every step with its time, and no media', async (t) => {
    const daemon = await Daemon.start(t);
    const nginx = await NginxRtmp.start();
    t.after(() => nginx.stop());
    const input = await LiveInput.create(daemon);
    const result = await testOutput(input, nginx.output('show'));
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.steps.map(({ step, ok }) => `${step} ${ok}`),
      ['dns true', 'tcp true', 'rtmp handshake true', 'connect true', 'publish true'],
    );
    assert.ok(result.steps.every(({ ms, message }) => ms >= 0 && message === ''));
    await until('nginx to see the end', () => nginx.count('publish_done', 'show') === 1);
    assert.equal(statSync(nginx.file('show')).size, 0, 'nothing to record');
    assert.deepEqual(await input.outputs(), [], 'nothing was created');
  });

  test('by RTMPS and by SRT', async (t) => {
    const certificates = await makeCertificates();
    const daemon = await Daemon.start(t, { caFile: certificates.caFile });
    const sink = await RtmpSink.listen();
    const front = await TlsFront.listen(certificates.good, sink.port);
    t.after(async () => {
      await front.close();
      await sink.close();
    });
    const input = await LiveInput.create(daemon);
    const secure = await testOutput(input, { url: `rtmps://localhost:${front.port}/live`, streamKey: 'x' });
    assert.deepEqual(secure.steps.map(({ step }) => step), ['dns', 'tcp', 'tls', 'rtmp handshake', 'connect', 'publish']);
    assert.equal(secure.ok, true);
    const session = sink.named('x')[0];
    await until('the end', () => session.closed);
    assert.ok(session.fcUnpublish && session.deleteStream);
    assert.equal(session.media.length, 0);

    const passphrase = 'quite a good passphrase';
    const receiver = await SrtSink.listen({ passphrase });
    t.after(() => receiver.stop());
    const good = await testOutput(input, receiver.output);
    assert.deepEqual(good.steps.map(({ step }) => step), ['dns', 'srt handshake']);
    assert.equal(good.ok, true);
  });

  test('one that nobody waits for any more is given up', async (t) => {
    const daemon = await Daemon.start(t);
    const sockets = new Set();
    const server = net.createServer((socket) => {
      sockets.add(socket.on('error', () => {}).resume());
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const input = await LiveInput.create(daemon);
    const url = `rtmp://127.0.0.1:${server.address().port}/live`;
    let kept = 'waits';
    const first = testOutput(input, { url, streamKey: 'kept' }).then((result) => {
      kept = result;
    });
    await until('the first to call', () => sockets.size === 1);
    // As many as there may be at once, over and over.
    const endpoint = `${daemon.base}/client/v4/accounts/${daemon.account}/stream/live_inputs/${input.uid}/outputs/test`;
    for (let round = 0; round < 3; round += 1) {
      const leave = new AbortController();
      const options = { method: 'POST', headers: { authorization: `Bearer ${daemon.token}` }, signal: leave.signal };
      const left = Array.from({ length: 15 }, (_, i) =>
        fetch(endpoint, { ...options, body: JSON.stringify({ url, streamKey: `k${i}` }) }).catch(({ name }) => name),
      );
      await until('all of them to call', () => sockets.size === 16);
      leave.abort();
      assert.deepEqual(await Promise.all(left), Array(15).fill('AbortError'));
      await until('their destinations to be left alone', () => sockets.size === 1);
    }
    assert.equal(kept, 'waits', 'they were not merely timed out');
    await first;
    assert.match(kept.message, /RTMP handshake/);
  });

  test('what is wrong is named, in outputs/test and in the status, with what to change', async (t) => {
    const certificates = await makeCertificates();
    const daemon = await Daemon.start(t, { caFile: certificates.caFile });
    const nginx = await NginxRtmp.start({ deny: (name) => name === 'wrong-key' });
    const front = await TlsFront.listen(certificates.wrongHost, nginx.port);
    const old = await TlsFront.listen(certificates.expired, nginx.port);
    const silent = await oddServer(t, null);
    const web = await oddServer(t, 'HTTP/1.1 400 Bad Request\r\n\r\n');
    const closed = await freePort();
    t.after(async () => {
      await front.close();
      await old.close();
      await nginx.stop();
    });
    const input = await LiveInput.create(daemon);
    const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    const at = (scheme, host, port, streamKey = 'k') => ({ url: `${scheme}://${host}:${port}/live`, streamKey });
    const rows = [
      // what, destination, the step that fails, what its message says
      ['a wrong stream key', nginx.output('wrong-key'), 'publish', /stream key/],
      ['a wrong port', at('rtmp', '127.0.0.1', closed), 'tcp', /cannot connect to 127\.0\.0\.1:\d+.*refused/i],
      ['a certificate of another host', at('rtmps', 'localhost', front.port), 'tls', /TLS with localhost failed: .*host/i],
      ['an expired certificate', at('rtmps', 'localhost', old.port), 'tls', /TLS with localhost failed: .*expired/i],
      ['a name that does not exist', at('rtmp', 'no-such-host.invalid', 1935), 'dns', /host name cannot be resolved/],
      ['RTMPS to a port that speaks RTMP', at('rtmps', '127.0.0.1', nginx.port), 'tls', /TLS/],
      ['a server that says nothing', at('rtmp', '127.0.0.1', silent), 'rtmp handshake', /is there an RTMP server on this port/],
      ['a web server', at('rtmp', '127.0.0.1', web), 'rtmp handshake', /RTMP|closed the connection/],
      ['SRT where nobody listens', { url: `srt://127.0.0.1:${closed}`, streamKey: 's' }, 'srt handshake', /is an SRT server listening there \(UDP\)/],
    ];
    await Promise.all(
      rows.map(async ([what, destination, step, message]) => {
        const result = await testOutput(input, destination);
        assert.equal(result.ok, false, what);
        const last = result.steps.at(-1);
        assert.equal(last.step, step, `${what}: ${JSON.stringify(result)}`);
        assert.match(last.message, message, what);
        assert.equal(result.message, last.message);
        assert.ok(result.steps.slice(0, -1).every(({ ok }) => ok));
        const { uid } = await input.addOutput(destination);
        const { status } = await input.untilOutput(uid, 'retrying', { timeout: 60_000 });
        assert.match(status.message, message, what);
        t.diagnostic(`${what}: ${step}: ${status.message}`);
      }),
    );
  });

  test('bad requests, and one that would end a broadcast, are refused', async (t) => {
    const daemon = await Daemon.start(t, { deny: ['10.0.0.0/8'] });
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon);
    const refusal = (destination) => testOutput(input, destination).then(assert.fail, ({ status, errors }) => ({ status, ...errors[0] }));
    assert.equal((await refusal({ url: 'http://a/b', streamKey: 'k' })).code, 10010);
    assert.equal((await refusal({ url: 'rtmp://10.1.2.3/live', streamKey: 'k' })).code, 10010);
    assert.equal((await refusal({ url: 'rtmp://a/b' })).code, 10005);
    assert.equal((await refusal({ url: 'srt://0.0.0.0:9000?mode=listener', streamKey: '' })).code, 10010);

    const { uid } = await input.addOutput(sink.url('show'));
    const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    await input.untilOutput(uid, 'live');
    const { port } = sink;
    const spellings = [
      `${sink.url('show').url}/`, `rtmp://localhost:${port}/live`, `RTMP://LocalHost.:${port}/live`, `rtmp://127.1:${port}/live`,
      `rtmp://0x7f000001:${port}/live`, `rtmp://[::ffff:127.0.0.1]:${port}/live`, `rtmp://0.0.0.0:${port}/live`,
      `rtmp://127.0.0.1:${port}/live?`, `rtmp://127.0.0.1:0${port}//liv%65?a=b`,
    ];
    for (const url of spellings) {
      for (const streamKey of ['show', 'show?test=1', 's%68ow']) {
        const { status, message } = await refusal({ url, streamKey });
        assert.equal(status, 409, `${url} ${streamKey}`);
        assert.match(message, /would end its broadcast/);
      }
    }
    assert.equal(sink.named('show').length, 1);
    assert.equal(sink.sessions.length, 1, 'nobody else called there');
    assert.equal((await testOutput(input, sink.url('other'))).ok, true, 'another key there is another matter');
    assert.ok(sink.named('show')[0].live);
  });
});
