// One line of the fault matrix (docs/reliability.md): a test that also says how far it stayed from its limits.
//
//   faultLine('E4', 'a second encoder with the same key', { quick: true }, async (t, line) => {
//     ...
//     line.atMost('seam beside the wall clock', ms, 100, 'ms');     // fails the line at once when it is more
//     line.exactly('connections', sink.sessions.length, 1);
//   });
//
// Quick lines belong to every run of the end-to-end tests, the others only to scripts/faults (SIMULCASTD_FAULTS=all, or
// the ids that are wanted, separated by commas). SIMULCASTD_FAULTS_RESULTS names a file that gets the figures, one JSON
// object a line.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';

const WANTED = process.env.SIMULCASTD_FAULTS;

/** Whether this is a run of scripts/faults: with full loads, and a machine to itself. */
export const FULL = WANTED !== undefined;

/**
 * A limit that is a time by the clock. It holds in a full run; beside other tests, and on whatever machine those run, it
 * says nothing.
 */
export const timed = (limit) => (FULL ? limit : Infinity);

const RESULTS = process.env.SIMULCASTD_FAULTS_RESULTS;

function tell(figure) {
  if (RESULTS) appendFileSync(RESULTS, `${JSON.stringify(figure)}\n`);
}

class Line {
  failed = false;
  figures = 0;

  constructor(id) {
    this.id = id;
  }

  #figure(what, value, limit, unit, relation, passed) {
    const shown = typeof value === 'number' ? Number(value.toFixed(3)) : value;
    this.figures += 1;
    tell({ id: this.id, what, passed, value: shown, limit: `${relation}${limit}`, unit });
    this.failed ||= !passed;
    assert.ok(passed, `${this.id} ${what}: ${shown} ${unit}, allowed ${relation}${limit}`);
  }

  /** These three fail the line when the figure is beyond the limit. NaN is beyond every limit. */
  atMost(what, value, limit, unit = '') {
    this.#figure(what, value, limit, unit, '<=', value <= limit);
  }
  atLeast(what, value, limit, unit = '') {
    this.#figure(what, value, limit, unit, '>=', value >= limit);
  }
  exactly(what, value, limit, unit = '') {
    this.#figure(what, value, limit, unit, '=', value === limit);
  }
}

/** Whether a line takes part in this run. */
export function isWanted(id, quick = false) {
  return WANTED === undefined ? quick : WANTED === 'all' || WANTED.split(',').includes(id);
}

/** `quick`: the line belongs to every run. Other options go to node's test(). */
export function faultLine(id, title, { quick = false, ...options }, body) {
  if (!isWanted(id, quick)) return;
  test(`${id} ${title}`, options, async (t) => {
    const line = new Line(id);
    try {
      await body(t, line);
      assert.ok(line.figures > 0, `${id} measured nothing`);
    } catch (error) {
      if (!line.failed) tell({ id, what: title, passed: false, value: error.message.split('\n')[0], limit: '', unit: '' });
      throw error;
    }
  });
}
