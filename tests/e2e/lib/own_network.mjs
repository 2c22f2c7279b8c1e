// A network of one's own (Linux namespaces) for tests that need a name server, a route that leads nowhere, or none.
//
//   if (isWanted('D9') && !inOwnNetwork) rerunInOwnNetwork(import.meta.filename, { commands: [...], resolvConf: '...' });
//
// runs the test file again in there, as root of that network, and ends this process with its verdict. Nothing in there
// is reached from outside, nor the other way round.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './cleanup.mjs';

export const inOwnNetwork = process.env.SIMULCASTD_OWN_NETWORK === '1';

/** A file that is /etc/resolv.conf in there. */
export const resolvConf = process.env.SIMULCASTD_RESOLV_CONF;

/**
 * `commands`: lines of shell that set the network up, besides loopback. `resolver`: the first /etc/resolv.conf. Does not
 * return.
 */
export function rerunInOwnNetwork(file, { commands = [], resolver = 'nameserver 127.0.0.1\n' } = {}) {
  const conf = join(tempDir('network'), 'resolv.conf');
  writeFileSync(conf, resolver);
  const script = [
    'set -e',
    'ip link set lo up',
    'mount --bind "$SIMULCASTD_RESOLV_CONF" /etc/resolv.conf',
    ...commands,
    'exec "$@"',
  ].join('\n');
  const asRoot = process.getuid() === 0 ? [] : ['--map-root-user'];
  const { status, error } = spawnSync(
    'unshare',
    [...asRoot, '--net', '--mount', '--', 'sh', '-c', script, 'sh', process.execPath, file],
    { stdio: 'inherit', env: { ...process.env, SIMULCASTD_OWN_NETWORK: '1', SIMULCASTD_RESOLV_CONF: conf } },
  );
  if (error) throw error;
  process.exit(status ?? 1);
}
