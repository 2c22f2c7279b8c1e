// The benchmarks behind scripts/bench, which says how it is used.
import { parseArgs } from 'node:util';
import { inputs, rtmp, rtmps } from './fanout.mjs';
import { memory } from './memory.mjs';
import { RELAYS } from './relays.mjs';
import { srt } from './srt.mjs';
import { writeDocument } from './tables.mjs';

const CASES = { rtmp, rtmps, srt, inputs, memory };

function usage(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function parse() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ rounds: text, seconds: text, outputs: text, relays: text, minutes: text },
        ...{ quick: flag, write: flag, profile: flag },
      },
    });
  } catch (error) {
    return usage(error.message);
  }
}

function numbers(name, value, otherwise) {
  if (value === undefined) return otherwise;
  const list = value.split(',').map(Number);
  if (list.some((each) => !(each > 0))) usage(`--${name} needs numbers above 0`);
  return list;
}
const number = (name, value, otherwise) => numbers(name, value, [otherwise])[0];

const { values, positionals } = parse();
const { quick, profile } = values;
const options = {
  rounds: number('rounds', values.rounds, quick ? 1 : 3),
  seconds: number('seconds', values.seconds, quick ? 3 : 8),
  settle: quick ? 1 : 2,
  minutes: number('minutes', values.minutes, 20),
  outputs: numbers('outputs', values.outputs, quick ? [1, 10] : undefined),
  relays: values.relays?.split(';'),
  quick,
  profile,
};
for (const name of options.relays ?? []) {
  if (!RELAYS[name]) usage(`unknown relay '${name}'; there are: ${Object.keys(RELAYS).join('; ')}`);
}
let names = positionals;
if (names.length === 0) names = quick ? ['rtmp'] : Object.keys(CASES).filter((name) => name !== 'memory');
for (const name of names) if (!CASES[name]) usage(`unknown case '${name}'; there are: ${Object.keys(CASES).join(' ')}`);

const bars = [];
let sound = true;
for (const name of names) {
  const result = await CASES[name](options);
  const text = result.tables.join('\n\n');
  console.log(`\n${name}\n\n${text}`);
  if (values.write) writeDocument(name, text);
  bars.push(...result.bars);
  sound &&= result.sound;
}

console.log();
for (const { name, ok, text } of bars) console.log(`${ok ? 'PASS' : 'FAIL'} ${name}: ${text}`);
// A short look at a busy machine says nothing about speed; that nothing got lost it does say.
process.exit((quick ? sound : bars.every(({ ok }) => ok)) ? 0 : 1);
