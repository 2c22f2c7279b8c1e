// Many small broadcasts at once: 200 inputs with one output each, 500 kbit/s, all live on loopback. Prints what the
// daemon needs for them and compares every destination with what was published; exits 1 if anything was lost.
//   node bench/many_inputs.mjs [inputs] [seconds]
// Publishers and destinations run in threads of their own, so that this machine's cores are shared three ways.
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { Daemon } from '../lib/daemon.mjs';
import { compare, digest } from '../lib/exactness.mjs';
import { fixtureTags } from '../lib/publishers.mjs';
import { EndlessPublisher, repeated } from '../lib/rtmp_publisher.mjs';
import { RtmpSink } from '../lib/rtmp_sink.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const FIXTURE = { gop: 60 }; // 400 kbit/s of picture and 96 of sound

if (isMainThread) await main();
else await { sink, publishers }[workerData.role]();

// One thread that plays all destinations. Told how many tags were published under each name, it compares.
async function sink() {
  const server = await RtmpSink.listen();
  parentPort.postMessage({ port: server.port });
  parentPort.on('message', async ({ sent }) => {
    const tags = await fixtureTags(FIXTURE);
    const verdicts = {};
    for (const [name, count] of Object.entries(sent)) {
      const published = [];
      for (const tag of repeated(tags)) {
        if (published.length === count) break;
        published.push(tag);
      }
      const session = await server.session(name);
      await until(`the end of ${name}`, () => session.closed, { timeout: 20_000 });
      verdicts[name] = compare(published.map(digest), session.media);
    }
    parentPort.postMessage({ verdicts });
    await server.close();
  });
}

// One thread that plays all encoders; each message from outside moves it one step on.
async function publishers() {
  const tags = await fixtureTags(FIXTURE);
  const running = [];
  for (const { name, port, key } of workerData.inputs) {
    running.push({
      name,
      endless: await EndlessPublisher.start({ port, key, chunkSize: 4096, remember: false }, tags),
    });
    await delay(10); // spread over the frames' time, as independent encoders are
  }
  parentPort.postMessage({ started: running.length });
  parentPort.once('message', async () => {
    await Promise.all(running.map(({ endless }) => endless.stop()));
    parentPort.postMessage({
      sent: Object.fromEntries(running.map(({ name, endless }) => [name, endless.publisher.sent])),
    });
  });
}

function thread(role, data = {}) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { role, ...data } });
  worker.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  return { worker, next: () => new Promise((resolve) => worker.once('message', resolve)) };
}

async function main() {
  const inputs = Number(process.argv[2] ?? 200);
  const seconds = Number(process.argv[3] ?? 20);
  await fixtureTags(FIXTURE);
  const daemon = await Daemon.start(null, { logLevel: 'info' });
  const sinkThread = thread('sink');
  const { port } = await sinkThread.next();
  const list = [];
  for (let i = 0; i < inputs; i++) {
    const input = await LiveInput.create(daemon);
    const name = `input-${i}`;
    await input.addOutput({ url: `rtmp://127.0.0.1:${port}/live`, streamKey: name });
    list.push({ name, ...input.publishTo });
  }
  const idle = daemon.residentKiB;
  const publisherThread = thread('publishers', { inputs: list });
  const { started } = await publisherThread.next();

  await delay(3000); // into the steady part
  const from = { cpu: daemon.cpuSeconds, at: performance.now() };
  await delay(seconds * 1000);
  const cpu = (daemon.cpuSeconds - from.cpu) / ((performance.now() - from.at) / 1000);
  const resident = daemon.residentKiB;
  const { descriptors } = daemon;

  publisherThread.worker.postMessage('end');
  const { sent } = await publisherThread.next();
  sinkThread.worker.postMessage({ sent });
  const { verdicts } = await sinkThread.next();
  await daemon.stop();

  const wrong = Object.entries(verdicts).filter(([, verdict]) => !verdict.ok);
  const packets = Object.values(verdicts).reduce((n, v) => n + v.video + v.audio, 0);
  console.log(`${started} inputs with one output each, ${seconds} s measured`);
  console.log(
    `CPU        ${(cpu * 100).toFixed(1)} % of one core, ${((cpu * 1000) / inputs).toFixed(2)} ms per second and input`,
  );
  console.log(
    `memory     ${(resident / 1024).toFixed(1)} MiB, ${((resident - idle) / inputs).toFixed(0)} KiB per live input (${(idle / 1024).toFixed(1)} MiB idle)`,
  );
  console.log(`descriptors ${descriptors}`);
  console.log(
    `${wrong.length === 0 ? 'PASS' : 'FAIL'} ${inputs - wrong.length} of ${inputs} destinations exact, ${packets} packets compared`,
  );
  for (const [name, verdict] of wrong.slice(0, 5)) console.log(`  ${name}: ${verdict.report}`);
  process.exit(wrong.length === 0 ? 0 : 1);
}
