// Runs fault lines one after the other and prints their figures: see scripts/faults.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../../..');
const DOC = join(ROOT, 'docs/reliability.md');

const files = readdirSync(HERE).filter((name) => name.endsWith('.test.mjs'));
const lines = files
  .flatMap((file) =>
    [...readFileSync(join(HERE, file), 'utf8').matchAll(/faultLine\(\s*'([EDHS]\d+)',\s*(['"`])(.*?)\2/g)].map(
      ([, id, , title]) => ({ id, title, file }),
    ),
  )
  .sort((a, b) => 'EDHS'.indexOf(a.id[0]) - 'EDHS'.indexOf(b.id[0]) || a.id.slice(1) - b.id.slice(1));

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const ids = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = [
  ...flags.filter((flag) => !['--list', '--write'].includes(flag)),
  ...ids.filter((id) => !lines.some((line) => line.id === id)),
];
if (unknown.length) {
  console.error(`faults: unknown: ${unknown.join(' ')}; allowed: --list --write ${lines.map(({ id }) => id).join(' ')}`);
  process.exit(2);
}
if (flags.includes('--list')) {
  for (const { id, title } of lines) console.log(`${id}  ${title}`);
  process.exit(0);
}

const folder = join(ROOT, 'build/test-results/faults');
mkdirSync(folder, { recursive: true });

/** Runs one line; gives its figures. What the test itself has to say goes into a log. */
async function run({ id, file }) {
  const results = join(folder, `${id}.jsonl`);
  writeFileSync(results, '');
  const log = createWriteStream(join(folder, `${id}.log`));
  const child = spawn(process.execPath, [join(HERE, file)], {
    cwd: join(HERE, '..'),
    env: { ...process.env, SIMULCASTD_FAULTS: id, SIMULCASTD_FAULTS_RESULTS: results },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const code = await new Promise((done) => child.on('close', done));
  log.end();
  const figures = readFileSync(results, 'utf8').split('\n').filter(Boolean).map((text) => JSON.parse(text));
  if (code !== 0 && figures.every((figure) => figure.passed)) {
    figures.push({ id, what: `failed after its figures, see ${join(folder, `${id}.log`)}`, passed: false, value: '', limit: '', unit: '' });
  }
  if (!figures.length) figures.push({ id, what: 'did not run', passed: false, value: '', limit: '', unit: '' });
  return figures;
}

const rows = new Map(); // id -> of the table
let failed = 0;
const chosen = lines.filter(({ id }) => ids.length === 0 || ids.includes(id));
for (const line of chosen) {
  const figures = await run(line);
  for (const { id, what, passed, value, limit, unit } of figures) {
    console.log(`${id} ${passed ? 'PASS' : 'FAIL'} ${value} ${limit} ${unit} - ${what}`);
    const row = `| ${id} | ${what} | ${passed ? 'PASS' : '**FAIL**'} | ${value} ${unit} | ${limit} |`;
    rows.set(id, [...(rows.get(id) ?? []), row]);
  }
  if (figures.some((figure) => !figure.passed)) failed += 1;
}

if (flags.includes('--write')) {
  const text = readFileSync(DOC, 'utf8');
  const [begin, end] = ['<!-- figures: scripts/faults --write -->', '<!-- end of figures -->'];
  const head = text.slice(0, text.indexOf(begin) + begin.length);
  const tail = text.slice(text.indexOf(end));
  // Lines that did not run keep what they have.
  for (const row of text.slice(head.length, text.length - tail.length).split('\n')) {
    const [, id] = /^\| ([EDHS]\d+) \|/.exec(row) ?? [];
    if (id && !chosen.some((line) => line.id === id)) rows.set(id, [...(rows.get(id) ?? []), row]);
  }
  const table = lines.flatMap(({ id }) => rows.get(id) ?? []);
  const body = ['', '| line | measured | | value | limit |', '| --- | --- | --- | --- | --- |', ...table, ''].join('\n');
  writeFileSync(DOC, head + body + tail);
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
