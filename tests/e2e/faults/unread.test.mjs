// Those who ask for a great deal: for the metrics of thousands of outputs again and again, and for lists that they do not
// read.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from '../lib/daemon.mjs';
import { FULL, faultLine } from '../lib/fault_line.mjs';
import { Pulse } from '../lib/pulse.mjs';
import { RawHttp } from '../lib/raw_http.mjs';
import { until } from '../lib/until.mjs';

const [INPUTS, OUTPUTS] = FULL ? [100, 50] : [10, 10];
const SCRAPES = FULL ? 900 : 100;
const LISTS = 60;
const LARGE_INPUTS = 20;
const META = 'x'.repeat(1_000_000);

faultLine('S17', 'metrics asked for all the time, lists and events that nobody reads', {}, async (t, line) => {
  const daemon = await Daemon.start(t, { metrics: true, logLevel: 'info' });
  const made = async (path, body) => (await daemon.request('POST', path, { body })).json.result.uid;
  for (let i = 0; i < INPUTS; i++) {
    const input = await made('', { meta: { name: `input ${i}` } });
    const output = (n) => ({ url: 'rtmp://127.0.0.1:1/live', streamKey: `${n}`, name: `output ${n}` });
    await Promise.all(Array.from({ length: OUTPUTS }, (_, n) => made(`/${input}/outputs`, output(n))));
  }

  // Metrics, on both listeners.
  for (const [what, url] of [
    ['the API', `${daemon.base}/metrics`],
    ['the listener of its own', `http://127.0.0.1:${daemon.ports.metrics}/metrics`],
  ]) {
    const pulse = new Pulse(daemon);
    const cpu = daemon.cpuSeconds;
    for (let done = 0; done < SCRAPES; done += 10) {
      const texts = await Promise.all(Array.from({ length: 10 }, async () => (await fetch(url)).text()));
      assert.ok(texts.every((text) => text.includes('simulcastd_output_info')));
    }
    const used = daemon.cpuSeconds - cpu;
    const { longest } = await pulse.stop();
    line.atMost(`${SCRAPES} scrapes of ${INPUTS * OUTPUTS} outputs at ${what}: longest pause`, longest, 3000, 'ms');
    line.atMost(`${SCRAPES} scrapes of ${INPUTS * OUTPUTS} outputs at ${what}: CPU`, used, 15, 's');
  }

  // Lists of 20 MB.
  for (let i = 0; i < LARGE_INPUTS; i++) await made('', { meta: { name: 'large', more: META } });
  const base = `/client/v4/accounts/${daemon.account}/stream`;
  const get = (path) => `GET ${base}${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${daemon.token}\r\n\r\n`;
  assert.equal((await daemon.request('GET', '')).json.result.total, INPUTS + LARGE_INPUTS);
  await delay(2000); // memory that is spare is given back
  const before = daemon.residentKiB;
  const pulse = new Pulse(daemon);
  const clients = Array.from({ length: LISTS }, () => new RawHttp(daemon.ports.api));
  t.after(() => clients.forEach(({ socket }) => socket.destroy()));
  const statuses = clients.map(() => null);
  clients.forEach(({ socket }, i) => {
    socket.removeAllListeners('data');
    socket.once('data', (bytes) => {
      statuses[i] = Number(/^HTTP\/1\.1 (\d{3}) /.exec(bytes.toString('latin1'))[1]);
      socket.pause(); // and no more of it
    });
    socket.write(get('/live_inputs'));
  });
  await until('all to be answered', () => statuses.every(Boolean), { timeout: 30_000 });
  // Beside them somebody changes something, and asks for a list.
  const changed = await daemon.request('POST', '', { body: {} });
  const another = await daemon.request('GET', '');
  await delay(3000);
  const { longest, resident } = await pulse.stop();
  line.exactly('answers other than 200 and 503', statuses.filter((one) => one !== 200 && one !== 503).join(), '');
  line.atLeast('of them 200', statuses.filter((one) => one === 200).length, 1);
  for (const [what, { status, headers }] of Object.entries({ 'a change': changed, 'another list': another })) {
    line.exactly(`${what} beside them: answered, or put off`, status === 200 || (status === 503 && headers.has('retry-after')), true);
  }
  line.atMost(`${LISTS} lists of 20 MB that nobody reads: longest pause`, longest, 3000, 'ms');
  if (!daemon.sanitized) line.atMost(`${LISTS} lists of 20 MB that nobody reads: memory`, resident - before, 64 * 1024, 'KiB');
  clients.forEach(({ socket }) => socket.destroy());
  const after = await until('a list again', async () => {
    const answer = await daemon.request('GET', '');
    return answer.status === 200 && answer;
  });
  line.atLeast('inputs in it', after.json.result.total, INPUTS + LARGE_INPUTS);
});
