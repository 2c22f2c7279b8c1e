// The dashboard and the alert rules ask for metrics that are there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { metricsOf } from './lib/prometheus.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const folder = join(import.meta.dirname, '../../docs/monitoring');
const names = (text) => new Set([...text.matchAll(/\b(?:simulcastd|process)_[a-z_]+\b/g)].map(([name]) => name));

test('every metric of the dashboard, the alert rules and the table is there', async (t) => {
  const daemon = await Daemon.start(t);
  const sink = await RtmpSink.listen();
  t.after(() => sink.close());
  const input = await LiveInput.create(daemon);
  const { uid } = await input.addOutput(sink.url('show'));
  const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
  t.after(() => encoder.vanish());
  await input.untilOutput(uid, 'live');
  const there = await until('figures of the input', async () => {
    const all = new Set((await metricsOf(`${daemon.base}/metrics`)).map(({ name }) => name));
    return all.has('simulcastd_input_bits_per_second') && all;
  });
  for (const file of ['grafana.json', 'alerts.yaml']) {
    const asked = names(readFileSync(join(folder, file), 'utf8'));
    assert.ok(asked.size > 5);
    for (const name of asked) assert.ok(there.has(name), `${file} asks for ${name}`);
  }
  const told = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const name of there) {
    const short = name.replace(/^simulcastd_(input|output)/, '').replace(/_(bucket|sum|count)$/, '');
    assert.ok(told.includes(short) || name.startsWith('process_'), `README.md does not tell of ${name}`);
  }
  JSON.parse(readFileSync(join(folder, 'grafana.json'), 'utf8'));
});
