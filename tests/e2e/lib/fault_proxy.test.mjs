// The bad network is bad in the ways it says, and in no other.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { FaultProxy } from './fault_proxy.mjs';
import { until } from './until.mjs';

/** A server that collects what each client says, behind a proxy. */
async function scene(t, rules) {
  const heard = [];
  const sockets = [];
  const server = net.createServer((socket) => {
    const one = { text: Buffer.alloc(0), ended: false };
    heard.push(one);
    sockets.push(socket);
    socket.on('data', (bytes) => {
      one.text = Buffer.concat([one.text, bytes]);
    });
    socket.on('end', () => {
      one.ended = true;
    });
    socket.on('error', () => {});
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await FaultProxy.open({ to: server.address().port, ...rules });
  const connect = async () => {
    const client = net.connect({ port: proxy.port, host: '127.0.0.1' });
    client.on('error', (error) => {
      client.failure = error.code;
    });
    await until('the connection, or its refusal', () => !client.connecting || client.closed, { interval: 1 });
    return client;
  };
  t.after(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { proxy, heard, sockets, connect };
}

test('passes everything on, both ways, and the end', async (t) => {
  const { heard, sockets, connect } = await scene(t);
  const client = await connect();
  const bytes = randomBytes(3_000_000);
  client.write(bytes);
  await until('all of it', () => heard[0]?.text.length === bytes.length);
  assert.ok(heard[0].text.equals(bytes));
  sockets[0].write('answer');
  const [answer] = await once(client, 'data');
  assert.equal(String(answer), 'answer');
  client.end();
  await until('the end', () => heard[0].ended);
});

test('a slow link is as slow as it says, and holds little', async (t) => {
  const { proxy, heard, connect } = await scene(t, { bitrate: 8_000_000 });
  const client = await connect();
  const began = performance.now();
  const bytes = randomBytes(1_000_000);
  client.write(bytes);
  await until('all of it', () => heard[0]?.text.length === bytes.length);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 0.85, `1 MB passed in ${seconds} s`);
  assert.ok(heard[0].text.equals(bytes));
  proxy.set({ bitrate: 0 });
});

test('a delay is added to each way', async (t) => {
  const { proxy, sockets, connect } = await scene(t, { delayMs: 60 });
  const client = await connect();
  await until('the connection', () => sockets[0]);
  sockets[0].on('data', (bytes) => sockets[0].write(bytes));
  const began = performance.now();
  client.write('ping');
  await once(client, 'data');
  assert.ok(performance.now() - began >= 118);
  proxy.set({ delayMs: 0 });
});

test('a stalled link takes what the kernel takes; when it goes on, nothing is missing', async (t) => {
  const { proxy, heard, connect } = await scene(t);
  const client = await connect();
  client.write('first');
  await until('the first words', () => heard[0]?.text.length === 5);
  proxy.set({ mode: 'stall' });
  const bytes = randomBytes(16_000_000);
  client.write(bytes);
  await until('the kernel to be full', async () => {
    const { writableLength } = client;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return client.writableLength > 0 && client.writableLength === writableLength;
  });
  assert.equal(heard[0].text.length, 5);
  proxy.set({ mode: 'pass' });
  await until('the rest', () => heard[0].text.length === 5 + bytes.length);
  assert.ok(heard[0].text.subarray(5).equals(bytes));
});

test('what is swallowed is gone, and the sender does not notice', async (t) => {
  const { proxy, heard, connect } = await scene(t, { mode: 'swallow' });
  const client = await connect();
  client.write(randomBytes(8_000_000));
  await until('it to be gone', () => client.writableLength === 0);
  assert.equal(heard[0]?.text.length ?? 0, 0);
  assert.equal(proxy.forwarded, 0);
});

test('a cut ends with a FIN, a reset with a RST, a closed port refuses', async (t) => {
  const { proxy, connect } = await scene(t);
  for (const [act, failure] of [
    ['cut', undefined],
    ['reset', 'ECONNRESET'],
  ]) {
    const client = await connect();
    client.resume();
    await until('the connection', () => proxy.connections.length === 1);
    proxy[act]();
    await until('its end', () => client.closed);
    assert.equal(client.failure, failure);
    await until('the proxy to forget it', () => proxy.connections.length === 0);
  }
  await proxy.refuse();
  assert.equal((await connect()).failure, 'ECONNREFUSED');
  await proxy.accept();
  const again = await connect();
  assert.equal(again.failure, undefined);
  again.destroy();
});
