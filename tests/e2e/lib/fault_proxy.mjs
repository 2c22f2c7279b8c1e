// A bad network between TCP peers: slow, stuck, cut, gone, on the word of the test.
//
//   const proxy = await FaultProxy.open({ to: sink.port });
//   proxy.port                                  // clients talk to 127.0.0.1:port
//   proxy.set({ bitrate: 500_000 })             // bits a second towards the server; 0: as fast as it goes
//   proxy.set({ delayMs: 50 })                  // either way
//   proxy.set({ mode: 'stall' })                // nothing is read from either side any more
//   proxy.set({ mode: 'swallow' })              // everything is read, nothing is passed on
//   proxy.set({ mode: 'pass' })
//   proxy.cut(), proxy.reset()                  // all connections: FIN, RST towards the client
//   await proxy.refuse(); await proxy.accept()  // the port is closed, and open again
//   await proxy.close()
//
// What is set holds for the connections there are and for those to come. Only what fits the socket buffers waits in
// here, so a sender notices a slow link at once.
import { readFileSync } from 'node:fs';
import net from 'node:net';

const TICK_MS = 5; // between two helpings on a slow link

// One direction of one connection.
class Flow {
  bytes = 0; // passed on
  #budget = 0;
  #refilledAt = performance.now();
  #timers = new Set();

  constructor(from, to, rules, slow) {
    Object.assign(this, { from, to, rules, slow });
    from.on('readable', () => this.pump());
    from.on('end', () => this.#later(() => to.end()));
    to.on('drain', () => this.pump());
  }

  pump() {
    const { rules, from, to } = this;
    while (rules.mode !== 'stall' && from.readableLength > 0 && !to.writableNeedDrain) {
      const size = Math.min(from.readableLength, this.#allowance());
      if (size < 1) {
        this.#after(TICK_MS, () => this.pump());
        return;
      }
      const bytes = from.read(size);
      if (!bytes) return;
      if (rules.mode === 'swallow') continue;
      this.#budget -= size;
      this.bytes += size;
      this.#later(() => to.destroyed || to.write(bytes));
    }
    // Says to the stream that there is room again, should it have stopped reading meanwhile.
    if (rules.mode !== 'stall' && from.readableLength === 0) from.read(0);
  }

  #allowance() {
    const { bitrate } = this.rules;
    if (!this.slow || !bitrate) return Infinity;
    const now = performance.now();
    const most = (bitrate / 8) * 0.05; // what was not used in time is lost
    this.#budget = Math.min(most, this.#budget + (bitrate / 8) * ((now - this.#refilledAt) / 1000));
    this.#refilledAt = now;
    return Math.floor(this.#budget);
  }

  #later(act) {
    if (this.rules.delayMs > 0) this.#after(this.rules.delayMs, act);
    else act();
  }
  #after(ms, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
  stop() {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

export class FaultProxy {
  connections = []; // { client, server, forward, back, at }
  rules = { mode: 'pass', bitrate: 0, delayMs: 0 };
  #server;

  /** `to`: the port of the server, on `host`. */
  static async open({ to, host = '127.0.0.1', ...rules }) {
    const proxy = new FaultProxy();
    Object.assign(proxy, { to, host });
    Object.assign(proxy.rules, rules);
    proxy.port = 0;
    await proxy.accept();
    return proxy;
  }

  set(rules) {
    Object.assign(this.rules, rules);
    for (const { forward, back } of this.connections) {
      forward.pump();
      back.pump();
    }
  }

  /** Connections so far. */
  accepted = 0;

  #connect(client) {
    this.accepted += 1;
    const server = net.connect({ host: this.host, port: this.to });
    const forward = new Flow(client, server, this.rules, true);
    const back = new Flow(server, client, this.rules, false);
    const connection = { client, server, forward, back, at: performance.now() };
    this.connections.push(connection);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        forward.stop();
        back.stop();
        this.connections = this.connections.filter((one) => one !== connection);
      });
    }
    client.on('error', () => server.destroy());
    server.on('error', () => client.resetAndDestroy());
    client.on('close', () => server.end());
    server.on('close', () => client.end());
  }

  /** What passes on its way to the server, over all connections there are. */
  get forwarded() {
    return this.connections.reduce((sum, { forward }) => sum + forward.bytes, 0);
  }

  /** Bytes that clients have sent and that the kernel keeps for us: a slow link holds them, and no sender can help it. */
  get held() {
    const port = this.port.toString(16).toUpperCase().padStart(4, '0');
    const rows = readFileSync('/proc/net/tcp', 'latin1').matchAll(/^ *\d+: \w{8}:(\w{4}) \w+:\w+ 01 \w+:(\w+)/gm);
    return [...rows].reduce((sum, [, local, waiting]) => sum + (local === port ? parseInt(waiting, 16) : 0), 0);
  }

  /** Ends all connections with a FIN. */
  cut() {
    for (const { client, server } of this.connections) {
      server.destroy();
      client.end();
    }
  }

  /** Ends all connections with a RST. */
  reset() {
    for (const { client, server } of this.connections) {
      server.resetAndDestroy();
      client.resetAndDestroy();
    }
  }

  /** Nobody listens on the port; connections stay. */
  async refuse() {
    const server = this.#server;
    this.#server = undefined;
    // close() calls back when the last connection has gone, but the port is closed at once.
    server?.close();
  }

  async accept() {
    if (this.#server) return;
    this.#server = net.createServer({ allowHalfOpen: true, pauseOnConnect: false }, (client) => this.#connect(client));
    await new Promise((resolve, reject) =>
      this.#server.once('error', reject).listen(this.port, '127.0.0.1', 511, resolve),
    );
    this.port = this.#server.address().port;
  }

  async close() {
    await this.refuse();
    for (const { client, server } of this.connections) {
      client.destroy();
      server.destroy();
    }
  }
}
