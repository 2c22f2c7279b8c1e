// Medians, markdown tables, and docs/performance.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const DOCUMENT = resolve(import.meta.dirname, '../../docs/performance.md');

export function median(list) {
  const sorted = list.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const sum = (list) => list.reduce((a, b) => a + b, 0);

/** Ratios round by round, then their median: what slows the machine for a while slows both. */
export const ratio = (runs, base) => (base ? median(runs.map((run, i) => run.perGB / base[i]?.perGB)) : NaN);

export const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '');

export function markdown(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Puts `text` between the markers of `name` in docs/performance.md. */
export function writeDocument(name, text) {
  const [from, to] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const document = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [document.indexOf(from), document.indexOf(to)];
  if (begin < 0 || end < begin) throw new Error(`docs/performance.md has no ${from} ... ${to}`);
  writeFileSync(DOCUMENT, `${document.slice(0, begin + from.length)}\n\n${text}\n\n${document.slice(end)}`);
}
