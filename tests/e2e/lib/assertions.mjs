// What nearly every test asserts.
import assert from 'node:assert/strict';
import { compare as compareUnits } from './access_units.mjs';
import { compare } from './exactness.mjs';
import { until } from './until.mjs';

/**
 * Asserts that `received` is what was `published`; options as compare() has them. At least `atLeast` video frames, so
 * that nothing is proved by nothing.
 */
export function assertExact(published, received, { what = 'the destination', atLeast = 30, ...options } = {}) {
  const result = compare(published, received, options);
  assert.ok(result.ok, `${what} is not exact: ${result.report}`);
  assert.ok(result.video >= atLeast, `${what} has too little to compare: ${result.report}`);
  return result;
}

/** Waits until a sink's session has got all that was published (the tail is under way for a moment), then compares. */
export async function assertSinkExact(published, session, options = {}) {
  const want = published.filter((p) => p.kind === 'video').length;
  await until(
    'the last packets at the sink',
    () => session.closed || options.start === 'any' || session.videoCount >= want,
  ).catch(() => {}); // the comparison says it better
  return assertExact(published, session.media, options);
}

/** assertExact() for two broadcasts in the form of access_units.mjs, so also from one container to the other. */
export function assertUnits(published, received, { what = 'the destination', atLeast = 30, ...options } = {}) {
  const result = compareUnits(published, received, options);
  assert.ok(result.ok, `${what} is not exact: ${result.report}`);
  assert.ok(result.video >= atLeast, `${what} has too little to compare: ${result.report}`);
  return result;
}
