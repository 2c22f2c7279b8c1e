// The encoders and destinations of the benchmarks: rtmp_load (tests/bench/load), one process for all of each kind.
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Child } from '../e2e/lib/cleanup.mjs';
import { Hopeless, until } from '../e2e/lib/until.mjs';

export const RTMP_LOAD = resolve(import.meta.dirname, '../../build/release/rtmp_load');

/** All destinations. `tls`: a certificate of makeCertificates(), for RTMPS. `fps`: of the publisher, to check times by. */
export class Sink {
  static async start({ tls, fps = 0 } = {}) {
    const sink = new Sink();
    const secure = tls ? ['--tls-cert', tls.certFile, '--tls-key', tls.keyFile] : [];
    sink.child = new Child(RTMP_LOAD, ['sink', '--port', '0', '--fps', String(fps), ...secure], { stdio: ['pipe', 'pipe', 'pipe'] });
    sink.lines = createInterface({ input: sink.child.process.stdout })[Symbol.asyncIterator]();
    sink.port = (await sink.#line()).port;
    return sink;
  }

  async #line() {
    const { value, done } = await this.lines.next();
    if (done) throw new Hopeless(`the sink ended:\n${this.child.tail}`);
    return JSON.parse(value);
  }
  #ask(command) {
    this.child.process.stdin.write(`${command}\n`);
    return this.#line();
  }

  /** Opens a measuring window; gives { bytes } so far. */
  reset() {
    return this.#ask('reset');
  }
  report() {
    return this.#ask('report');
  }
  /** The same, and opens the next window. */
  take() {
    return this.#ask('take');
  }
  stop() {
    return this.child.stop('SIGKILL');
  }
}

/** All encoders: a stream of `load` { fps, kbps, gop, audioKbps, speed times real time } to each URL. */
export class Publisher {
  static async start(urls, { fps = 60, kbps = 6000, gop = 120, audioKbps = 128, speed = 1 } = {}) {
    const publisher = new Publisher();
    const options = { fps, kbps, gop, 'audio-kbps': audioKbps, speed };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    publisher.child = new Child(RTMP_LOAD, ['publish', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    publisher.child.process.stdin.on('error', () => {}); // it ended early; told below
    publisher.child.process.stdin.end(`${urls.join('\n')}\n`);
    await until(
      `${urls.length} publishers to be accepted`,
      () => {
        publisher.check();
        return publisher.child.output.includes('publishing ');
      },
      { timeout: 60_000 },
    );
    return publisher;
  }

  check() {
    if (!this.child.running) throw new Hopeless(`the publisher ended:\n${this.child.tail}`);
  }

  /** Gives how late it was: { late: { p50, p99, max } in ms, stalls, cpu }. */
  async stop() {
    await this.child.stop('SIGTERM', 3000);
    const line = this.child.output.split('\n').find((text) => text.startsWith('{'));
    return line ? JSON.parse(line) : {};
  }
}
