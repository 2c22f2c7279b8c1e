// What is compared: each relay takes `inputs` streams and sends each to `outputs` destinations on the sink's port.
//
//   const relay = await RELAYS.nginx({ inputs, outputs, port });
//   relay.pid, relay.publishUrls; relay.check() throws if it has ended; await relay.stop()
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, tempDir } from '../e2e/lib/cleanup.mjs';
import { Daemon } from '../e2e/lib/daemon.mjs';
import { freePort } from '../e2e/lib/nginx_rtmp.mjs';
import { LiveInput, sdk } from '../e2e/lib/sdk.mjs';
import { Hopeless, until } from '../e2e/lib/until.mjs';
import { RTMP_LOAD } from './peers.mjs';

const MODULES = process.env.SIMULCASTD_NGINX_MODULES ?? '/usr/lib/nginx/modules';
const AUDIO_WAIT = 25; // ms that the floor with riding audio holds audio back at most

const range = (count) => Array.from({ length: count }, (_, i) => i);

// Some relays take exactly one connection, so it must not be tried out.
function listens(port) {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .some((line) => line.includes(` ${local} `) && line.includes(' 0A '));
}

async function started(name, child, port, publishUrls) {
  const relay = {
    pid: child.pid,
    publishUrls,
    check() {
      if (!child.running) throw new Hopeless(`${name} ended:\n${child.tail}`);
    },
    stop: () => child.stop('SIGKILL'),
  };
  await until(`${name} to listen`, () => {
    relay.check();
    return listens(port);
  });
  return relay;
}

/** `rtmps`: the outputs are RTMPS, verified by this CA file. */
async function simulcastd({ inputs = 1, outputs, port, rtmps }) {
  const daemon = await Daemon.start(null, { logLevel: 'info', caFile: rtmps, outputsPerInput: outputs });
  const client = sdk(daemon);
  const url = rtmps ? `rtmps://localhost:${port}/live` : `rtmp://127.0.0.1:${port}/live`;
  const publishUrls = [];
  for (const i of range(inputs)) {
    const input = await LiveInput.create(daemon, { client });
    for (const j of range(outputs)) await input.addOutput({ url, streamKey: `in${i}-out${j}` });
    publishUrls.push(input.publishUrl);
  }
  return {
    daemon,
    pid: daemon.pid,
    publishUrls,
    check() {
      if (!daemon.child.running) throw new Hopeless(`simulcastd ended:\n${daemon.child.tail}`);
    },
    stop: () => daemon.stop(),
  };
}

async function nginx({ inputs = 1, outputs, port }) {
  const folder = tempDir('bench-nginx');
  const own = await freePort();
  // Without a name of its own a push goes out under that of the stream, so one line serves all inputs.
  const pushes = range(outputs).map((j) => `push rtmp://127.0.0.1:${port}/live${inputs > 1 ? '' : `/out${j}`};`);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${MODULES}/ngx_rtmp_module.so;
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 8192;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${own};
    application live {
      live on;
      ${pushes.join('\n      ')}
    }
  }
}
`,
  );
  const child = new Child('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    env: { PATH: `${process.env.PATH}:/usr/sbin` },
  });
  return started(
    'nginx',
    child,
    own,
    range(inputs).map((i) => `rtmp://127.0.0.1:${own}/live/in${i}`),
  );
}

const floor =
  (...options) =>
  async ({ outputs, port }) => {
    const own = await freePort();
    const urls = range(outputs).map((j) => `rtmp://127.0.0.1:${port}/live/out${j}`);
    const child = new Child(RTMP_LOAD, ['floor', '--port', String(own), ...options], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.process.stdin.end(`${urls.join('\n')}\n`);
    return started('the floor', child, own, [`rtmp://127.0.0.1:${own}/live/key`]);
  };

async function ffmpeg({ outputs, port }) {
  const own = await freePort();
  const input = `rtmp://127.0.0.1:${own}/live/key`;
  const targets = range(outputs).map((j) => `[f=flv:use_fifo=1:onfail=ignore]rtmp://127.0.0.1:${port}/live/out${j}`);
  const child = new Child('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'flv', '-listen', '1', '-i', input],
    ...['-c', 'copy', '-map', '0', '-f', 'tee', targets.join('|')],
  ]);
  return started('ffmpeg', child, own, [input]);
}

export const RELAYS = {
  simulcastd,
  nginx,
  floor: floor(),
  'floor, audio rides': floor('--audio-wait', String(AUDIO_WAIT)),
  'ffmpeg tee': ffmpeg,
  // Not part of any table; named by --relays.
  'floor, io_uring': floor('--io-uring'),
  'floor, io_uring zero-copy': floor('--io-uring-zc'),
};
/** The measure of the "to the floor" columns: the least a relay can do that holds audio back as simulcastd may. */
export const RIDING = 'floor, audio rides';
