// Destinations by RTMPS whose certificate or protocol is not to be trusted.
import assert from 'node:assert/strict';
import { TlsFront, makeCertificates } from '../lib/certificates.mjs';
import { goodScene } from '../lib/destinations.mjs';
import { faultLine } from '../lib/fault_line.mjs';
import { until } from '../lib/until.mjs';

// What an old server that was never updated offers.
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };

faultLine('D8', 'RTMPS: expired, wrong host, self-signed, unknown CA, TLS 1.1', { quick: true }, async (t, line) => {
  const [certificates, strangers] = [await makeCertificates(), await makeCertificates()];
  const { daemon, input, sink, finish } = await goodScene(t, { daemonOptions: { caFile: certificates.caFile } });
  const front = async (certificate, options) => {
    const one = await TlsFront.listen(certificate, sink.port, options);
    t.after(() => one.close());
    return one;
  };
  const bad = [
    ['expired', certificates.expired, /expired/i],
    ['wrong host', certificates.wrongHost, /host|name|match/i],
    ['self-signed', certificates.selfSigned, /self.signed/i],
    ['unknown CA', strangers.good, /issuer|unknown|self.signed certificate in|verify/i],
    ['TLS 1.1', certificates.good, /protocol|version/i, OLD],
  ];
  const fronts = [];
  for (const [name, certificate, words, options] of bad) {
    const one = await front(certificate, options);
    const streamKey = `secret-of-${name.replace(' ', '-')}`;
    const { uid } = await input.addOutput({ url: `rtmps://localhost:${one.port}/live`, streamKey });
    fronts.push({ name, words, front: one, uid });
  }
  for (const { name, words, front: one, uid } of fronts) {
    const output = await input.untilOutput(uid, 'retrying', { timeout: 15_000 });
    line.exactly(`${name}: the cause is named`, words.test(output.status.message), true);
    assert.ok(!output.status.message.includes('secret'));
    // With TLS 1.1 there is no talk of names.
    if (name !== 'TLS 1.1') line.exactly(`${name}: server name asked for`, one.names[0], 'localhost');
  }
  // The next tries are no more trusting.
  for (const { front: one } of fronts.filter(({ name }) => name !== 'TLS 1.1')) {
    await until('the next try', () => one.names.length >= 2, { timeout: 15_000 });
  }
  for (const { name, front: one } of fronts) {
    line.exactly(`${name}: bytes said inside the TLS`, one.plaintextBytes, 0, 'bytes');
  }
  line.exactly('publishes by the bad ones', sink.sessions.filter(({ name }) => name.startsWith('secret')).length, 0);
  assert.ok(!daemon.log.includes('secret-of'), 'no key in the log');

  const good = await front(certificates.good);
  const trusted = await input.addOutput({ url: `rtmps://localhost:${good.port}/live`, streamKey: 'trusted' });
  await sink.session('trusted');
  await input.untilOutput(trusted.uid, 'live');
  line.exactly('good: server name asked for', good.names.join(), 'localhost');

  // The user may say that one is trusted all the same; and a server without TLS is told from a silent one.
  const selfSigned = fronts.find(({ name }) => name === 'self-signed');
  await input.update(selfSigned.uid, { verifyTls: false });
  await sink.session('secret-of-self-signed', 0, { timeout: 10_000 });
  assert.equal((await input.output(selfSigned.uid)).verifyTls, false);
  const { uid } = await input.addOutput({ url: `rtmps://127.0.0.1:${sink.port}/live`, streamKey: 'plain' });
  const plain = await input.untilOutput(uid, 'retrying', { timeout: 15_000 });
  assert.match(plain.status.message, /TLS/);
  await finish(line);
});
