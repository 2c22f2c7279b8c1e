// A name server that knows what the test tells it, and can be slow or silent. UDP, A and AAAA.
//
//   const dns = await StubDns.listen();
//   dns.set('live.test', { a: ['127.0.0.1'], aaaa: [], delayMs: 0 });   // or { dead: true }; a, aaaa: lists or functions
//   dns.asked('live.test')                                            // how often for its A records
import dgram from 'node:dgram';
import net from 'node:net';

const TYPE = { a: 1, aaaa: 28 };
const HEADER = 12;

function address(text) {
  if (net.isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head, tail = ''] = text.split('::');
  const words = (part) => part.split(':').filter(Boolean);
  const [first, last] = [words(head), words(tail)];
  const all = [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
  const bytes = Buffer.alloc(16);
  all.forEach((word, i) => bytes.writeUInt16BE(parseInt(word, 16), 2 * i));
  return bytes;
}

function question(query) {
  const labels = [];
  let at = HEADER;
  for (; query[at]; at += 1 + query[at]) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query, { type, end }, addresses, rcode) {
  const header = Buffer.from(query.subarray(0, HEADER));
  header.writeUInt16BE(0x8180 | rcode, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8); // neither authorities nor what may have come with the question
  const records = addresses.map((text) => {
    const bytes = address(text);
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc000 | HEADER, 0); // the name in the question
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(0, 6); // lives for no time at all
    head.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([header, query.subarray(HEADER, end), ...records]);
}

export class StubDns {
  queries = []; // { name, type, at }
  #names = new Map();

  static async listen({ port = 53, host = '127.0.0.1' } = {}) {
    const dns = new StubDns();
    dns.socket = dgram.createSocket('udp4');
    dns.socket.on('message', (query, from) => dns.#hear(query, from));
    await new Promise((resolve, reject) => dns.socket.once('error', reject).bind(port, host, resolve));
    dns.port = dns.socket.address().port;
    return dns;
  }

  set(name, records) {
    this.#names.set(name, { a: [], aaaa: [], delayMs: 0, dead: false, ...records });
  }

  asked(name, type = 'a') {
    return this.queries.filter((query) => query.name === name && query.type === TYPE[type]).length;
  }

  #hear(query, from) {
    const asked = question(query);
    this.queries.push({ ...asked, at: performance.now() });
    const known = this.#names.get(asked.name);
    if (known?.dead) return;
    const kind = Object.keys(TYPE).find((one) => TYPE[one] === asked.type);
    const records = known?.[kind] ?? [];
    const bytes = answer(query, asked, typeof records === 'function' ? records() : records, known ? 0 : 3);
    const send = () => this.open && this.socket.send(bytes, from.port, from.address);
    if (known?.delayMs) setTimeout(send, known.delayMs).unref();
    else send();
  }

  open = true;
  async close() {
    this.open = false;
    await new Promise((resolve) => this.socket.close(resolve));
  }
}
