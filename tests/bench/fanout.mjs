// The cases that compare relays run by run: rtmp, rtmps, inputs.
//
// Each gives { tables: [markdown], bars: [{ name, ok, text }], sound: whether simulcastd lost nothing }.
import { run } from '../e2e/lib/cleanup.mjs';
import { makeCertificates } from '../e2e/lib/certificates.mjs';
import { Sink } from './peers.mjs';
import { measure, record } from './measure.mjs';
import { RELAYS, RIDING } from './relays.mjs';
import { fixed, markdown, median, ratio, sum } from './tables.mjs';

const MOST_FOR_FFMPEG = 50; // it keeps a thread and a queue for each output
const KEEPS_UP = 0.97; // of the published frames have to arrive within the window

const HEADS = ['relay', 'CPU-s/GB', 'to nginx', 'to the floor with riding audio', 'video delay p50, ms', 'p99, ms'];
const MORE_HEADS = ['lost', 'steps back', 'RSS, MiB'];

const medianOf = (runs, pick) => median(runs.map(pick));
const lostIn = (runs) => sum(runs.map((run) => run.lost + run.outOfOrder));
const stepsIn = (runs) => sum(runs.map((run) => run.stepsBack));
const keptUp = (runs) => runs.every((run) => run.ended === 0 && run.delivered >= KEEPS_UP);

// `all` the runs of every relay, with a hole where a round failed: ratios are of one and the same round.
const present = (runs) => runs.filter(Boolean);

function row(name, all) {
  const runs = present(all[name]);
  const delayOf = (percentile) => fixed(medianOf(runs, (run) => run.delay[percentile] ?? NaN), 2);
  return [
    keptUp(runs) ? name : `${name} (does not keep up)`,
    fixed(medianOf(runs, (run) => run.perGB), 3),
    fixed(ratio(all[name], all.nginx), 2),
    fixed(ratio(all[name], all[RIDING]), 2),
    delayOf('p50'),
    delayOf('p99'),
    lostIn(runs),
    stepsIn(runs),
    fixed(medianOf(runs, (run) => run.rss) / 1024, 1),
  ];
}

function inShort({ perGB, delay, lost, delivered, publisher, profile }) {
  return [
    `${perGB.toFixed(3)} CPU-s/GB`,
    `delay p50 ${delay.p50} p99 ${delay.p99} ms`,
    `lost ${lost}`,
    `delivered ${(100 * delivered).toFixed(1)} %`,
    `publisher late p99 ${publisher.late?.p99} ms`,
    ...(profile ? [`user space ${profile.user.toFixed(1)} %, kernel ${profile.kernel.toFixed(1)} % of samples`] : []),
  ].join(', ');
}

// All rounds of one scene; `relays` { name: how it is started }, run one after another within a round. A relay that
// fails, other than simulcastd, is left out of the round.
async function rounds(caseName, label, relays, sceneOf, options) {
  const results = Object.fromEntries(Object.keys(relays).map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, start] of Object.entries(relays)) {
      const scene = sceneOf(name);
      let result;
      try {
        result = await measure(start, scene, options);
      } catch (error) {
        if (name.startsWith('simulcastd')) throw error;
        console.error(`${caseName} ${label} round ${round + 1}: ${name} failed: ${error.message}`);
        record(caseName, { label, round, relay: name, error: error.message });
        continue;
      }
      results[name][round] = result;
      record(caseName, { label, round, relay: name, inputs: scene.inputs ?? 1, outputs: scene.outputs, ...result });
      console.error(`${caseName} ${label} round ${round + 1}: ${name} ${inShort(result)}`);
    }
  }
  return Object.fromEntries(Object.entries(results).filter(([, runs]) => runs.length > 0));
}

const rowsOf = (results) => Object.keys(results).map((name) => row(name, results));

function sound(runs) {
  return lostIn(runs) === 0 && stepsIn(runs) === 0 && runs.every((run) => run.ended === 0);
}

function soundBar(label, runs) {
  const delivered = Math.min(...runs.map((run) => run.delivered));
  const text = `lost ${lostIn(runs)}, steps back ${stepsIn(runs)}, delivered ${(100 * delivered).toFixed(1)} %`;
  return { name: `${label}: nothing lost, no step back`, ok: sound(runs) && keptUp(runs), text };
}

function atMost(name, value, bound, digits = 2) {
  return Number.isFinite(value)
    ? [{ name, ok: value <= bound, text: `${value.toFixed(digits)}, at most ${bound.toFixed(digits)}` }]
    : [];
}

export async function rtmp(options) {
  const wanted = options.relays ?? ['simulcastd', 'nginx', 'floor', RIDING, 'ffmpeg tee'];
  const rows = [];
  const bars = [];
  const perGB = {};
  let good = true;
  for (const outputs of options.outputs ?? [1, 10, 50, 100, 200]) {
    const names = wanted.filter((name) => name !== 'ffmpeg tee' || (outputs <= MOST_FOR_FFMPEG && !options.quick));
    const relays = Object.fromEntries(names.map((name) => [name, RELAYS[name]]));
    const label = `${outputs} outputs`;
    const results = await rounds('rtmp', label, relays, () => ({ outputs }), options);
    for (const cells of rowsOf(results)) rows.push([outputs, ...cells]);
    const own = results.simulcastd;
    if (!own) continue;
    perGB[outputs] = medianOf(own, (run) => run.perGB);
    good &&= sound(own);
    bars.push(soundBar(label, own));
    if (outputs > 100) continue;
    bars.push(...atMost(`${label}: CPU to nginx`, ratio(own, results.nginx), 0.65));
    bars.push(...atMost(`${label}: CPU to the floor with riding audio`, ratio(own, results[RIDING]), 1.1));
    const p99 = medianOf(own, (run) => run.delay.p99);
    bars.push(...atMost(`${label}: video delay p99, ms`, p99, 10));
    if (results.nginx) {
      const bound = medianOf(present(results.nginx), (run) => run.delay.p99) / 4;
      bars.push(...atMost(`${label}: video delay p99 to a quarter of nginx's, ms`, p99, bound));
    }
  }
  bars.push(...atMost('CPU per GB, 200 outputs to 50', perGB[200] / perGB[50], 1.1));
  return { tables: [markdown(['outputs', ...HEADS, ...MORE_HEADS], rows)], bars, sound: good };
}

const CIPHERS = {
  TLS_AES_256_GCM_SHA384: 'aes-256-gcm',
  TLS_AES_128_GCM_SHA256: 'aes-128-gcm',
  TLS_CHACHA20_POLY1305_SHA256: 'chacha20-poly1305',
};

async function negotiated(tls) {
  const sink = await Sink.start({ tls: tls.good });
  const args = ['s_client', '-connect', `localhost:${sink.port}`, '-CAfile', tls.caFile, '-brief'];
  const { output } = await run('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  await sink.stop();
  const suite = /Ciphersuite: (\S+)/.exec(output)?.[1];
  if (!CIPHERS[suite]) throw new Error(`an unexpected cipher: ${output}`);
  return suite;
}

// CPU seconds that one core needs to encrypt one GB.
async function cipherCost(cipher, bytes) {
  const args = ['speed', '-evp', cipher, '-bytes', String(bytes), '-seconds', '2'];
  const { output } = await run('openssl', args);
  return 1e9 / (Number(/^\S+\s+([\d.]+)k\s*$/m.exec(output)[1]) * 1000);
}

export async function rtmps(options) {
  const tls = await makeCertificates();
  const suite = await negotiated(tls);
  const rows = [];
  const bars = [];
  let good = true;
  const [plainName, secureName] = ['simulcastd, RTMP', 'simulcastd, RTMPS'];
  const relays = { [plainName]: RELAYS.simulcastd, [secureName]: RELAYS.simulcastd };
  for (const outputs of options.outputs ?? [1, 10, 50]) {
    const label = `${outputs} outputs`;
    // The cipher's cost at the same time, for the machine's speed is not always the same.
    const cost = { 16384: [], 8192: [] };
    const sceneOf = (name) => ({ outputs, ...(name === secureName ? { tls } : {}) });
    const plain = [];
    const secure = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const bytes of Object.keys(cost)) cost[bytes].push(await cipherCost(CIPHERS[suite], bytes));
      const results = await rounds('rtmps', label, relays, sceneOf, { ...options, rounds: 1 });
      plain.push(results[plainName][0]);
      secure.push(results[secureName][0]);
    }
    good &&= sound(plain) && sound(secure);
    const bound = plain.map((each, i) => each.perGB + cost[16384][i]);
    const toBound = median(secure.map((each, i) => each.perGB / bound[i]));
    rows.push([
      outputs,
      ...[plain, secure].map((runs) => fixed(medianOf(runs, (each) => each.perGB), 3)),
      ...[16384, 8192].map((bytes) => fixed(median(cost[bytes]), 3)),
      fixed(toBound, 2),
      fixed(medianOf(secure, (each) => each.delay.p50), 2),
      fixed(medianOf(secure, (each) => each.delay.p99), 2),
      lostIn(secure),
      stepsIn(secure),
      fixed(medianOf(secure, (each) => each.rss) / 1024, 1),
    ]);
    bars.push(soundBar(`rtmps, ${label}`, secure));
    if (outputs === 50) bars.push(...atMost(`rtmps, ${label}: CPU to plain and cipher`, toBound, 1.35));
  }
  const heads = ['outputs', 'RTMP, CPU-s/GB', 'RTMPS, CPU-s/GB', 'cipher alone, CPU-s/GB, 16 KiB', '8 KiB'];
  heads.push('RTMPS to RTMP and cipher (16 KiB)', 'video delay p50, ms', 'p99, ms', ...MORE_HEADS);
  return { tables: [`Negotiated: ${suite}.`, markdown(heads, rows)], bars, sound: good };
}

export async function inputs(options) {
  const load = { fps: 30, kbps: 500, gop: 60, audioKbps: 96 };
  const rows = [];
  const bars = [];
  let good = true;
  for (const scene of [
    { inputs: 200, outputs: 1, load },
    { inputs: 50, outputs: 3, load },
  ]) {
    const label = `${scene.inputs} inputs to ${scene.outputs} each`;
    const relays = { simulcastd: RELAYS.simulcastd, nginx: RELAYS.nginx };
    const results = await rounds('inputs', label, relays, () => scene, options);
    for (const cells of rowsOf(results)) rows.push([scene.inputs, scene.outputs, ...cells.toSpliced(3, 1)]);
    const own = results.simulcastd;
    good &&= sound(own);
    bars.push(soundBar(label, own));
    if (scene.inputs === 200) bars.push(...atMost(`${label}: CPU to nginx`, ratio(own, results.nginx), 0.8));
  }
  const heads = ['inputs', 'outputs of each', ...HEADS.toSpliced(3, 1), ...MORE_HEADS];
  return { tables: [markdown(heads, rows)], bars, sound: good };
}
