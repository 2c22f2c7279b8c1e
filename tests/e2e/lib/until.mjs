// Waiting, the only way these tests do it: ask again and again until it is so, or a deadline passes.
import { setTimeout as delay } from 'node:timers/promises';

/** Thrown by a probe that knows that waiting longer is pointless. */
export class Hopeless extends Error {}

// A deadline says that something hangs, not how fast it has to be: a busy machine may take its time.
const PATIENCE = 30_000;

/**
 * Calls `probe` until it gives something truthy, and gives that back. `probe` may throw: that counts as "not yet",
 * and its words are part of the error when time runs out.
 */
export async function until(what, probe, { timeout = PATIENCE, interval = 20 } = {}) {
  const deadline = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    if (performance.now() >= deadline) {
      const why = last ? `; the last try said: ${last.message}` : '';
      throw new Error(`waited ${timeout} ms in vain for: ${what}${why}`, { cause: last });
    }
    await delay(interval);
  }
}
