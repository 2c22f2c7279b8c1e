// A destination that watches closely: an RTMP server that takes any number of publishes and notes, for each, what came
// and when. It can refuse, stall, reset, on the word of the test.
//
//   const sink = await RtmpSink.listen({ decide: (publish) => ... });
//   sink.url('name')  -> { url: 'rtmp://127.0.0.1:PORT/live', streamKey: 'name' }
//   sink.sessions     -> every publish so far, oldest first
//
// decide() sees { app, tcUrl, name } and answers 'accept' (also when left out), { refuse: 'words', code? },
// 'stall' (accept, then never read on), or 'reset'.
import net from 'node:net';
import tls from 'node:tls';
import { decode, encode } from './amf0.mjs';
import { digest } from './exactness.mjs';
import { ChunkReader, ChunkWriter, HANDSHAKE, Type, hello, u32 } from './rtmp.mjs';
import { until } from './until.mjs';

const WINDOW = 250_000;

export class SinkSession {
  messages = []; // digests of the media messages, in order of arrival
  firstMediaAt = null; // first audio or video message, ms of performance.now()
  lastMediaAt = null;
  firstVideo = null; // digest of the first video packet that is no codec header
  fcUnpublish = false;
  deleteStream = false;
  publishing = false;
  stalled = false;
  closed = null; // 'end' | 'reset' | 'cut' once it is over
  bytes = 0;
  commands = [];
  #handshake = Buffer.alloc(0);
  #step = 0;
  #acknowledged = 0;
  #writer = new ChunkWriter();

  constructor(socket, sink) {
    this.socket = socket;
    this.sink = sink;
    this.reader = new ChunkReader((message) => this.#message(message));
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#data(bytes));
    socket.on('end', () => {
      this.closed ??= 'end';
    });
    socket.on('error', () => {
      this.closed ??= 'reset';
    });
    socket.on('close', () => {
      this.closed ??= 'cut';
      this.closedAt = performance.now();
    });
  }

  get media() {
    return this.messages.filter((m) => m.kind !== 'data');
  }
  get videoCount() {
    return this.messages.reduce((n, m) => n + (m.kind === 'video'), 0);
  }
  get live() {
    return this.publishing && !this.closed;
  }

  resume() {
    this.stalled = false;
    this.socket.resume();
  }

  reset() {
    this.closed ??= 'cut';
    this.socket.resetAndDestroy();
  }

  #data(bytes) {
    this.bytes += bytes.length;
    try {
      if (this.#step === 2) this.reader.push(bytes);
      else this.#shake(bytes);
    } catch (error) {
      this.error = error;
      this.socket.destroy();
      return;
    }
    if (this.#step === 2 && this.bytes - this.#acknowledged >= WINDOW) {
      this.#acknowledged = this.bytes;
      this.#send({ csid: 2, type: Type.acknowledgement, body: u32(this.bytes) });
    }
  }

  #shake(bytes) {
    this.#handshake = Buffer.concat([this.#handshake, bytes]);
    if (this.#step === 0) {
      if (this.#handshake.length < 1 + HANDSHAKE) return;
      this.socket.write(Buffer.concat([hello(), this.#handshake.subarray(1, 1 + HANDSHAKE)]));
      this.#step = 1;
    }
    if (this.#handshake.length < 1 + 2 * HANDSHAKE) return;
    this.#step = 2;
    this.reader.push(this.#handshake.subarray(1 + 2 * HANDSHAKE));
  }

  #send(message) {
    if (!this.socket.destroyed) this.socket.write(this.#writer.message(message));
  }

  #reply(streamId, ...values) {
    this.#send({ csid: streamId ? 5 : 3, type: Type.command, streamId, body: encode(...values) });
  }

  #status(level, code, description) {
    this.#reply(1, 'onStatus', 0, null, { level, code, description });
  }

  #message({ type, timestamp, body }) {
    if (type === Type.audio || type === Type.video || type === Type.data) {
      const now = performance.now();
      const message = { ...digest({ type, timestamp, body }), at: now };
      if (type !== Type.data) {
        this.firstMediaAt ??= now;
        this.lastMediaAt = now;
      }
      if (message.kind === 'video') this.firstVideo ??= message;
      if (type === Type.data || this.sink.bodies) Object.assign(message, { type, body: Buffer.from(body) });
      this.messages.push(message);
    }
    if (type !== Type.command) return;
    const command = decode(body);
    this.commands.push({ name: command[0], at: performance.now() });
    this.#command(command);
  }

  #command([name, transaction, object, ...args]) {
    switch (name) {
      case 'connect':
        this.connect = object;
        this.#send({ csid: 2, type: Type.windowAckSize, body: u32(WINDOW) });
        this.#send({ csid: 2, type: Type.setPeerBandwidth, body: Buffer.concat([u32(WINDOW), Buffer.from([2])]) });
        this.socket.write(this.#writer.setChunkSize(4096));
        this.#reply(
          0,
          '_result',
          transaction,
          { fmsVer: 'FMS/3,0,1,123', capabilities: 31 },
          { level: 'status', code: 'NetConnection.Connect.Success', description: 'connected', objectEncoding: 0 },
        );
        break;
      case 'createStream':
        this.#reply(0, '_result', transaction, null, 1);
        break;
      case 'publish':
        this.#publish(args[0]);
        break;
      case 'FCUnpublish':
        this.fcUnpublish = true;
        break;
      case 'deleteStream':
        this.deleteStream = true;
        break;
      default: // releaseStream, FCPublish: no answer needed
    }
  }

  #publish(name) {
    this.name = name;
    this.app = this.connect?.app;
    const verdict = this.sink.decide({ app: this.app, tcUrl: this.connect?.tcUrl, name }) ?? 'accept';
    if (verdict === 'reset') {
      this.reset();
      return;
    }
    if (verdict.refuse !== undefined) {
      this.refused = true;
      this.#status('error', verdict.code ?? 'NetStream.Publish.BadName', verdict.refuse);
      this.socket.end();
      return;
    }
    this.publishing = true;
    this.publishedAt = performance.now();
    this.#status('status', 'NetStream.Publish.Start', `${name} is now published`);
    this.sink.sessions.push(this);
    if (verdict === 'stall') {
      this.stalled = true;
      this.socket.pause();
    }
  }
}

export class RtmpSink {
  sessions = []; // accepted publishes
  connections = []; // every connection, also those that never published

  /** `tls`: { key, cert } to listen for RTMPS. `bodies`: keep what came, not only its digests. */
  static async listen({ decide = () => 'accept', tls: secure, host = '127.0.0.1', port = 0, bodies = false } = {}) {
    const sink = new RtmpSink();
    Object.assign(sink, { decide, host, bodies });
    const accept = (socket) => sink.connections.push(new SinkSession(socket, sink));
    sink.server = secure ? tls.createServer(secure, accept) : net.createServer(accept);
    sink.server.on('tlsClientError', () => {});
    sink.secure = Boolean(secure);
    await new Promise((resolve, reject) => sink.server.once('error', reject).listen(port, host, resolve));
    sink.port = sink.server.address().port;
    return sink;
  }

  url(streamKey, host = this.host) {
    return { url: `${this.secure ? 'rtmps' : 'rtmp'}://${host}:${this.port}/live`, streamKey };
  }

  /** All publishes under this name, oldest first. */
  named(name) {
    return this.sessions.filter((session) => session.name === name);
  }

  async session(name, nth = 0, options) {
    return until(`publish ${nth + 1} of ${name} at the sink`, () => this.named(name)[nth], options);
  }

  async close() {
    for (const session of this.connections) session.socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
