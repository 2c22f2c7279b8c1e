// Servers that no output should ever meet: they talk nonsense, talk without end, announce what no memory holds, or never
// come to the point.
//
//   const server = await HostileServer.listen(HOSTILE['endless handshake']);
//   server.output                      // { url, streamKey } for the API
//   server.connections                 // of the relay: { at, closedAt }, ms of performance.now()
//   await server.close()
//
// An act is given a Peer, the connection of a relay that has just called, and does what it likes.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, encode } from './amf0.mjs';
import { ChunkReader, ChunkWriter, HANDSHAKE, Type, fullHeader, hello, u32 } from './rtmp.mjs';

// Floods are so large and so frequent: far more than any server has to say, and little enough for what floods and what is
// flooded to share a machine with those who watch.
const FLOOD_BYTES = 16 * 1024;
const FLOOD_MS = 5;

class Peer {
  writer = new ChunkWriter();
  received = Buffer.alloc(0);
  commands = [];

  constructor(socket) {
    this.socket = socket;
    this.at = performance.now();
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closedAt = performance.now();
    });
    socket.on('data', (bytes) => {
      if (this.reader) this.reader.push(bytes);
      else this.received = Buffer.concat([this.received, bytes]);
    });
  }

  get open() {
    return this.closedAt === undefined;
  }
  write(bytes) {
    if (this.open) this.socket.write(bytes);
  }
  message(type, body, csid = 3) {
    this.write(this.writer.message({ csid, type, body }));
  }
  command(...values) {
    this.message(Type.command, encode(...values));
  }

  async #until(probe) {
    while (this.open && !probe()) await delay(2);
  }

  async shakeHands() {
    await this.#until(() => this.received.length >= 1 + HANDSHAKE);
    this.write(Buffer.concat([hello(), this.received.subarray(1, 1 + HANDSHAKE)]));
    await this.#until(() => this.received.length >= 1 + 2 * HANDSHAKE);
    const rest = this.received.subarray(1 + 2 * HANDSHAKE);
    this.reader = new ChunkReader(({ type, body }) => {
      if (type === Type.command) this.commands.push(decode(body));
    });
    if (rest.length) this.reader.push(rest);
  }

  async #heard(name) {
    await this.#until(() => this.commands.some((command) => command[0] === name));
    return this.commands.find((command) => command[0] === name) ?? [];
  }

  async answerConnect() {
    const [, transaction] = await this.#heard('connect');
    this.command('_result', transaction, {}, { level: 'status', code: 'NetConnection.Connect.Success' });
  }

  /** All that an honest server does until it takes the stream. */
  async acceptPublish() {
    await this.shakeHands();
    await this.answerConnect();
    const [, transaction] = await this.#heard('createStream');
    this.command('_result', transaction, null, 1);
    await this.#heard('publish');
    this.command('onStatus', 0, null, { level: 'status', code: 'NetStream.Publish.Start', description: '' });
  }

  /** Over and over, until the relay hangs up. */
  async flood(bytesOf) {
    while (this.open) {
      let bytes = Buffer.alloc(0);
      const pieces = [];
      for (let size = 0; size < FLOOD_BYTES; size += bytes.length) pieces.push((bytes = bytesOf()));
      if (!this.socket.writableNeedDrain) this.write(Buffer.concat(pieces));
      await delay(FLOOD_MS);
    }
  }

  async drip(bytes, ms = 50) {
    for (let at = 0; this.open; at++) {
      this.write(bytes.subarray(at % bytes.length, (at % bytes.length) + 1));
      await delay(ms);
    }
  }
}

const nested = (depth) => Buffer.concat(Array.from({ length: depth }, () => Buffer.from([3, 0, 1, 0x61])));
const ping = (peer) => () =>
  peer.writer.message({ csid: 2, type: Type.userControl, body: Buffer.concat([Buffer.from([0, 6]), u32(7)]) });
const result = (...values) => Buffer.concat([encode('_result', 1), ...values]);
const afterHandshake = (act) => async (peer) => {
  await peer.shakeHands();
  await act(peer);
};
const afterPublish = (act) => async (peer) => {
  await peer.acceptPublish();
  await act(peer);
};

/** Each: what it does. `tls`: the relay comes by rtmps. `stays`: nothing of it is a reason to hang up. */
export const HOSTILE = {
  silence: { act: () => {} },
  garbage: { act: (peer) => peer.flood(() => randomBytes(4096)) },
  'garbage in TLS': { act: (peer) => peer.flood(() => randomBytes(4096)), tls: true },
  'silence in TLS': { act: () => {}, tls: true },
  'a TLS record, byte by byte': {
    act: (peer) => peer.drip(Buffer.from([0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc, 3, 3])),
    tls: true,
  },
  'a web server': { act: (peer) => peer.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n') },
  'endless handshake': { act: (peer) => peer.drip(Buffer.from([3])) },
  'silence behind the handshake': { act: afterHandshake(() => {}) },
  'commands, byte by byte': {
    act: afterHandshake((peer) =>
      peer.drip(peer.writer.message({ csid: 3, type: Type.command, body: encode('onBWDone', 0, null, 8192) })),
    ),
  },
  'commands without end': {
    act: afterHandshake((peer) =>
      peer.flood(() => peer.writer.message({ csid: 3, type: Type.command, body: encode('onBWDone', 0, null, 8192) })),
    ),
  },
  'chunks of 2 GiB, a message of 16 MB': {
    act: afterHandshake(async (peer) => {
      peer.write(peer.writer.setChunkSize(0x7fffffff));
      peer.write(fullHeader({ csid: 4, length: 0xffffff, type: Type.data }));
      await peer.flood(() => randomBytes(4096));
    }),
  },
  'a large message on each of 60 chunk streams': {
    act: afterHandshake((peer) => {
      for (let csid = 4; csid < 64; csid++) {
        peer.write(fullHeader({ csid, length: 65_000, type: Type.data }));
        peer.write(randomBytes(128));
      }
    }),
  },
  'a length that changes in mid-message': {
    act: afterHandshake((peer) => {
      peer.write(Buffer.concat([fullHeader({ csid: 4, length: 1000, type: Type.data }), randomBytes(128)]));
      peer.write(Buffer.concat([fullHeader({ csid: 4, length: 60_000, type: Type.data }), randomBytes(128)]));
    }),
  },
  'a giant window': {
    act: afterHandshake((peer) => {
      peer.message(Type.windowAckSize, u32(0xffffffff), 2);
      peer.message(Type.setPeerBandwidth, Buffer.concat([u32(1), Buffer.from([0])]), 2);
    }),
  },
  'a window of one byte': {
    act: afterHandshake(async (peer) => {
      peer.message(Type.windowAckSize, u32(1), 2);
      await peer.flood(ping(peer));
    }),
  },
  'objects in objects': { act: afterHandshake((peer) => peer.message(Type.command, result(nested(15_000)))) },
  'an array of 4 billion': {
    act: afterHandshake((peer) => peer.message(Type.command, result(Buffer.from([10]), u32(0xffffffff)))),
  },
  'an array of arrays': {
    act: afterHandshake((peer) =>
      peer.message(
        Type.command,
        result(...Array.from({ length: 10_000 }, () => Buffer.concat([Buffer.from([10]), u32(1)]))),
      ),
    ),
  },
  'a string past the end': {
    act: afterHandshake((peer) => peer.message(Type.command, result(Buffer.from([2, 0xff, 0xff, 0x61])))),
  },
  'words without end': {
    act: afterHandshake((peer) => {
      const description = '\u001b[2J\r\n"} state=live '.repeat(3000);
      peer.command('_error', 1, null, { level: 'error', code: 'NetConnection.Connect.Rejected', description });
    }),
  },
  'garbage behind the consent': { act: afterPublish((peer) => peer.flood(() => randomBytes(4096))) },
  'questions without end, and no ear': {
    act: afterPublish(async (peer) => {
      peer.socket.pause();
      await peer.flood(ping(peer));
    }),
  },
  'questions without end': { act: afterPublish((peer) => peer.flood(ping(peer))), stays: true },
  'acknowledgements from nowhere': {
    act: afterPublish((peer) =>
      peer.flood(() => peer.writer.message({ csid: 2, type: Type.acknowledgement, body: randomBytes(4) })),
    ),
    stays: true,
  },
};

export class HostileServer {
  connections = [];

  static async listen({ act, tls = false }) {
    const server = new HostileServer();
    server.server = net.createServer((socket) => {
      const peer = new Peer(socket);
      server.connections.push(peer);
      Promise.resolve(act(peer)).catch((error) => {
        server.error = error;
      });
    });
    await new Promise((resolve) => server.server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address();
    server.output = { url: `${tls ? 'rtmps' : 'rtmp'}://localhost:${port}/live`, streamKey: 'hostile-secret' };
    return server;
  }

  async close() {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
