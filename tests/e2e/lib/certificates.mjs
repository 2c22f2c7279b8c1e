// A certificate authority of the tests' own, made by the openssl command, and certificates of it: a good one and the
// three wrong ones a relay must not fall for. Also a TLS front for plain servers.
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { run, tempDir } from './cleanup.mjs';

const NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/**
 * { caFile, good, wrongHost, selfSigned, expired }; each certificate { certFile, keyFile, cert, key }. Good for
 * localhost and 127.0.0.1.
 */
export async function makeCertificates(folder = tempDir('tls')) {
  const path = (file) => join(folder, file);
  const openssl = (...args) => run('openssl', args);
  await openssl(
    'req',
    '-x509',
    ...EC,
    '-days',
    '30',
    '-subj',
    '/CN=simulcastd test CA',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  );

  const load = (name) => ({
    certFile: path(`${name}.pem`),
    keyFile: path(`${name}.key`),
    cert: readFileSync(path(`${name}.pem`)),
    key: readFileSync(path(`${name}.key`)),
  });
  const issue = async (name, names, validity) => {
    await openssl(
      'req',
      '-new',
      ...EC,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      path(`${name}.key`),
      '-out',
      path(`${name}.csr`),
    );
    writeFileSync(path(`${name}.ext`), `${names}\n`);
    await openssl(
      'x509',
      '-req',
      '-in',
      path(`${name}.csr`),
      '-CA',
      path('ca.pem'),
      '-CAkey',
      path('ca.key'),
      '-CAcreateserial',
      ...validity,
      '-extfile',
      path(`${name}.ext`),
      '-out',
      path(`${name}.pem`),
    );
    return load(name);
  };
  const good = await issue('good', NAMES, ['-days', '30']);
  const wrongHost = await issue('wrong-host', 'subjectAltName=DNS:elsewhere.example', ['-days', '30']);
  const expired = await issue('expired', NAMES, ['-days', '-1']);
  await openssl(
    'req',
    '-x509',
    ...EC,
    '-days',
    '30',
    '-subj',
    '/CN=localhost',
    '-addext',
    NAMES,
    '-keyout',
    path('self-signed.key'),
    '-out',
    path('self-signed.pem'),
  );
  return {
    caFile: path('ca.pem'),
    ca: readFileSync(path('ca.pem')),
    good,
    wrongHost,
    expired,
    selfSigned: load('self-signed'),
  };
}

/** TLS in front of a plain server on loopback; `plaintextBytes` is how much clients said inside the TLS. */
export class TlsFront {
  plaintextBytes = 0;
  connections = 0; // that have shaken hands
  names = []; // the server names that clients asked for (SNI), in order
  #sockets = new Set();

  /** `options` are those of tls.createServer(). */
  static async listen({ cert, key }, targetPort, options = {}) {
    const front = new TlsFront();
    const SNICallback = (name, done) => {
      front.names.push(name);
      done(null); // the one certificate there is
    };
    front.server = tls.createServer({ cert, key, SNICallback, ...options }, (inside) => {
      front.connections += 1;
      const outside = net.connect({ host: '127.0.0.1', port: targetPort });
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ]) {
        front.#sockets.add(from);
        from.setNoDelay(true);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          front.#sockets.delete(from);
          to.end();
        });
        from.pipe(to);
      }
      inside.on('data', (bytes) => {
        front.plaintextBytes += bytes.length;
      });
    });
    front.server.on('tlsClientError', () => {});
    await new Promise((resolve) => front.server.listen(0, '127.0.0.1', resolve));
    front.port = front.server.address().port;
    return front;
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
