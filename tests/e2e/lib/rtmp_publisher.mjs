// A publishing RTMP client that does exactly what a test says: which chunk size, which names, which bytes, and how it
// goes away. Well-behaved use:
//
//   const publisher = await RtmpPublisher.connect({ port, key });
//   await publisher.publish();
//   await publisher.send(tags);          // paced by their timestamps; what went out is in publisher.published
//   await publisher.end();               // FCUnpublish, deleteStream, close
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import tls from 'node:tls';
import { decode, encode } from './amf0.mjs';
import { digest } from './exactness.mjs';
import { ChunkReader, ChunkWriter, HANDSHAKE, Type, hello, u32 } from './rtmp.mjs';
import { Hopeless, until } from './until.mjs';

const CSID = { [Type.audio]: 4, [Type.video]: 6, [Type.data]: 5 };

export class RtmpPublisher {
  published = []; // digests of the media tags that were sent, and when (`at`), unless it was told not to `remember` them
  sent = 0; // tags
  commands = []; // what the server said: [name, transaction, ...]
  closed = false;
  error = null;
  writer = new ChunkWriter();
  streamId = 0;
  #received = Buffer.alloc(0);
  #transaction = 0;

  constructor({ host = '127.0.0.1', port, app = 'live', key = '', tcUrl, chunkSize, ca, servername, remember = true }) {
    Object.assign(this, { host, port, app, key, chunkSize, remember, tcUrl: tcUrl ?? `rtmp://${host}:${port}/${app}` });
    this.socket = ca
      ? tls.connect({ host, port, ca, servername: servername ?? 'localhost' })
      : net.connect({ host, port });
    this.socket.setNoDelay(true);
    this.socket.on('data', (bytes) => this.#take(bytes));
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.reader = new ChunkReader((message) => this.#message(message));
  }

  /** A client that has shaken hands; `connect` is not sent yet. */
  static async connect(options) {
    const publisher = new RtmpPublisher(options);
    await publisher.handshake();
    return publisher;
  }

  #take(bytes) {
    if (this.handshaken) {
      this.reader.push(bytes);
      return;
    }
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length < 1 + 2 * HANDSHAKE) return;
    this.handshaken = true;
    const rest = this.#received.subarray(1 + 2 * HANDSHAKE);
    if (rest.length) this.reader.push(rest);
  }

  #message({ type, body }) {
    if (type === Type.command) this.commands.push(decode(body));
    if (type === Type.userControl && body.readUInt16BE(0) === 6) {
      this.write(this.writer.message({ csid: 2, type, body: Buffer.concat([Buffer.from([0, 7]), body.subarray(2)]) }));
    }
  }

  /** The description of the last refusal, if the server gave one. */
  get refusal() {
    const refused = this.commands.find((c) => c[0] === '_error' || (c[0] === 'onStatus' && c[3]?.level === 'error'));
    return refused && `${refused[3]?.code}: ${refused[3]?.description}`;
  }

  write(bytes) {
    return this.closed ? false : this.socket.write(bytes);
  }

  async handshake() {
    const c0c1 = hello();
    this.write(c0c1);
    await this.#until('the handshake', () => this.handshaken);
    this.write(this.#received.subarray(1, 1 + HANDSHAKE)); // C2 echoes S1
  }

  async #until(what, probe) {
    return until(
      what,
      () => {
        const value = probe();
        if (this.closed && !value) {
          throw new Hopeless(
            `the server closed before ${what}: ${this.refusal ?? this.error?.message ?? 'without a word'}`,
          );
        }
        return value;
      },
      { interval: 2 },
    );
  }

  command(name, transaction, ...values) {
    const inStream = ['publish', 'closeStream'].includes(name);
    return this.write(
      this.writer.message({
        csid: inStream ? 8 : 3,
        type: Type.command,
        streamId: inStream ? this.streamId : 0,
        body: encode(name, transaction, ...values),
      }),
    );
  }

  /** Sends a command with a new transaction id and waits for its answer. */
  async call(name, ...values) {
    const id = ++this.#transaction;
    this.command(name, id, ...values);
    const answer = await this.#until(`the answer to ${name}`, () =>
      this.commands.find((c) => ['_result', '_error'].includes(c[0]) && c[1] === id),
    );
    if (answer[0] === '_error') throw new Error(`${name} was refused: ${this.refusal}`);
    return answer;
  }

  async connectApp(extra = {}) {
    if (this.chunkSize) this.write(this.writer.setChunkSize(this.chunkSize));
    await this.call('connect', {
      app: this.app,
      type: 'nonprivate',
      flashVer: 'FMLE/3.0 (compatible; simulcastd-e2e)',
      tcUrl: this.tcUrl,
      ...extra,
    });
  }

  async createStream() {
    this.command('releaseStream', ++this.#transaction, null, this.key);
    this.command('FCPublish', ++this.#transaction, null, this.key);
    this.streamId = (await this.call('createStream', null))[3];
  }

  /** Everything up to NetStream.Publish.Start; throws in the server's words when it is refused. */
  async publish() {
    await this.connectApp();
    await this.createStream();
    this.command('publish', ++this.#transaction, null, this.key, 'live');
    await this.#until(
      'the answer to publish',
      () => this.refusal || this.commands.some((c) => c[0] === 'onStatus' && c[3]?.code === 'NetStream.Publish.Start'),
    );
    if (this.refusal) throw new Error(`publish was refused: ${this.refusal}`);
  }

  /** One FLV tag as a message. */
  sendTag({ type, timestamp, body }) {
    this.sent += 1;
    if (this.remember && type !== Type.data) {
      this.published.push({ ...digest({ type, timestamp, body }), at: performance.now() });
    }
    return this.write(this.writer.message({ csid: CSID[type], type, timestamp, streamId: this.streamId, body }));
  }

  /**
   * Sends tags, each at its time (`speed` times real time; Infinity as fast as the server takes them), until they are
   * all out, `signal` aborts, or the server closes.
   */
  async send(tags, { speed = 1, signal } = {}) {
    const began = performance.now();
    const origin = tags[0]?.timestamp ?? 0;
    for (const tag of tags) {
      const due = began + ((tag.timestamp - origin) | 0) / speed;
      while (performance.now() < due - 1 && !signal?.aborted && !this.closed)
        await delay(Math.min(due - performance.now(), 50));
      if (signal?.aborted) return;
      if (this.closed)
        throw new Error(`the server closed the broadcast: ${this.refusal ?? this.error?.message ?? 'without a word'}`);
      if (!this.sendTag(tag)) await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]);
    }
  }

  /** Ends the broadcast the proper way. */
  async end() {
    if (this.closed) return;
    this.command('FCUnpublish', ++this.#transaction, null, this.key);
    this.command('deleteStream', ++this.#transaction, null, this.streamId);
    this.socket.end();
    if (!this.closed) await once(this.socket, 'close');
  }

  /** Gone without a word: a reset. */
  vanish() {
    this.socket.resetAndDestroy?.() ?? this.socket.destroy();
  }

  /** FIN after what was written, without goodbye. */
  halfClose() {
    this.socket.end();
  }

  acknowledge(bytes) {
    this.write(this.writer.message({ csid: 2, type: Type.acknowledgement, body: u32(bytes) }));
  }
}

/**
 * Publishes `tags` over and over, with timestamps running on, until stop() is called, which also ends the broadcast.
 * The background broadcast of tests whose subject is something else.
 */
export class EndlessPublisher {
  #abort = new AbortController();

  static async start(options, tags) {
    const endless = new EndlessPublisher();
    endless.publisher = await RtmpPublisher.connect(options);
    await endless.publisher.publish();
    endless.done = endless.publisher.send(repeated(tags), { signal: endless.#abort.signal });
    endless.done.catch((error) => {
      endless.error = error;
    });
    return endless;
  }

  get published() {
    return this.publisher.published;
  }

  async stop() {
    this.#abort.abort();
    await this.done;
    await this.publisher.end();
  }

  vanish() {
    this.#abort.abort();
    this.publisher.vanish();
  }
}

/** The tags over and over without a seam: an endless iterable, with the [0] that send() looks at. */
export function repeated(tags) {
  const media = tags.filter((tag) => tag.type !== Type.data);
  const headers = media.filter((tag) => digest(tag).kind.endsWith('-config'));
  const all = media.filter((tag) => ['audio', 'video'].includes(digest(tag).kind));
  const video = all.filter((tag) => tag.type === Type.video);
  const frameTime = (video.at(-1).timestamp - video[0].timestamp) / (video.length - 1);
  const length = Math.round(video.at(-1).timestamp - video[0].timestamp + frameTime);
  // Sound that outlasts the picture would step back where the next round begins.
  const frames = all.filter((tag) => tag.timestamp < all[0].timestamp + length);
  return {
    0: tags[0],
    *[Symbol.iterator]() {
      yield* tags.filter((tag) => tag.type === Type.data).slice(0, 1);
      yield* headers;
      for (let round = 0; ; round++) {
        for (const tag of frames) yield { ...tag, timestamp: (tag.timestamp + round * length) >>> 0 };
      }
    },
  };
}
