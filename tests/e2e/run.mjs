// Runs the end-to-end tests, each file in a process of its own, two at a time; what failed runs once more.
//
//   node run.mjs [--results FOLDER] [FILE...]      without a FILE: every *.test.mjs below this folder
//
// A test that failed counts as failed, whatever comes of its second run; that only tells "failed, then passed" from
// "failed twice". FOLDER (build/test-results/e2e) gets
//
//   failed/FILE/first, .../second    of each file that failed: the log, the temporary folders, and the output of child
//                                    processes, up to SIMULCASTD_E2E_KEEP_MIB (200) for each run of a file. Of a second
//                                    run that passed: the log and the output
//   outcomes.tsv                     for scripts/test: outcome, test, and what is kept, a line for each test
import { mkdirSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runFile, running } from './lib/test_file.mjs';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const AT_ONCE = 2;
const LIMIT = Number(process.env.SIMULCASTD_E2E_KEEP_MIB ?? 200) * 2 ** 20;

const { values, positionals } = parseArgs({ options: { results: { type: 'string' } }, allowPositionals: true });
const results = resolve(values.results ?? join(ROOT, 'build/test-results/e2e'));
const files = positionals.length ? positionals.map((file) => resolve(file)) : allFiles();

function allFiles() {
  return readdirSync(HERE, { recursive: true })
    .filter((name) => name.endsWith('.test.mjs') && !name.split('/').includes('node_modules'))
    .sort()
    .map((name) => join(HERE, name));
}

function shown(path) {
  const way = relative(ROOT, path);
  return way.startsWith('..') ? path : way;
}

function nameOf(file) {
  const way = relative(HERE, file);
  return way.startsWith('..') ? basename(file) : way;
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    for (const child of running) child.kill('SIGTERM'); // node's test runner hands it on
  });
}

/** What is worth reading of a log: without node's sum, as there is one of all files. */
const withoutSum = (log) =>
  log.replace(/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\n/gm, '');

function tell(title, run) {
  const sum = `${run.passes.length} passed, ${run.failures.length} failed, ${run.skipped.length} skipped`;
  console.log(`=== ${title}: ${sum}, ${run.seconds.toFixed(1)} s\n${withoutSum(run.log).trimEnd()}`);
  for (const line of run.leftOut) console.log(`not kept, too large: ${line}`);
}

function place(file, ...rest) {
  return join(results, 'failed', nameOf(file), ...rest);
}

/** Removes a folder, and those around it, if there is nothing in them. */
function dropEmpty(folder) {
  while (folder !== results && readdirSync(folder).length === 0) {
    rmdirSync(folder);
    folder = dirname(folder);
  }
}

async function firstRuns() {
  const runs = new Map();
  const queue = [...files];
  const work = async () => {
    for (let file; !stopped && (file = queue.shift()); ) {
      const run = await runFile(file, { place: place(file, 'first'), limit: LIMIT });
      if (run.failures.length === 0) dropEmpty(place(file));
      tell(nameOf(file), run);
      runs.set(file, run);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return runs;
}

/** One at a time. A file that did not tell which of its tests failed runs whole. */
async function again(file, { failures }) {
  const names = failures.every(isNamed) ? [...new Set(failures.map((failure) => failure.names[0]))] : [];
  const run = await runFile(file, { names, place: place(file, 'second'), limit: LIMIT, keep: true });
  tell(`again: ${nameOf(file)}`, run);
  return run;
}

function describe(file, { names, place: { file: source, line }, why }) {
  const where = source === file && line ? `${nameOf(file)}:${line}` : nameOf(file);
  const what = names.length ? names.map((name) => name ?? '(not told)').join(' > ') : `the file as a whole, ${why}`;
  return `${where}: ${what}`.replace(/\s+/g, ' ');
}

const key = ({ names }) => JSON.stringify(names);
const isNamed = ({ names }) => names.length > 0 && names[0] !== null;

/** What a failure is called after the second run. */
function verdict(failure, second) {
  if (!second) return 'failed, not run again';
  if (!isNamed(failure)) return second.failures.length ? 'failed twice' : 'failed, then passed';
  const same = second.records.filter((record) => key(record) === key(failure)).map(({ outcome }) => outcome);
  if (same.includes('failed')) return 'failed twice';
  return same.includes('passed') ? 'failed, then passed' : 'failed, then not told of';
}

rmSync(join(results, 'failed'), { recursive: true, force: true });
rmSync(join(results, 'outcomes.tsv'), { force: true });
mkdirSync(results, { recursive: true });

const first = await firstRuns();
const passed = [];
const failed = []; // { test, outcome, kept }
for (const file of files) {
  const run = first.get(file);
  if (!run) {
    failed.push({ test: nameOf(file), outcome: 'not run', kept: [] });
    continue;
  }
  passed.push(...run.passes.map((pass) => describe(file, pass)));
  if (run.failures.length === 0) continue;
  const second = stopped ? undefined : await again(file, run);
  const kept = [`first run: ${shown(place(file, 'first'))}`];
  if (second) kept.push(`second run: ${shown(place(file, 'second'))}`);
  for (const failure of run.failures) {
    failed.push({ test: describe(file, failure), outcome: verdict(failure, second), kept });
  }
  for (const failure of second?.failures ?? []) {
    if (!run.failures.some((before) => key(before) === key(failure)))
      console.log(`failed in the second run only, not counted: ${describe(file, failure)}`);
  }
}

const lines = [
  ...passed.map((test) => ['passed', test, '']),
  ...failed.map(({ test, outcome, kept }) => [outcome, test, kept.join(', ')]),
];
writeFileSync(join(results, 'outcomes.tsv'), lines.map((fields) => `${fields.join('\t')}\n`).join(''));
if (failed.length) console.log('\nFailed end-to-end tests:');
for (const { test, outcome, kept } of failed) console.log([`  ${test}: ${outcome}`, ...kept].join('\n      '));
console.log(`\n${passed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length || !passed.length ? 1 : 0;
