// What scripts/test says of the machine and of the sanitizers' reports.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { run, tempDir } from './cleanup.mjs';

const SCRIPTS = resolve(import.meta.dirname, '../../../scripts/lib');

test('the machine', async () => {
  const { output } = await run(join(SCRIPTS, 'machine'), []);
  const lines = output.trimEnd().split('\n');
  const told = Object.fromEntries(lines.map((line) => [line.slice(0, 18).trim(), line.slice(18)]));
  assert.match(told.processor, /\S/);
  assert.match(told.cores, /^\d+ to use, \d+ online$/);
  assert.match(told.memory, /^\d+\.\d GiB$/);
  assert.match(told.kernel, /^Linux \d+\./);
  assert.match(told.Debian, /\S/);
  assert.match(told.commit, /^([0-9a-f]{12,}(, changed)?|unknown)$/);
  assert.match(told['compiler cache'], /^(none|ccache, .* files in it at the start)$/);
});

async function findings(...reports) {
  const folder = tempDir('reports');
  const files = reports.map((text, i) => {
    const file = join(folder, `report.${i}`);
    writeFileSync(file, text);
    return file;
  });
  return (await run(join(SCRIPTS, 'sanitizer-findings'), files)).output.trimEnd().split('\n');
}

const address = (pid) =>
  `==${pid}==ERROR: AddressSanitizer: heap-use-after-free on address 0x6${pid}\n    #0 0x${pid} in read a.cpp:3\n` +
  'SUMMARY: AddressSanitizer: heap-use-after-free a.cpp:3 in read\n';
const race = (pid) => `==================\nWARNING: ThreadSanitizer: data race (pid=${pid})\n  Write of size 8\n`;

test('a finding of several processes counts once', async () => {
  assert.deepEqual(await findings(address(11), address(12)), [
    'AddressSanitizer: heap-use-after-free a.cpp:3 in read (2 processes)',
  ]);
});

test('a finding of one process counts whatever else it and others found', async () => {
  const summed = 'SUMMARY: ThreadSanitizer: data race b.cpp:4 in write\n';
  assert.deepEqual(await findings(address(11), `${address(12)}${race(12)}${summed}`), [
    'AddressSanitizer: heap-use-after-free a.cpp:3 in read (2 processes)',
    'ThreadSanitizer: data race b.cpp:4 in write',
  ]);
});

test('undefined behaviour, summed up or not', async () => {
  const line = (at) => `b.cpp:7:3: runtime error: load of misaligned address ${at} for type 'int'\n`;
  const sum = 'SUMMARY: UndefinedBehaviorSanitizer: misaligned-pointer-use b.cpp:7:3\n';
  assert.deepEqual(await findings(line('0x7f01') + sum, line('0x7f05')), [
    "b.cpp:7:3: runtime error: load of misaligned address 0x... for type 'int' (2 processes)",
  ]);
});

test('a report that was cut short counts', async () => {
  assert.deepEqual(await findings(race(11), address(12)), [
    'AddressSanitizer: heap-use-after-free a.cpp:3 in read',
    'WARNING: ThreadSanitizer: data race',
  ]);
});
