// The SRT fan-out, by the benchmark that lies with the end-to-end tests, once for each number of outputs.
import { resolve } from 'node:path';
import { Child } from '../e2e/lib/cleanup.mjs';

const BENCH = resolve(import.meta.dirname, '../e2e/bench/srt_fanout.mjs');

export async function srt({ outputs = [1, 10, 50], seconds, rounds }) {
  const tables = [];
  const bars = [];
  for (const count of outputs.filter((each) => each <= 50)) {
    const args = [BENCH, String(count), String(seconds), String(rounds)];
    const child = new Child(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const { code } = await child.exited;
    tables.push(child.output.trim());
    bars.push({ name: `srt, ${count} outputs: nothing lost`, ok: code === 0, text: `exit code ${code}` });
  }
  return { tables, bars, sound: bars.every(({ ok }) => ok) };
}
