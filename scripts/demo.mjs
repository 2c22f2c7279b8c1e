// The demo behind scripts/demo: daemon, encoder and two destinations on loopback, and a table of what flows.
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../tests/e2e/lib/cleanup.mjs';
import { Daemon } from '../tests/e2e/lib/daemon.mjs';
import { compare, digest } from '../tests/e2e/lib/exactness.mjs';
import { FlvFollower } from '../tests/e2e/lib/flv.mjs';
import { NginxRtmp } from '../tests/e2e/lib/nginx_rtmp.mjs';
import { ffmpegPublisher } from '../tests/e2e/lib/publishers.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
if (!(seconds > 0)) {
  console.error('--seconds takes a number above 0');
  process.exit(2);
}

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => ending.abort());

async function api(daemon, method, path, body) {
  const { status, json, text } = await daemon.request(method, path, { body });
  if (status !== 200) throw new Error(`${method} ${path}: ${json?.errors?.[0]?.message ?? text}`);
  return json.result;
}

// What a destination has received so far, held against what the encoder has sent so far.
class Check {
  received = [];

  constructor(name, file) {
    this.name = name;
    this.follower = new FlvFollower(file);
  }

  read() {
    this.received.push(...this.follower.next().map(digest));
  }

  verdict(published, end) {
    const video = this.received.filter((m) => m.kind === 'video').length;
    if (video === 0 && end === 'any') return { ok: true, report: 'nothing yet' };
    return compare(published, this.received, { end });
  }
}

function table(input, outputs, verdicts) {
  const row = (...cells) =>
    cells.map((cell, i) => (i < 2 ? String(cell).padEnd(12) : String(cell).padStart(11))).join(' ');
  const current = input.status?.current;
  return [
    `input ${current?.state ?? 'waiting'}${current?.ingestProtocol ? ` by ${current.ingestProtocol}` : ''}`,
    `${row('output', 'state', 'kbit/s', 'frames', 'dropped', 'queue ms')}  received`,
    ...outputs.map(
      (output, i) =>
        `${row(
          output.name,
          output.status.state,
          Math.round((output.stats.bitrate ?? 0) / 1000),
          output.stats.framesSent,
          output.stats.framesDropped,
          output.stats.queueMs,
        )}  ${verdicts[i].ok ? '' : 'WRONG, '}${verdicts[i].report}${output.status.message ? ` (${output.status.message})` : ''}`,
    ),
  ];
}

async function main() {
  const daemon = await Daemon.start();
  const destinations = [await NginxRtmp.start(), await NginxRtmp.start()];
  console.log(`API      ${daemon.base}/client/v4  (account ${daemon.account})`);
  console.log(
    `try      curl -H 'Authorization: Bearer ${daemon.token}' ${daemon.base}/client/v4/accounts/${daemon.account}/stream/live_inputs`,
  );

  const input = await api(daemon, 'POST', '', { meta: { name: 'demo' } });
  const names = ['nginx-1', 'nginx-2'];
  for (const [i, name] of names.entries())
    await api(daemon, 'POST', `/${input.uid}/outputs`, { ...destinations[i].output(name), name });
  console.log(
    `publish  rtmp://127.0.0.1:${daemon.ports.rtmp}/live/ (an ffmpeg test picture with sound), Ctrl-C to end\n`,
  );

  const encoder = ffmpegPublisher(`${daemon.ingestUrl}/${input.rtmp.streamKey}`, { size: '640x360', bitrate: '1000k' });
  const sent = new FlvFollower(encoder.truthFile);
  const published = [];
  const checks = names.map((name, i) => new Check(name, destinations[i].file(name)));
  const began = performance.now();
  let shown = 0;
  while (!ending.signal.aborted && performance.now() - began < seconds * 1000) {
    await delay(1000, undefined, { signal: ending.signal }).catch(() => {});
    if (!encoder.child.running) throw new Error(`the encoder ended:\n${encoder.child.tail}`);
    // The destinations are read first: what they have was sent before, and may be in the encoder's file a moment later.
    for (const check of checks) check.read();
    await delay(100);
    published.push(...sent.next().map(digest));
    const now = await api(daemon, 'GET', `/${input.uid}`);
    const outputs = await api(daemon, 'GET', `/${input.uid}/outputs`);
    const lines = table(
      now,
      outputs,
      checks.map((check) => check.verdict(published, 'any')),
    );
    if (process.stdout.isTTY && shown) process.stdout.write(`\x1b[${shown}A\x1b[J`);
    console.log(lines.join('\n'));
    shown = lines.length;
  }

  console.log(
    '\nending: the encoder says goodbye, then every destination is checked from the first to the last packet',
  );
  await encoder.stop();
  published.push(...sent.next().map(digest));
  let right = true;
  for (const [i, name] of names.entries()) {
    let verdict;
    try {
      await destinations[i].finished(name);
      checks[i].read();
      verdict = checks[i].verdict(published, 'last');
      // Decoding it all says that it is also a picture and a sound, not only the same bytes.
      const { output } = await run('ffmpeg', [
        '-v',
        'error',
        '-nostdin',
        '-i',
        destinations[i].file(name),
        '-f',
        'null',
        '-',
      ]);
      if (output.trim()) verdict = { ok: false, report: output.trim() };
      if (!verdict.video || !verdict.audio) verdict = { ok: false, report: `too little arrived: ${verdict.report}` };
    } catch (error) {
      verdict = { ok: false, report: error.message };
    }
    right &&= verdict.ok;
    console.log(`${name}  ${verdict.ok ? 'right' : 'WRONG'}: ${verdict.report}`);
  }
  await daemon.stop();
  for (const destination of destinations) await destination.stop();
  return right;
}

main().then(
  (right) => process.exit(right ? 0 : 1),
  (error) => {
    console.error(`the demo failed: ${error.message}`);
    process.exit(1); // whatever was started is ended on exit
  },
);
