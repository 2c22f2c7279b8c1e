// A reporter of node's test runner for run.mjs: one JSON object a line for each test of one file,
//
//   { outcome: 'passed' | 'failed' | 'skipped' | 'todo', names, place: { file, line }, counts, why }
//
// `names`: those of the tests around it, from the outermost, and its own; none when the file as a whole failed, and `why`
// says how. The first is null when the process died before it told of the outermost test. `counts`: false for a suite that
// passed and for a test that failed only because one within it did.
import { resolve } from 'node:path';

function outcomeOf(type, { skip, todo }) {
  if (skip !== undefined && skip !== false) return 'skipped';
  if (todo !== undefined && todo !== false) return 'todo';
  return type === 'test:pass' ? 'passed' : 'failed';
}

function howItEnded({ signal, exitCode } = {}) {
  if (signal) return `killed by ${signal}`;
  return exitCode === undefined ? undefined : `exit code ${exitCode}`;
}

const toLine = ({ nesting, ...test }) => `${JSON.stringify(test)}\n`;

export default async function* resultReporter(source) {
  let waiting = []; // for the test around them: node tells of inner tests first
  const orphans = () => {
    const tests = waiting;
    waiting = [];
    for (const test of tests) test.names.unshift(null);
    return tests;
  };

  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, nesting, file, line, details = {} } = data;
    const outcome = outcomeOf(type, data);
    const { error } = details;

    // Node adds a test for the file itself when the file failed, or had no test.
    if (nesting === 0 && file !== undefined && resolve(name) === file) {
      const itself = { outcome, names: [], place: { file }, counts: outcome === 'failed', why: howItEnded(error) };
      yield [...orphans(), itself].map(toLine).join('');
      continue;
    }

    for (const test of waiting) {
      if (test.nesting <= nesting) continue; // of a test that came before this one
      test.names.unshift(name);
      test.nesting = nesting;
    }
    const counts = outcome === 'failed' ? error?.failureType !== 'subtestsFailed' : details.type !== 'suite';
    waiting.push({ nesting, outcome, names: [name], place: { file, line }, counts });
    if (nesting > 0) continue;
    yield waiting.map(toLine).join('');
    waiting = [];
  }
  yield orphans().map(toLine).join('');
}
