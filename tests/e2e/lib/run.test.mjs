// run.mjs over a throwaway folder of tests: what it calls each outcome, what it keeps, what it drops.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { Child, tempDir } from './cleanup.mjs';

const CLEANUP = JSON.stringify(join(import.meta.dirname, 'cleanup.mjs'));

const folder = tempDir('run');
const results = join(folder, 'results');
const marks = join(folder, 'marks'); // what outlasts a run of a test: the folders it made, and that it ran
mkdirSync(marks);

const FILES = {
  good: `
    test('good', async () => leave('good'));
    test('left out', { skip: true }, () => {});
    test('to be done', { todo: true }, () => { throw new Error(); });`,
  bad: `
    test('good', async () => { await leave('good beside bad'); });
    test('bad: 1 + (1) = [3] \\\\ |a?', async () => { await leave('bad'); assert.equal(1 + 1, 3); });`,
  unsteady: `
    test('unsteady', async () => { await leave('unsteady'); assert.ok(seen('unsteady')); });
    test('steady', () => { seen('steady'); });`,
  shot: `
    test('failed ahead', () => assert.ok(seen('shot')));
    test('shot', async () => {
      await leave('shot');
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => setTimeout(() => {}, 9999));
    });`,
  left: `
    test('left', async () => { await leave('left'); if (!seen('left')) process.exit(3); });`,
  unloadable: `throw new Error('no such thing');`,
  nested: `
    describe('outer', { concurrency: 3 }, () => {
      test('middle', async (t) => {
        await t.test('inner, good', () => {});
        await t.test('inner, bad', () => assert.fail('never mind'));
      });
      test('beside', () => {});
    });
    describe('hooked', () => {
      before(() => { throw new Error('no way'); });
      test('cancelled', () => {});
    });`,
  large: `
    test('large', () => {
      const folder = tempDir('large');
      writeFileSync(join(folder, 'small'), 'x'.repeat(1000));
      writeFileSync(join(folder, 'large'), 'x'.repeat(2 ** 20));
      note(folder);
      assert.fail('too large');
    });`,
};

const HEAD = `
  import assert from 'node:assert/strict';
  import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { before, describe, test } from 'node:test';
  import { run, tempDir } from ${CLEANUP};
  const MARKS = ${JSON.stringify(marks)};
  const note = (folder) => appendFileSync(join(MARKS, 'folders'), folder + '\\n');
  function seen(name) {
    const is = existsSync(join(MARKS, name));
    appendFileSync(join(MARKS, name), 'x');
    return is;
  }
  async function leave(name) {
    const folder = tempDir('throwaway');
    note(folder);
    writeFileSync(join(folder, 'recording'), name);
    await run('sh', ['-c', 'echo "$1"; echo aside >&2', 'sh', 'output of ' + name]);
  }
`;

let outcomes; // test -> outcome
let code;
let output;

before(async () => {
  const files = Object.entries(FILES).map(([name, body]) => {
    const file = join(folder, `${name}.test.mjs`);
    writeFileSync(file, HEAD + body);
    return file;
  });
  const env = { ...process.env, SIMULCASTD_E2E_KEEP_MIB: '0.5' };
  const args = [join(import.meta.dirname, '../run.mjs'), '--results', results, ...files];
  const child = new Child(process.execPath, args, { env });
  code = (await child.exited).code;
  output = child.output;
  const lines = readFileSync(join(results, 'outcomes.tsv'), 'utf8').trimEnd().split('\n');
  outcomes = lines.map((line) => line.split('\t'));
});

/** All that was told of a file: [name, outcome]. */
function told(file) {
  return outcomes
    .filter(([, what]) => what.startsWith(`${file}.test.mjs:`))
    .map(([outcome, what]) => [what.replace(/^\S+?:(\d+:)? /, ''), outcome]);
}

const kept = (file, ...rest) => join(results, 'failed', `${file}.test.mjs`, ...rest);

/** The text of what the nth run of a file kept, by the kind of folder it is in. */
function texts(file, run) {
  const found = {};
  for (const entry of readdirSync(kept(file, run), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const kind = entry.parentPath === kept(file, run) ? entry.name : basename(entry.parentPath).replace(/-\w{6}$/, '');
    (found[kind] ??= []).push(readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  }
  return found;
}

test('a file that passed leaves nothing', () => {
  assert.deepEqual(told('good'), [['good', 'passed']]);
  assert.ok(!existsSync(kept('good')));
});

test('a test that fails twice', () => {
  assert.deepEqual(told('bad'), [
    ['good', 'passed'],
    ['bad: 1 + (1) = [3] \\ |a?', 'failed twice'],
  ]);
  const [first, second] = [texts('bad', 'first'), texts('bad', 'second')];
  assert.deepEqual(first.throwaway.sort(), ['bad', 'good beside bad']);
  assert.match(first.output[1], /^\$ sh -c .* sh output of bad\noutput of bad\naside\n$/);
  assert.match(first['test.log'][0], /2 !== 3/);
  assert.deepEqual(second.throwaway, ['bad'], 'the second run is of that test only');
  assert.match(second['test.log'][0], /2 !== 3/);
  assert.deepEqual(readdirSync(kept('bad', 'first', 'output')).sort(), ['001-sh.log', '002-sh.log']);
});

test('a test that fails, then passes, is a failure', () => {
  assert.deepEqual(told('unsteady'), [
    ['steady', 'passed'],
    ['unsteady', 'failed, then passed'],
  ]);
  assert.deepEqual(texts('unsteady', 'first').throwaway, ['unsteady']);
  assert.match(texts('unsteady', 'second').output.join(), /output of unsteady/);
  assert.match(texts('unsteady', 'second')['test.log'][0], /✔ unsteady/);
  assert.equal(readFileSync(join(marks, 'steady'), 'utf8'), 'x', 'that which passed runs once');
});

test('a file whose process is killed runs again whole', () => {
  assert.equal(told('shot').at(-1)[1], 'failed twice');
  assert.match(told('shot').at(-1)[0], /^the file as a whole, /);
  for (const run of ['first', 'second']) {
    assert.deepEqual(texts('shot', run).throwaway, ['shot']);
    assert.match(texts('shot', run).output.join(), /output of shot/);
  }
});

test('a file that ends its process', () => {
  assert.deepEqual(told('left'), [['the file as a whole, exit code 3', 'failed, then passed']]);
  assert.deepEqual(texts('left', 'first').throwaway, ['left']);
});

test('a file that cannot be loaded', () => {
  assert.deepEqual(told('unloadable'), [['the file as a whole, exit code 1', 'failed twice']]);
  assert.match(texts('unloadable', 'second')['test.log'][0], /no such thing/);
});

test('tests within tests are told once', () => {
  assert.deepEqual(told('nested').sort(), [
    ['hooked > cancelled', 'failed twice'],
    ['hooked', 'failed twice'],
    ['outer > beside', 'passed'],
    ['outer > middle > inner, bad', 'failed twice'],
    ['outer > middle > inner, good', 'passed'],
  ]);
});

test('what is too large to keep is named', () => {
  assert.deepEqual(texts('large', 'first').large, ['x'.repeat(1000)]);
  assert.match(texts('large', 'first')['left-out.txt'][0], /^large-\w+\/large \(1048576 bytes\)\n$/);
  assert.match(output, /not kept, too large: large-\w+\/large/);
});

test('no temporary folder stays behind', () => {
  const made = readFileSync(join(marks, 'folders'), 'utf8').trimEnd().split('\n');
  assert.ok(made.length >= 8);
  assert.deepEqual(made.filter((path) => existsSync(path)), []);
});

test('the sum and the exit code', () => {
  assert.equal(code, 1);
  const passed = outcomes.filter(([outcome]) => outcome === 'passed').length;
  assert.match(output, new RegExp(`\\n${passed} passed, ${outcomes.length - passed} failed\\n$`));
  assert.match(output, /unsteady: failed, then passed\n +first run: .*first\n +second run: .*second\n/);
});
