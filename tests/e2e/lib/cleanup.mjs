// Whatever happens to a test process, nothing it started stays behind: children are killed by their own pid and
// temporary folders removed when the process exits, also after a crash or Ctrl-C. Those of a test that failed are left to
// run.mjs, if that is what runs it: see artefacts.mjs.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as artefacts from './artefacts.mjs';

// What is set on this machine for other programs: proxies, credentials of our own tools, what a service manager hands down,
// and what makes tools talk more.
const FOREIGN = /^(\w+_proxy|SIMULCASTD_TOKEN|SIMULCASTCTL_\w+|NOTIFY_SOCKET|WATCHDOG_\w+|JOURNAL_STREAM|FFREPORT|GST_DEBUG\w*)$/i;
for (const name of Object.keys(process.env)) if (FOREIGN.test(name)) delete process.env[name];

const children = new Set();
const folders = new Set();

artefacts.markRunning();

process.on('exit', (code) => {
  for (const child of children) child.kill('SIGKILL');
  artefacts.markEnded(code);
  if (code !== 0 && artefacts.areWanted) return;
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.once(signal, () => {
    if (process.listenerCount(signal) === 0) process.exit(code); // else somebody means to end in a more orderly way
  });
}

export function tempDir(name = 'e2e') {
  const folder = mkdtempSync(join(tmpdir(), `simulcastd-${name}-`));
  folders.add(folder);
  artefacts.noteFolder(folder);
  return folder;
}

/** A child process with its whole stderr and stdout as text, and a promise of how it ended. */
export class Child {
  constructor(command, args, options = {}) {
    this.command = command;
    this.output = '';
    // A group of its own: Ctrl-C at a terminal is for the one who started it, who then ends it in order.
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
    children.add(this.process);
    const log = artefacts.outputLog(command, args);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.output += text;
        log(text);
      });
    }
    this.exited = new Promise((resolve) => {
      this.process.on('error', (error) => {
        children.delete(this.process);
        this.output += String(error);
        log(String(error));
        resolve({ code: -1, signal: null });
      });
      // 'close' rather than 'exit': by then the last line of output has been read.
      this.process.on('close', (code, signal) => {
        children.delete(this.process);
        resolve({ code, signal });
      });
    });
  }

  get pid() {
    return this.process.pid;
  }
  get running() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }
  get tail() {
    return this.output.split('\n').slice(-40).join('\n');
  }

  kill(signal = 'SIGTERM') {
    if (this.running) this.process.kill(signal);
  }

  /** Asks it to end, insists after `patience` ms. */
  async stop(signal = 'SIGTERM', patience = 5000) {
    this.kill(signal);
    const insist = setTimeout(() => this.kill('SIGKILL'), patience);
    try {
      return await this.exited;
    } finally {
      clearTimeout(insist);
    }
  }
}

/** Runs a command to its end; throws with its output unless it exits 0 (or with one of `codes`). */
export async function run(command, args, { codes = [0], ...options } = {}) {
  const child = new Child(command, args, options);
  const { code, signal } = await child.exited;
  if (!codes.includes(code)) throw new Error(`${command} ended with ${code ?? signal}:\n${child.tail}`);
  return { code, output: child.output };
}
