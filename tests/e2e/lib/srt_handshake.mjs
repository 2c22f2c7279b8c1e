// SRT's handshake by hand (draft-sharabayko-srt), for what libsrt does not let one say: a short passphrase, a stream id
// with NUL in it or too long, key material that is none, windows without end.
//
//   const answer = await callSrt(port, { streamid, passphrase });   // { code, ms, say, close }
//
// A caller is not put off by being rejected: say(bytes) sends them as data all the same.
import { createCipheriv, pbkdf2Sync, randomBytes, randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { until } from './until.mjs';

export const ACCEPTED = -1;
const INDUCTION = 1;
const CONCLUSION = 0xffffffff;
const REJECTION = 1000; // and the code on top of it
const EXTENSION = { handshake: 1, handshakeAnswer: 2, keys: 3, streamId: 5 };
const KEY_BYTES = 16;
const AES_KEY_WRAP_IV = Buffer.from('a6a6a6a6a6a6a6a6', 'hex');

function extension(type, body) {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([head, body]);
}

// A string goes out in 32-bit words whose bytes are turned round, filled up with zeros.
function words(text) {
  const bytes = Buffer.alloc(Math.ceil(text.length / 4) * 4);
  text.copy(bytes);
  return bytes.swap32();
}

/** Key material: the stream's key, wrapped by one made of the passphrase. */
function keyMaterial(passphrase) {
  const salt = randomBytes(16);
  const wrapping = pbkdf2Sync(passphrase, salt.subarray(8), 2048, KEY_BYTES, 'sha1');
  const cipher = createCipheriv('id-aes128-wrap', wrapping, AES_KEY_WRAP_IV);
  const wrapped = Buffer.concat([cipher.update(randomBytes(KEY_BYTES)), cipher.final()]);
  const head = Buffer.from('12202901000000000200020000000404', 'hex'); // AES-CTR, even key, salt and key of 4 words
  return Buffer.concat([head, salt, wrapped]);
}

function handshake(fields) {
  const { type, version, extensionField, encryption = 0, extensions = [] } = fields;
  const { socketId, sequence, window, mtu, cookie = 0 } = fields;
  const packet = Buffer.alloc(64);
  packet.writeUInt32BE(0x80000000, 0);
  packet.writeUInt32BE(version, 16);
  packet.writeUInt16BE(encryption, 20);
  packet.writeUInt16BE(extensionField, 22);
  packet.writeUInt32BE(sequence, 24);
  packet.writeUInt32BE(mtu, 28);
  packet.writeUInt32BE(window, 32);
  packet.writeUInt32BE(type, 36);
  packet.writeUInt32BE(socketId, 40);
  packet.writeUInt32BE(cookie, 44);
  packet.writeUInt32LE(0x7f000001, 48); // our address
  return Buffer.concat([packet, ...extensions]);
}

/**
 * `window` (packets) and `mtu` are what it announces. `streamid`: text or bytes; none when left out. `passphrase`: of any
 * length; unencrypted when left out. `keys`: bytes in place of the key material. `code` is that of the rejection (0 is one
 * as well: "unknown"), ACCEPTED, or NaN when no answer came in `timeout` ms.
 */
export async function callSrt(
  port,
  { streamid, passphrase, keys, window = 8192, mtu = 1500, from = '127.0.0.1', timeout = 30_000 } = {},
) {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, from, resolve));
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.unref();
  const heard = [];
  socket.on('message', (packet) => packet.readUInt32BE(0) === 0x80000000 && heard.push(packet));
  const own = { socketId: randomInt(1, 2 ** 30), sequence: randomInt(1, 2 ** 30), window, mtu };
  const began = performance.now();
  // Asks until there is an answer, for a datagram may be lost.
  const ask = async (packet, fits) => {
    let next = 0;
    return until(
      'an answer',
      () => {
        if (performance.now() >= next) {
          socket.send(packet);
          next = performance.now() + 250;
        }
        return heard.find((one) => fits(one.readUInt32BE(36)));
      },
      { timeout, interval: 2 },
    ).catch(() => null);
  };
  const greeting = handshake({ ...own, type: INDUCTION, version: 4, extensionField: 2 });
  const induction = await ask(greeting, (type) => type === INDUCTION);
  let code = NaN;
  let peer = 0;
  if (induction) {
    const secret = passphrase === undefined ? keys : (keys ?? keyMaterial(passphrase));
    const extensions = [extension(EXTENSION.handshake, Buffer.from('00010501000000bf00780078', 'hex'))];
    if (secret) extensions.push(extension(EXTENSION.keys, secret));
    if (streamid !== undefined) extensions.push(extension(EXTENSION.streamId, words(Buffer.from(streamid))));
    const conclusion = handshake({
      ...{ ...own, type: CONCLUSION, version: 5, cookie: induction.readUInt32BE(44), extensions },
      ...{ extensionField: 1 | (secret ? 2 : 0) | (streamid === undefined ? 0 : 4), encryption: secret ? 2 : 0 },
    });
    const answer = await ask(conclusion, (type) => type >= REJECTION);
    if (answer) {
      const type = answer.readUInt32BE(36);
      code = type === CONCLUSION ? ACCEPTED : type - REJECTION;
      peer = answer.readUInt32BE(40);
    }
  }
  const ms = performance.now() - began;
  const say = async (bytes) => {
    // To the socket that answered, if one did, to the listener, and to a guess.
    for (const [i, to] of [peer, 0, own.socketId].entries()) {
      const packet = Buffer.alloc(16 + bytes.length);
      packet.writeUInt32BE(own.sequence + i, 0);
      packet.writeUInt32BE(0xc0000001 + i, 4); // a whole message, unencrypted
      packet.writeUInt32BE(to, 12);
      bytes.copy(packet, 16);
      await new Promise((resolve) => socket.send(packet, resolve));
    }
  };
  return { code, ms, say, close: () => socket.close() };
}

/** Takes calls, unencrypted, and announces what it is told to; never acknowledges anything. `concluded`: calls answered. */
export class SrtServer {
  concluded = 0;

  static async listen({ window = 8192, mtu = 1500 } = {}) {
    const server = new SrtServer();
    server.socket = dgram.createSocket('udp4');
    server.own = { socketId: randomInt(1, 2 ** 30), window, mtu };
    server.socket.on('message', (packet, from) => server.#hear(packet, from));
    await new Promise((resolve) => server.socket.bind(0, '127.0.0.1', resolve));
    server.port = server.socket.address().port;
    return server;
  }

  #hear(packet, from) {
    if (packet.readUInt32BE(0) !== 0x80000000) return;
    const [version, sequence, type, caller] = [16, 24, 36, 40].map((at) => packet.readUInt32BE(at));
    const concludes = type === CONCLUSION && version === 5;
    const extensions = [extension(EXTENSION.handshakeAnswer, Buffer.from('00010501000000bf00780078', 'hex'))];
    const greeting = { type: INDUCTION, version: 5, extensionField: 0x4a17, cookie: 1, window: 8192, mtu: 1500 };
    const conclusion = { type, version, extensionField: 1, extensions };
    const answer = handshake({ ...this.own, sequence, ...(concludes ? conclusion : greeting) });
    answer.writeUInt32BE(caller, 12);
    this.socket.send(answer, from.port, from.address);
    if (concludes) this.concluded += 1;
  }

  close() {
    this.socket.close();
  }
}
