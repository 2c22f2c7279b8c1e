// What strangers do to the daemon, each a function that gives, as text, what came back.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { Child, tempDir } from './cleanup.mjs';
import { BINARY } from './daemon.mjs';
import { Type } from './rtmp.mjs';
import { RtmpPublisher } from './rtmp_publisher.mjs';
import { until } from './until.mjs';

const PATIENCE = 60_000; // the longest deadline a stranger has is 15 s

/** Sends bytes to a port and waits until the other side closes. */
export async function raw(port, bytes, { secure } = {}) {
  const socket = secure
    ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    : net.connect({ host: '127.0.0.1', port });
  let received = Buffer.alloc(0);
  let closed = false;
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.write(bytes);
  try {
    await until('the other side to close', () => closed, { timeout: PATIENCE });
  } finally {
    socket.destroy();
  }
  return received.length ? `closed after ${received.length} bytes` : 'closed';
}

/** Shakes hands, lets `act` misbehave, and waits for the end; gives the server's words and that it closed. */
export async function misbehave(input, act) {
  const publisher = await RtmpPublisher.connect(input.publishTo);
  try {
    await act(publisher);
    await until('the other side to close', () => publisher.closed, { timeout: PATIENCE });
  } finally {
    publisher.vanish();
  }
  return publisher.refusal ? `${publisher.refusal}; closed` : 'closed';
}

/** Publishes under these names; gives 'published' or the refusal. */
export async function publishAs(input, names) {
  const publisher = await RtmpPublisher.connect({ ...input.publishTo, ...names });
  try {
    await publisher.publish();
    await publisher.end();
    return 'published';
  } catch (error) {
    if (!publisher.refusal) return error.message;
    await until('the other side to close', () => publisher.closed, { timeout: PATIENCE });
    return `${publisher.refusal}; closed`;
  } finally {
    publisher.vanish();
  }
}

/** Publishes properly, sends these bytes, and says whether the broadcast went on. */
export async function inMidShow(input, tags, bytesOf) {
  const publisher = await RtmpPublisher.connect(input.publishTo);
  try {
    await publisher.publish();
    await publisher.send(tags.slice(0, 20), { speed: Infinity });
    const session = await input.sink.session(input.name);
    publisher.write(bytesOf(publisher));
    const seen = session.videoCount;
    const outcome = await until(
      'the server to close or the show to go on',
      () => {
        if (publisher.closed) return publisher.refusal ? `${publisher.refusal}; closed` : 'closed';
        if (session.videoCount > seen + 5) return 'the show goes on';
        publisher.sendTag({
          ...tags.find((tag) => tag.type === Type.video && tag.body[1] === 1),
          timestamp: 2000 + publisher.published.length * 20,
        });
        return false;
      },
      { timeout: PATIENCE, interval: 20 },
    );
    await publisher.end();
    return outcome;
  } finally {
    publisher.vanish();
  }
}

/** One HTTP exchange by hand; gives the status and the first error, or the length of the answer. */
export async function http(daemon, text) {
  const socket = net.connect({ host: '127.0.0.1', port: daemon.ports.api });
  let received = '';
  let closed = false;
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.write(text);
  const complete = () => {
    const end = received.indexOf('\r\n\r\n');
    const length = Number(/^content-length: (\d+)/im.exec(received)?.[1]);
    return end > 0 && received.length >= end + 4 + length;
  };
  try {
    await until('an answer', () => complete() || closed, { timeout: PATIENCE });
  } finally {
    socket.destroy();
  }
  if (!received) return 'closed without an answer';
  return describe(
    Number(received.split(' ')[1]),
    received.slice(received.indexOf('\r\n\r\n') + 4),
    /^allow: (.*)\r$/im.exec(received)?.[1],
  );
}

function describe(status, body, allow) {
  const { success, errors, messages } = JSON.parse(body);
  assert.equal(success, status === 200);
  const [error] = errors;
  const words = error ? `${error.code} ${error.message}` : messages.map((m) => m.message ?? m).join('; ');
  return [status, words, error?.source && `at ${error.source.pointer}`, allow && `Allow: ${allow}`]
    .filter(Boolean)
    .join(' ');
}

/** One call of the API; gives the status, the first error and where it is, or the messages. */
export async function call(daemon, method, path, options) {
  const answer = await daemon.request(method, path, options);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  return describe(answer.status, answer.text, answer.headers.get('allow'));
}

/** Runs --check-config on this text; gives the exit code and what was said. */
export async function checkConfig(text) {
  const file = join(tempDir('config'), 'bad.yaml');
  writeFileSync(file, text);
  const child = new Child(BINARY, ['--check-config', '--config', file]);
  const { code } = await child.exited;
  return `exit ${code}: ${child.output.trim().replaceAll(file, 'bad.yaml')}`;
}
