// HTTP as bytes: what no client library would send, and every answer that came before the other side closed.
import net from 'node:net';
import { until } from './until.mjs';

/** The answers in `bytes`, as { status, headers, body }; throws when they are not whole answers of HTTP/1.1. */
export function parseAnswers(bytes) {
  const answers = [];
  let rest = bytes.toString('latin1');
  while (rest) {
    const end = rest.indexOf('\r\n\r\n');
    const [first, ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (end < 0 || !status) throw new Error(`no answer of HTTP: ${rest.slice(0, 100)}`);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = status === 100 ? 0 : Number(headers['content-length']);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`an answer of ${body.length} bytes that promises ${length}`);
    answers.push({ status, headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** One connection. */
export class RawHttp {
  closedAt = null;
  openedAt = null;
  #received = [];

  constructor(port, options = {}) {
    this.socket = net.connect({ host: '127.0.0.1', port, ...options });
    this.socket.on('connect', () => (this.openedAt = performance.now()));
    this.socket.on('data', (bytes) => this.#received.push(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closedAt = performance.now()));
  }

  /** All of them so far. */
  get answers() {
    return parseAnswers(Buffer.concat(this.#received));
  }
  get answered() {
    return this.#received.length > 0;
  }

  async closed({ timeout = 60_000 } = {}) {
    await until('the other side to close', () => this.closedAt !== null, { timeout, interval: 2 });
    return this.answers;
  }
}

/** Sends `bytes`, and gives all answers that came until the other side closed. */
export async function converse(port, bytes, options) {
  const one = new RawHttp(port);
  try {
    one.socket.write(bytes);
    return await one.closed(options);
  } finally {
    one.socket.destroy();
  }
}
