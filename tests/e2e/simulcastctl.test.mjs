// The command line over the API, beside a real daemon.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Child, run, tempDir } from './lib/cleanup.mjs';
import { makeCertificates } from './lib/certificates.mjs';
import { BINARY, Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

const SIMULCASTCTL = join(dirname(BINARY), 'simulcastctl');
const ANY = [0, 1, 2, 3];

/** Runs a command as somebody on the daemon's machine would; gives { code, output }. */
const ctl = (daemon, args, { env = {}, input, codes = ANY } = {}) => {
  const config = ['--config', daemon.configFile, '--url', daemon.base];
  const all = [...args, ...config];
  if (input === undefined) return run(SIMULCASTCTL, all, { codes, env: { PATH: process.env.PATH, ...env } });
  const script = `printf '%s\\n' "$KEY" | exec "$0" "$@"`;
  return run('sh', ['-c', script, SIMULCASTCTL, ...all], { codes, env: { PATH: process.env.PATH, KEY: input, ...env } });
};
const good = async (daemon, args, options) => (await ctl(daemon, args, { ...options, codes: [0] })).output;

// Most of their time is spent waiting.
describe('simulcastctl', { concurrency: 3 }, () => {
  test('inputs and outputs: add, list, switch, remove; by name, uid and the beginning of one', async (t) => {
    const daemon = await Daemon.start(t);
    const uid = (await good(daemon, ['inputs', 'add', 'my show'])).trim();
    assert.match(uid, /^[0-9a-f]{32}$/);
    assert.match(await good(daemon, ['inputs']), new RegExp(`my show +${uid} +never`));

    const secret = 'a-stream-key-of-mine';
    const to = 'rtmp://127.0.0.1:1/live';
    const oid = (await good(daemon, ['add', 'my show', to, secret, '--name', 'first', '--disabled'])).trim();
    const second = (await good(daemon, ['add', uid, to, '-'], { input: 'piped-key' })).trim();
    const third = (await good(daemon, ['add', uid.slice(0, 8), to], { env: { SIMULCASTCTL_STREAM_KEY: 'key-by-env' } })).trim();
    const keys = (await daemon.request('GET', `/${uid}/outputs`)).json.result.map(({ streamKey }) => streamKey);
    assert.deepEqual(keys, [secret, 'piped-key', 'key-by-env']);

    const table = await good(daemon, ['outputs', 'my show']);
    assert.match(table, new RegExp(`first +${oid} +disabled`));
    assert.ok(!table.includes(secret));
    assert.match(await good(daemon, ['enable', 'my show', 'first']), /idle/);
    assert.match(await good(daemon, ['disable', 'my show', oid.slice(0, 10)]), /disabled/);
    assert.match(await good(daemon, ['retry', 'my show', second]), new RegExp(second));

    const shown = JSON.parse(await good(daemon, ['--json', 'outputs', 'my show']));
    assert.deepEqual(shown.map(({ uid: id, streamKey }) => [id, streamKey]), [oid, second, third].map((id) => [id, '***']));
    const open = JSON.parse(await good(daemon, ['--json', '--show-keys', 'outputs', 'my show']));
    assert.deepEqual(open.map(({ streamKey }) => streamKey), keys);
    const addresses = await good(daemon, ['inputs', 'show', 'my show', '--show-keys']);
    assert.match(addresses, new RegExp(`rtmp streamKey +[0-9a-f]{32}k${uid}`));
    assert.match(await good(daemon, ['inputs', 'show', 'my show']), /rtmp streamKey +\*\*\*/);

    await good(daemon, ['rm', 'my show', 'first']);
    assert.ok(!(await good(daemon, ['outputs', 'my show'])).includes(oid));
    await good(daemon, ['inputs', 'rm', 'my show']);
    assert.ok(!(await good(daemon, ['inputs'])).includes(uid));
  });

  test('what is wrong is said, with an exit code of its own', async (t) => {
    const daemon = await Daemon.start(t);
    for (const name of ['twin', 'twin']) await good(daemon, ['inputs', 'add', name]);
    const rows = [
      [['outputs', 'twin'], {}, 2, /several inputs fit "twin"[\s\S]*[0-9a-f]{32} {2}twin[\s\S]*[0-9a-f]{32} {2}twin/],
      [['outputs', 'nobody'], {}, 2, /there is no input "nobody"/],
      [['outputs', '\x1b[2J'], {}, 2, /there is no input "\\u001b\[2J"/],
      [['nonsense'], {}, 2, /nonsense|required/i],
      [['inputs', '--account', '0'.repeat(32)], {}, 1, /account/],
      [['inputs', '--account', '../../../healthz'], {}, 2, /"\.\.\/.*" is not an account; allowed: 32 hex digits/],
      [['inputs'], { env: { SIMULCASTD_TOKEN: 'two words' } }, 2, /what is given as the token is not a token/],
      [['inputs'], { env: { SIMULCASTD_TOKEN: 'wrong' } }, 1, /Authentication error/],
      [['inputs', '--token-file', join(tempDir('ctl'), 'nowhere', 'token')], {}, 2, /token file \S.*nowhere\/token cannot be read/],
      [['inputs', '--url', 'ftp://x'], {}, 2, /--url must be/],
      [['inputs', '--url', 'http://127.0.0.1:1'], {}, 3, /no daemon can be reached at http:\/\/127\.0\.0\.1:1: .*refused/i],
    ];
    for (const [args, options, code, words] of rows) {
      // What is given last counts.
      const config = ['--config', daemon.configFile, ...(args.includes('--url') ? [] : ['--url', daemon.base])];
      const { code: given, output } = await run(SIMULCASTCTL, [...args, ...config], {
        codes: ANY,
        env: { PATH: process.env.PATH, ...options.env },
      });
      assert.equal(given, code, `${args}: ${output}`);
      assert.match(output, words, args.join(' '));
    }
    const [uid] = (await daemon.request('GET', '')).json.result.liveInputs.map((input) => input.uid);
    const { code, output } = await ctl(daemon, ['add', uid, 'http://a/b', 'k']);
    assert.equal(code, 1);
    assert.match(output, /\(\/url\)/);
  });

  test('what others have written is shown, and obeyed by no terminal', async (t) => {
    const daemon = await Daemon.start(t);
    const name = 'live\u202e\x1b[2J\u009b1m\u2066 Frühschicht';
    const uid = (await daemon.request('POST', '', { body: { meta: { name } } })).json.result.uid;
    const bidi = 'backup\u202e';
    await daemon.request('POST', `/${uid}/outputs`, { body: { url: 'rtmp://127.0.0.1:1/live', streamKey: 'k', name: bidi } });
    const obeyed = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
    const shown = 'live\\u202e\\u001b[2J\\u009b1m\\u2066 Frühschicht';
    for (const args of [['inputs'], ['inputs', 'show', uid], ['--json', 'inputs'], ['outputs', uid], ['--json', 'outputs', uid]]) {
      const output = await good(daemon, args);
      assert.doesNotMatch(output, obeyed, args.join(' '));
      assert.ok(output.includes(args.includes('outputs') ? 'backup\\u202e' : shown), output);
    }
    assert.equal(JSON.parse(await good(daemon, ['--json', 'inputs'])).liveInputs[0].meta.name, name);
    const { output } = await ctl(daemon, ['outputs', `nobody\u202e`]);
    assert.doesNotMatch(output, obeyed);
    const metrics = (await daemon.request('GET', '//metrics')).text;
    assert.doesNotMatch(metrics, obeyed);
    assert.match(metrics, /simulcastd_input_info\{.*name="live\\\\u202e/);
    assert.doesNotMatch(daemon.log, obeyed);
  });

  test('one input with a nested meta hides none of the others', async (t) => {
    const daemon = await Daemon.start(t);
    const nested = (levels) => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));
    const deep = (await daemon.request('POST', '', { body: { meta: nested(16) } })).json.result.uid;
    const refused = await daemon.request('POST', '', { body: { meta: nested(17) } });
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.json.errors[0].source, { pointer: '/meta' });
    assert.match(refused.json.errors[0].message, /more than 16 levels/);
    await good(daemon, ['inputs', 'add', 'plain']);
    // As a version without the limit has stored it.
    await daemon.stop();
    const older = JSON.stringify(nested(31));
    const change = `UPDATE live_inputs SET meta = '${older}' WHERE uid = '${deep}'`;
    await run('sqlite3', [join(daemon.stateDir, 'simulcastd.db'), change]);
    await daemon.restart();
    assert.match(await good(daemon, ['inputs']), new RegExp(`${deep}[\\s\\S]*plain`));
    assert.deepEqual(JSON.parse(await good(daemon, ['--json', 'inputs', 'show', deep])).meta, nested(31));
    await good(daemon, ['outputs', 'plain']);
    await good(daemon, ['inputs', 'rm', deep]);
  });

  test('it finds address, token and account by itself', async (t) => {
    const daemon = await Daemon.start(t, { tokens: [] });
    // As the daemon runs, on the port that it got.
    const config = join(tempDir('ctl'), 'simulcastd.yaml');
    writeFileSync(config, daemon.config());
    const { output } = await run(SIMULCASTCTL, ['inputs', '--config', config], { env: { PATH: process.env.PATH } });
    assert.match(output, /^NAME +UID +STATE/);
  });

  test('over TLS', async (t) => {
    const { caFile, good: certificate } = await makeCertificates();
    const daemon = await Daemon.start(t, { tls: certificate });
    const config = join(tempDir('ctl'), 'simulcastd.yaml');
    writeFileSync(config, daemon.config());
    const env = { PATH: process.env.PATH };
    const url = ['--url', `https://localhost:${daemon.ports.api}`];
    const refused = await run(SIMULCASTCTL, ['inputs', '--config', config, ...url], { codes: ANY, env });
    assert.equal(refused.code, 3);
    assert.match(refused.output, /certificate/);
    for (const more of [['--ca-file', caFile, ...url], ['--insecure']]) {
      const { output } = await run(SIMULCASTCTL, ['inputs', '--config', config, ...more], { env });
      assert.match(output, /^NAME +UID +STATE/);
    }
  });

  test('test: of an output, of an address; exit code 1 when it would not do', async (t) => {
    const daemon = await Daemon.start(t);
    const sink = await RtmpSink.listen({ decide: ({ name }) => (name === 'bad' ? { refuse: 'the key has expired' } : 'accept') });
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon, { meta: { name: 'show' } });
    await input.addOutput(sink.url('fine'), { name: 'there' });
    assert.match(await good(daemon, ['test', 'show', 'there']), /publish +good[\s\S]*accepts the stream/);
    const { code, output } = await ctl(daemon, ['test', 'show', sink.url('bad').url, 'bad']);
    assert.equal(code, 1);
    assert.match(output, /publish +FAILED[\s\S]*the key has expired/);
  });

  test('watch: without a terminal a line for each change, in the words of the API', async (t) => {
    const daemon = await Daemon.start(t);
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const input = await LiveInput.create(daemon, { meta: { name: 'show \x1b[31m' } });
    const { uid } = await input.addOutput(sink.url('x'), { name: 'x' });
    const watching = new Child(SIMULCASTCTL, ['watch', input.uid, '--config', daemon.configFile, '--url', daemon.base]);
    t.after(() => watching.stop('SIGKILL'));
    await until('the first state', () => watching.output.includes(`${uid}  idle`));
    const encoder = await EndlessPublisher.start(input.publishTo, await fixtureTags());
    t.after(() => encoder.vanish());
    await until('live', () => watching.output.includes(`${uid}  live`));
    assert.match(watching.output, new RegExp(`${input.uid}  -  connected`));
    encoder.vanish();
    await until('holding', () => watching.output.includes(`${uid}  holding`));
    assert.ok(!watching.output.includes('\x1b'));
    const { code } = await watching.stop('SIGINT');
    assert.equal(code, 0);
  });

  test('watch goes on when the daemon is restarted; --json gives an object for each change', async (t) => {
    const daemon = await Daemon.start(t);
    const input = await LiveInput.create(daemon);
    const { uid } = await input.addOutput({ url: 'rtmp://127.0.0.1:1/live', streamKey: 'x' }, { name: 'x' });
    const watching = new Child(SIMULCASTCTL, ['watch', input.uid, '--json', '--config', daemon.configFile, '--url', daemon.base]);
    t.after(() => watching.stop('SIGKILL'));
    const objects = () => watching.output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    await until('the first states', () => objects().length === 2);
    assert.deepEqual(objects(), [
      { input: input.uid, name: 'e2e', state: 'never', message: '' },
      { input: input.uid, output: uid, name: 'x', state: 'idle', message: '' },
    ]);
    await daemon.stop();
    await until('it is told', () => /no daemon can be reached at .*refused/i.test(watching.output));
    await daemon.restart();
    await input.disable(uid);
    await until('the next state', () => objects().some(({ state }) => state === 'disabled'));
    assert.equal((await watching.stop('SIGINT')).code, 0);
  });

  test('completions are what the shells take', async (t) => {
    const folder = tempDir('completion');
    for (const [shell, check] of [['bash', ['bash', '-n']]]) {
      const { output } = await run(SIMULCASTCTL, ['completion', shell]);
      const file = join(folder, shell);
      writeFileSync(file, output);
      await run(check[0], [...check.slice(1), file]);
    }
    for (const shell of ['zsh', 'fish']) {
      assert.match((await run(SIMULCASTCTL, ['completion', shell])).output, /simulcastctl/);
    }
    // Completes the commands.
    const script = `source "$0"; COMP_WORDS=(simulcastctl wa); COMP_CWORD=1; _simulcastctl; echo "$COMPREPLY"`;
    assert.equal((await run('bash', ['-c', script, join(folder, 'bash')])).output.trim(), 'watch');
    t.diagnostic('zsh and fish are looked at only for being there');
  });
});
