// The name server, asked by Node's own client.
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import { StubDns } from './stub_dns.mjs';

test('it tells what it was told, late or not at all', async (t) => {
  const dns = await StubDns.listen({ port: 0 });
  t.after(() => dns.close());
  const [resolver, hasty] = [20_000, 500].map((timeout) => {
    const one = new Resolver({ timeout, tries: 1 });
    one.setServers([`127.0.0.1:${dns.port}`]);
    return one;
  });
  dns.set('live.test', { a: ['127.0.0.1', '192.0.2.7'], aaaa: ['2001:db8::1:2'] });
  assert.deepEqual(await resolver.resolve4('live.test'), ['127.0.0.1', '192.0.2.7']);
  assert.deepEqual(await resolver.resolve6('live.test'), ['2001:db8::1:2']);
  await assert.rejects(resolver.resolve4('other.test'), { code: 'ENOTFOUND' });
  dns.set('four.test', { a: ['127.0.0.1'] });
  await assert.rejects(resolver.resolve6('four.test'), { code: 'ENODATA' });
  dns.set('slow.test', { a: ['127.0.0.1'], delayMs: 200 });
  const began = performance.now();
  await resolver.resolve4('slow.test');
  assert.ok(performance.now() - began >= 198);
  dns.set('dead.test', { dead: true });
  await assert.rejects(hasty.resolve4('dead.test'), { code: 'ETIMEOUT' });
  assert.equal(dns.asked('live.test'), 1);
  assert.equal(dns.asked('live.test', 'aaaa'), 1);
});
