// A bad network between UDP peers: loses, delays, reorders and doubles datagrams, the same ones for the same seed.
//
//   const path = await UdpPath.open({ to: { port }, seed: 1, loss: 0.03, delayMs: 30, reorder: 0.02 });
//   path.port                        // clients talk to 127.0.0.1:port
//   path.forward, path.back          // { seen, lost, doubled, reordered, bytes } of either direction
//   path.set({ loss: 1 })            // the cable is pulled
//   await path.close()
//
// Each client has a socket of its own towards the server, as behind a NAT, so several can use one path.
import dgram from 'node:dgram';

const BUFFER = 2 << 20;
const REORDER_MS = [3, 12]; // a reordered datagram is this much later than it would have been

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const bind = (socket, address) =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, () => {
      socket.off('error', reject);
      socket.on('error', () => {}); // nobody listens at the other end: as lost as any
      socket.setRecvBufferSize(BUFFER);
      resolve(socket);
    });
  });

export class UdpPath {
  forward = { seen: 0, lost: 0, doubled: 0, reordered: 0, bytes: 0 };
  back = { seen: 0, lost: 0, doubled: 0, reordered: 0, bytes: 0 };
  #clients = new Map(); // "address:port" to its socket towards the server, or a promise of it
  #timers = new Set();
  #closed = false;

  constructor(options) {
    this.options = { seed: 1, loss: 0, delayMs: 0, jitterMs: 0, reorder: 0, duplicate: 0, ...options };
    this.random = seededRandom(this.options.seed);
  }

  /**
   * `to`: { port, address? } of the server. `loss`, `reorder`, `duplicate`: shares of 1. `delayMs`: one way, so half of
   * the round trip. `jitterMs`: up to this much more, which reorders too if datagrams follow each other closer.
   */
  static async open(options) {
    const path = new UdpPath(options);
    path.socket = await bind(dgram.createSocket('udp4'), '127.0.0.1');
    path.port = path.socket.address().port;
    path.socket.on('message', (bytes, client) => path.#fromClient(bytes, client));
    return path;
  }

  set(options) {
    Object.assign(this.options, options);
  }

  get clients() {
    return this.#clients.size;
  }

  #fromClient(bytes, client) {
    const key = `${client.address}:${client.port}`;
    if (!this.#clients.has(key)) this.#clients.set(key, this.#upstream(client));
    this.#carry(this.forward, bytes, async () => {
      const upstream = await this.#clients.get(key);
      if (!this.#closed) upstream.send(bytes, this.options.to.port, this.options.to.address ?? '127.0.0.1');
    });
  }

  async #upstream(client) {
    const socket = await bind(dgram.createSocket('udp4'), '127.0.0.1');
    socket.on('message', (bytes) =>
      this.#carry(this.back, bytes, () => {
        if (!this.#closed) this.socket.send(bytes, client.port, client.address);
      }),
    );
    if (this.#closed) socket.close();
    return socket;
  }

  #carry(counts, bytes, send) {
    const { loss, delayMs, jitterMs, reorder, duplicate } = this.options;
    counts.seen += 1;
    counts.bytes += bytes.length;
    if (this.random() < loss) {
      counts.lost += 1;
      return;
    }
    let delay = delayMs + this.random() * jitterMs;
    if (this.random() < reorder) {
      counts.reordered += 1;
      delay += REORDER_MS[0] + this.random() * (REORDER_MS[1] - REORDER_MS[0]);
    }
    this.#later(delay, send);
    if (this.random() < duplicate) {
      counts.doubled += 1;
      this.#later(delay + 1, send);
    }
  }

  #later(delay, send) {
    if (delay <= 0) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      send();
    }, delay);
    this.#timers.add(timer);
  }

  async close() {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const sockets = [this.socket, ...(await Promise.all(this.#clients.values()))];
    for (const socket of sockets) {
      try {
        socket.close();
      } catch {
        /* it was closed while it was made */
      }
    }
  }
}
