// Malformed input, by the million: the libFuzzer targets with their corpora, as scripts/fuzz runs them.
// SIMULCASTD_FUZZ_MINUTES says for how long, all targets together.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { faultLine } from '../lib/fault_line.mjs';

const ROOT = resolve(import.meta.dirname, '../../..');
const FUZZ = join(ROOT, 'tests/fuzz');
const MINUTES = process.env.SIMULCASTD_FUZZ_MINUTES ?? '1';

/** `fuzz: NAME PASS runs=1 new=0 ...` of every target; a failed run still has its lines. */
async function fuzz() {
  const { stdout } = await promisify(execFile)(join(ROOT, 'scripts/fuzz'), [MINUTES], { maxBuffer: 1 << 24 }).catch(
    (failed) => failed,
  );
  return [...stdout.matchAll(/^fuzz: (\w+) (?:PASS|FAIL) (.*)$/gm)].map(([, name, figures]) => ({
    name,
    ...Object.fromEntries(figures.split(' ').map((figure) => figure.split('='))),
  }));
}

/** The target with the largest figure; NaN, when one has none, is larger than all. */
function worst(targets, figure) {
  const values = targets.map((target) => Number.parseFloat(target[figure]));
  return values.some(Number.isNaN) ? NaN : Math.max(...values);
}

const total = (targets, figure) => targets.reduce((sum, target) => sum + Number(target[figure]), 0);

faultLine('S3', 'malformed input on every way in', { timeout: (Number(MINUTES) + 20) * 60_000 }, async (t, line) => {
  const sources = readdirSync(FUZZ).filter((file) => file.endsWith('_fuzzer.cpp'));
  const seeds = readdirSync(join(FUZZ, 'corpus'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const sizes = seeds.map((file) => statSync(join(file.parentPath ?? file.path, file.name)).size);

  const targets = await fuzz();
  assert.ok(targets.length > 0, 'the targets did not run: scripts/fuzz says why');
  line.exactly('targets', targets.length, sources.length);
  line.atLeast('inputs tried', total(targets, 'runs'), seeds.length);
  line.exactly('findings', total(targets, 'findings'), 0);
  line.atMost('processor time of the slowest input', worst(targets, 'slowest_ms') / 1000, 1, 's');
  line.atMost('memory of the largest input', worst(targets, 'memory_kb') / 1024, 64, 'MB');
  line.atMost('the corpora', sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20, 10, 'MB');
});
