// The real daemon under test, on free loopback ports, with a state folder of its own.
//
//   const daemon = await Daemon.start(t);              // stopped after the test; its log is shown if the test failed
//   daemon.ports.rtmp, .rtmps, .srt, .api                    // as told by its log
//   await daemon.stop()                                // SIGTERM; gives { code, ms }
//   await daemon.crash(); await daemon.restart()       // kill -9 and again on the same state, the same ports
//
// SIMULCASTD_BIN says which binary; the default is the release build of this checkout.
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Child, tempDir } from './cleanup.mjs';
import { judge } from './openapi.mjs';
import { Hopeless, until } from './until.mjs';

export const BINARY = process.env.SIMULCASTD_BIN ?? resolve(import.meta.dirname, '../../../build/release/simulcastd');

const SANITIZED = /__[at]san_init/.test(readFileSync(BINARY, 'latin1'));

/** Preloaded into the daemon, a wall clock that can be set (tests/tools/shifted_clock.cpp). */
export const SHIFTED_CLOCK = join(dirname(BINARY), 'shifted_clock.so');

/** The tests' own SRT peer, built beside the daemon (tests/tools/srt_tool.cpp). */
export const SRT_TOOL = join(dirname(BINARY), 'srt_tool');

export class Daemon {
  log = ''; // everything it ever wrote, over restarts
  troubled = false; // set by a test whose subtests failed: they do not count as its own failure

  constructor(options = {}) {
    this.options = options;
    this.folder = tempDir('daemon');
    this.stateDir = join(this.folder, 'state');
    this.token = options.token ?? `token-${randomBytes(16).toString('hex')}`;
    this.account = options.account ?? randomBytes(16).toString('hex');
    this.configFile = join(this.folder, 'simulcastd.yaml');
    this.ports = { api: 0, rtmp: 0, ...(options.rtmps ? { rtmps: 0 } : {}), ...(options.srt ? { srt: 0 } : {}), ...(options.metrics ? { metrics: 0 } : {}) };
  }

  /**
   * `t`: the test that owns it. Options: `rtmps` a certificate of makeCertificates() for an RTMPS listener, `caFile`
   * for outputs, `srt` {latency} for an SRT listener, `queue` {seconds, bytes}, `deny` networks for outputs, `platforms` a file of
   * what platforms want, `hold`,
   * `slate` a picture, `tokens` a list in place of the one token, `logLevel`, `launcher` what the daemon is run by,
   * `outputsPerInput` how many an input may have, `requestsPerSecond` of another machine, `metrics` for a listener of their own, `tls`
   * a certificate for the API.
   */
  static async start(t, options) {
    const daemon = new Daemon(options);
    t?.after(async () => {
      if (daemon.child.running) await daemon.stop();
      if (!t.passed || daemon.troubled) daemon.showLog();
    });
    await daemon.launch();
    return daemon;
  }

  showLog() {
    const lines = this.log.split('\n').filter((line) => !line.includes(' http request method=GET '));
    console.error(`--- the daemon's log, last lines ---\n${lines.slice(-60).join('\n')}`);
  }

  get pid() {
    const supervised = [...this.child.output.matchAll(/^supervisor started pid=(\d+)$/gm)].at(-1);
    return supervised ? Number(supervised[1]) : this.child.pid;
  }
  /** Runs it again, on the same state and ports, under the tests' own supervisor; times in ms, watchdog 0: none. */
  async supervise({ watchdog = 0, restart = 100 } = {}) {
    await this.stop();
    this.options = { ...this.options, launcher: [join(dirname(BINARY), 'supervisor'), String(watchdog), String(restart)] };
    await this.launch();
  }
  get base() {
    return `http://127.0.0.1:${this.ports.api}`;
  }
  get ingestUrl() {
    return `rtmp://127.0.0.1:${this.ports.rtmp}/live`;
  }

  get srtPort() {
    return this.ports.srt;
  }

  config() {
    const { rtmps, srt, caFile, queue, hold = '30s', tokens = [this.token] } = this.options;
    const { logLevel = 'debug', outputsPerInput = 50, requestsPerSecond = 1000, slate, deny, platforms } = this.options;
    const text = (value) => JSON.stringify(value);
    return [
      `state_dir: ${text(this.stateDir)}`,
      'public_host: localhost',
      `account: ${text(this.account)}`,
      'control:',
      `  listen: 127.0.0.1:${this.ports.api}`,
      `  tokens: [${tokens.map(text).join(', ')}]`,
      ...(this.options.tls
        ? [`  tls: { certificate: ${text(this.options.tls.certFile)}, key: ${text(this.options.tls.keyFile)} }`]
        : []),
      ...(this.options.metrics ? [`  metrics: 127.0.0.1:${this.ports.metrics}`] : []),
      'ingest:',
      `  rtmp: { listen: "127.0.0.1:${this.ports.rtmp}" }`,
      ...(rtmps
        ? [
            `  rtmps: { listen: "127.0.0.1:${this.ports.rtmps}", certificate: ${text(rtmps.certFile)}, key: ${text(rtmps.keyFile)} }`,
          ]
        : []),
      ...(srt ? [`  srt: { listen: "127.0.0.1:${this.ports.srt}", latency: ${srt.latency ?? 120}ms }`] : []),
      `stream: { hold: ${hold}${slate ? `, slate: ${text(slate)}` : ''} }`,
      ...(queue || caFile || deny || platforms ? ['egress:'] : []),
      ...(queue ? [`  queue: { seconds: ${queue.seconds}, bytes: ${queue.bytes} }`] : []),
      ...(caFile ? [`  tls: { ca_file: ${text(caFile)} }`] : []),
      ...(platforms ? [`  platforms: ${text(platforms)}`] : []),
      ...(deny ? [`  deny: [${deny.map(text).join(', ')}]`] : []),
      `limits: { outputs_per_input: ${outputsPerInput}, requests_per_second: ${requestsPerSecond} }`,
      `log: { level: ${logLevel}, format: text }`,
      '',
    ].join('\n');
  }

  async launch() {
    writeFileSync(this.configFile, this.config());
    const [command, ...args] = [...(this.options?.launcher ?? []), BINARY, '--config', this.configFile];
    const child = new Child(command, args);
    this.child = child;
    for (const stream of [child.process.stdout, child.process.stderr])
      stream.on('data', (text) => {
        this.log += text;
      });
    await until(
      'the daemon to be ready',
      async () => {
        if (!child.running) throw new Hopeless(`the daemon ended with ${(await child.exited).code}:\n${child.tail}`);
        for (const proto of Object.keys(this.ports)) {
          const line = new RegExp(`listening.*\\bproto=${proto}\\b.*\\baddress=\\S*?:(\\d+)`).exec(child.output);
          if (!line) throw new Error(`no log line of the ${proto} listener yet`);
          this.ports[proto] = Number(line[1]);
        }
        // Certificates of the tests are not trusted by fetch().
        return this.options.tls !== undefined || (await fetch(`${this.base}/readyz`)).status === 200;
      },
      { timeout: 60_000 },
    );
  }

  async stop() {
    const began = performance.now();
    const { code, signal } = await this.child.stop('SIGTERM', 20_000);
    const ms = performance.now() - began;
    if (code !== 0) throw new Error(`after SIGTERM the daemon ended with ${code ?? signal}:\n${this.child.tail}`);
    return { code, ms };
  }

  async crash() {
    await this.child.stop('SIGKILL');
  }

  /** Again on the same state and the same ports. */
  async restart() {
    await this.launch();
  }

  // Figures of the process, from /proc.
  get cpuSeconds() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100; // user and system time; Linux counts them in hundredths
  }
  get descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }
  /** Built with a sanitizer, whose own memory makes that of the daemon unreadable. */
  get sanitized() {
    // Clang puts the sanitizer into the program itself, GCC loads it.
    return /lib[at]san/.test(readFileSync(`/proc/${this.pid}/maps`, 'latin1')) || SANITIZED;
  }
  get residentKiB() {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))[1]);
  }

  /**
   * A plain request to the API: { status, headers, json, text }. `path` is taken below the account's live inputs
   * unless it begins with //.
   */
  async request(method, path, { body, token = this.token, headers = {} } = {}) {
    const url = path.startsWith('//')
      ? this.base + path.slice(1)
      : `${this.base}/client/v4/accounts/${this.account}/stream/live_inputs${path}`;
    const response = await fetch(url, {
      method,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    judge(method, url, response.status, response.headers.get('content-type'), text);
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      /* the test looks at json and sees that there is none */
    }
    return { status: response.status, headers: response.headers, text, json };
  }
}
