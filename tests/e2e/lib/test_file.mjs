// One run of one test file in a process of its own, and what came of it.
//
//   const first = await runFile(file, { place, limit });
//   first.records                        of result_reporter.mjs
//   first.passes, .failures, .skipped    those of them that count
//   first.log                            what there was to read, also in place/test.log
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { drop, gather, wasCut } from './artefacts.mjs';

const REPORTER = join(import.meta.dirname, 'result_reporter.mjs');

export const running = new Set(); // child processes

/** A pattern that only this name fits. */
const exactly = (name) => `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`;

async function nodeTest(file, names, place) {
  const results = join(place, 'results.jsonl');
  const log = openSync(join(place, 'test.log'), 'w');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // else it reports to a test runner that runs us
  const child = spawn(
    process.execPath,
    [
      '--test',
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${REPORTER}`, `--test-reporter-destination=${results}`],
      ...names.map((name) => `--test-name-pattern=${exactly(name)}`),
      file,
    ],
    {
      cwd: join(import.meta.dirname, '..'),
      stdio: ['ignore', log, log],
      env: { ...env, SIMULCASTD_E2E_ARTEFACTS: place },
    },
  );
  closeSync(log);
  running.add(child);
  const code = await new Promise((done) => child.on('close', (status, signal) => done(status ?? signal)));
  running.delete(child);
  const told = existsSync(results) ? readFileSync(results, 'utf8').split('\n').filter(Boolean) : [];
  rmSync(results, { force: true });
  return { code, records: told.map((line) => JSON.parse(line)) };
}

/**
 * `names`: only the outermost tests of these names, instead of all. `place`: a folder for the log and, of a run that
 * failed or with `keep`, for its artefacts, up to `limit` bytes; it is removed else.
 */
export async function runFile(file, { names = [], place, limit, keep = false }) {
  mkdirSync(place, { recursive: true });
  const began = performance.now();
  const { code, records } = await nodeTest(file, names, place);
  const wholeFile = (why) => records.push({ outcome: 'failed', names: [], place: { file }, counts: true, why });
  const hasFailed = () => records.some(({ outcome }) => outcome === 'failed');
  const ofFile = records.some(({ outcome, names: path }) => outcome === 'failed' && path.length === 0);
  if (!ofFile && wasCut(place, file)) wholeFile('the process did not end in order');
  else if (code !== 0 && !hasFailed()) wholeFile(`node --test ended with ${code}`);

  const log = readFileSync(join(place, 'test.log'), 'utf8');
  let leftOut = [];
  if (hasFailed() || keep) leftOut = gather(place, limit);
  else {
    drop(place);
    rmSync(place, { recursive: true });
  }
  const counted = (wanted) => records.filter(({ counts, outcome }) => counts && outcome === wanted);
  return {
    seconds: (performance.now() - began) / 1000,
    records,
    passes: counted('passed'),
    failures: counted('failed'),
    skipped: counted('skipped'),
    log,
    leftOut,
  };
}
