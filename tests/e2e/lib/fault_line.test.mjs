// A line that passes must have measured something, and one beyond its limit must fail.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from './cleanup.mjs';

/** Runs a file with one line of this body; gives its exit code and the figures it told. */
async function run(body, wanted = 'all') {
  const folder = tempDir('fault-line');
  const file = join(folder, 'line.mjs');
  const results = join(folder, 'results');
  writeFileSync(results, '');
  writeFileSync(
    file,
    `import { faultLine } from ${JSON.stringify(join(import.meta.dirname, 'fault_line.mjs'))};
     faultLine('X1', 'a line', {}, async (t, line) => { ${body} });`,
  );
  const env = { ...process.env, SIMULCASTD_FAULTS: wanted, SIMULCASTD_FAULTS_RESULTS: results };
  delete env.NODE_TEST_CONTEXT; // else it reports to this very run
  const code = await new Promise((resolve) => {
    execFile(process.execPath, [file], { env }, (error) => resolve(error?.code ?? 0));
  });
  const figures = readFileSync(results, 'utf8').split('\n').filter(Boolean).map((text) => JSON.parse(text));
  return { code, figures };
}

test('within its limits', async () => {
  const { code, figures } = await run(`line.atMost('delay', 9.8765, 10, 'ms'); line.exactly('hits', 0, 0);`);
  assert.equal(code, 0);
  assert.deepEqual(figures[0], { id: 'X1', what: 'delay', passed: true, value: 9.877, limit: '<=10', unit: 'ms' });
  assert.equal(figures.length, 2);
});

for (const [what, body] of Object.entries({
  'beyond a limit': `line.atMost('delay', 11, 10, 'ms');`,
  'not a number': `line.atLeast('delay', NaN, 10, 'ms');`,
  'nothing measured': ``,
  'an exception': `throw new Error('no such file');`,
})) {
  test(`fails: ${what}`, async () => {
    const { code, figures } = await run(body);
    assert.notEqual(code, 0);
    assert.deepEqual(figures.map((figure) => figure.passed), [false]);
  });
}

test('not wanted: not run', async () => {
  assert.deepEqual((await run(`throw new Error();`, 'E1,D1')).figures, []);
});
