// Starts that cannot go well: exit code 1 and a sentence that says what to do, and nothing is lost meanwhile.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Child, tempDir } from './lib/cleanup.mjs';
import { BINARY, Daemon } from './lib/daemon.mjs';
import { fixtureTags } from './lib/publishers.mjs';
import { EndlessPublisher } from './lib/rtmp_publisher.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { until } from './lib/until.mjs';

/** A state folder of an installation that made everything itself, and a configuration on free ports. */
function installation({ owner } = {}) {
  const folder = tempDir('starts');
  const state = join(folder, 'state');
  const config = join(folder, 'simulcastd.yaml');
  mkdirSync(state);
  chmodSync(folder, 0o755);
  if (owner !== undefined) chownSync(state, owner, owner);
  const lines = ['state_dir: state', 'control: { listen: 127.0.0.1:0 }', 'ingest:'];
  lines.push('  rtmp: { listen: 127.0.0.1:0 }', '  srt: { listen: 127.0.0.1:0 }', '');
  writeFileSync(config, lines.join('\n'));
  return { folder, state, config, database: join(state, 'simulcastd.db'), account: join(state, 'account') };
}

/** Starts it, and stops it again once it is ready; gives { ready, code, signal, output }. */
async function start({ config }, launcher = []) {
  const [command, ...args] = [...launcher, BINARY, '--config', config];
  const child = new Child(command, args);
  let ended = null;
  child.exited.then((how) => {
    ended = how;
  });
  await until('the daemon to be ready or to end', () => ended || child.output.includes(' ready version='), { timeout: 30_000 });
  const ready = ended === null;
  const { code, signal } = ready ? await child.stop() : ended;
  return { ready, code, signal, output: child.output };
}

async function goodStart(there) {
  const { ready, code, output } = await start(there);
  assert.ok(ready && code === 0, output);
  return output;
}

async function badStart(there, words, code = 1) {
  const { ready, code: given, output } = await start(there);
  assert.ok(!ready, output);
  assert.equal(given, code, output);
  assert.match(output, words);
  assert.doesNotMatch(output, /terminate called/);
}

/** A request on a connection of its own: one that is kept may be closed for another at any time. */
function ask(daemon, method, path, body) {
  const options = { method, agent: false, headers: { authorization: `Bearer ${daemon.token}` } };
  return new Promise((resolve, reject) => {
    const url = `${daemon.base}/client/v4/accounts/${daemon.account}/stream/live_inputs${path}`;
    const request = http.request(url, options, async (response) => {
      let text = '';
      for await (const piece of response.setEncoding('utf8')) text += piece;
      resolve({ status: response.statusCode, json: JSON.parse(text) });
    });
    request.on('error', reject).end(body && JSON.stringify(body));
  });
}

describe('starts', { concurrency: 2 }, () => {
  test('with fewer threads than it needs: told, at whichever thread it is', async (t) => {
    // The limit is of a user: one that has nothing else, and to whom it applies.
    const uid = 61_000 + (process.pid % 1000);
    const isRoot = process.getuid() === 0;
    const user = isRoot ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'] : [];
    const counts = new Map();
    let ready = false;
    for (let most = 1; most < 64 && !ready; most += 1) {
      const there = installation(isRoot ? { owner: uid } : {});
      const result = await start(there, [...user, 'prlimit', `--nproc=${most}`]);
      if (result.ready) {
        ready = true;
        assert.equal(result.code, 0, result.output);
        t.diagnostic(`${most} threads are enough`);
        break;
      }
      assert.equal(result.code, 1, `${most}: ${result.code ?? result.signal}: ${result.output}`);
      assert.match(result.output, /cannot start: .*(thread|ulimit -u)/, `${most} threads`);
      assert.doesNotMatch(result.output, /terminate called/);
      const place = result.output.replace(/^.*cannot start: /s, '').split('\n')[0].slice(0, 60);
      counts.set(place, (counts.get(place) ?? 0) + 1);
      if (!isRoot) break; // others of this user count as well
    }
    assert.ok(ready || !isRoot);
    t.diagnostic(JSON.stringify([...counts]));
  });

  test('with descriptors for some of its outputs only: the API and the store go on', async (t) => {
    const daemon = await Daemon.start(t, { launcher: ['prlimit', '--nofile=128'] });
    const sink = await RtmpSink.listen();
    t.after(() => sink.close());
    const tags = await fixtureTags();
    const inputs = [];
    for (let i = 0; i < 3; i += 1) {
      const input = await LiveInput.create(daemon);
      const encoder = await EndlessPublisher.start(input.publishTo, tags);
      t.after(() => encoder.vanish());
      inputs.push(input);
    }
    for (const [i, input] of inputs.entries()) {
      for (let k = 0; k < 50; k += 1) {
        const body = { ...sink.url(`s${i}-${k}`) };
        assert.equal((await ask(daemon, 'POST', `/${input.uid}/outputs`, body)).status, 200);
      }
    }
    // One after the other: of so few descriptors the API has four for itself.
    const states = async () => {
      const all = [];
      for (const { uid } of inputs) all.push(...(await ask(daemon, 'GET', `/${uid}/outputs`)).json.result);
      return all.map(({ status }) => status);
    };
    await until('the descriptors to be used up', async () => (await states()).some(({ message }) => /too few file descriptors are left/.test(message)));
    const told = await states();
    t.diagnostic(`${told.filter(({ state }) => state === 'live').length} of 150 live, ${daemon.descriptors} descriptors`);
    assert.ok(daemon.descriptors < 128);
    assert.ok(told.some(({ state }) => state === 'live'));
    // New connections each: reading, writing, and many that wait for nothing.
    const idle = [];
    t.after(() => idle.forEach((socket) => socket.destroy()));
    for (let i = 0; i < 20; i += 1) {
      idle.push(connect(daemon.ports.api, '127.0.0.1').on('error', () => {}));
      const answer = await ask(daemon, 'POST', '', { meta: { name: `n${i}` } });
      assert.equal(answer.status, 200);
    }
    const { uid } = inputs[0];
    for (const output of (await ask(daemon, 'GET', `/${uid}/outputs`)).json.result) {
      const path = `/${uid}/outputs/${output.uid}`;
      assert.equal((await ask(daemon, 'PUT', path, { enabled: false })).status, 200);
    }
    await until('the others to get theirs', async () => (await states()).filter(({ state }) => state === 'live').length > 50);
  });

  test('on a damaged database: told with its file and what to do', async () => {
    const there = installation();
    await goodStart(there);
    const good = join(there.folder, 'good.db');
    cpSync(there.database, good);
    const size = statSync(good).size;
    const damaged = (from, to) => {
      const bytes = readFileSync(good);
      bytes.fill('x', from, to);
      writeFileSync(there.database, bytes);
    };
    const words = /the database \/\S+\/state\/simulcastd\.db is damaged: .*; put back a copy of it, or move it and simulcastd\.db-wal/;
    for (const [from, to] of [[0, 16], [0, size], [4096, size], [100, 4096]]) {
      damaged(from, to);
      await badStart(there, words);
    }
    truncateSync(there.database, 2048);
    await badStart(there, words);
    cpSync(good, there.database);
    await goodStart(there);
  });

  test('on a database of 0 bytes: refused where there was one before, else told', async () => {
    const there = installation();
    await goodStart(there);
    const account = readFileSync(there.account, 'utf8');
    truncateSync(there.database, 0);
    await badStart(there, /simulcastd\.db is damaged: it has 0 bytes, but this daemon has been used before; put back a copy/);
    assert.equal(statSync(there.database).size, 0, 'it is left as it is');
    unlinkSync(there.database);
    await goodStart(there);
    assert.equal(readFileSync(there.account, 'utf8'), account);

    const fresh = installation();
    writeFileSync(fresh.database, '');
    assert.match(await goodStart(fresh), /the database has 0 bytes and starts empty file=/);
  });

  test('with an account or a token that is none: refused, and not replaced', async () => {
    const there = installation();
    await goodStart(there);
    const token = join(there.state, 'api-token');
    const rows = [
      [there.account, '../../etc/passwd\n', /state\/account holds is not an account; allowed: 32 hex digits; put back/],
      [there.account, '', /state\/account holds is empty/],
      [token, 'a token of\twords\n', /state\/api-token holds is not a token; allowed: visible ASCII/],
      [token, '', /state\/api-token holds is empty/],
    ];
    for (const [file, text, words] of rows) {
      const before = readFileSync(file);
      writeFileSync(file, text);
      await badStart(there, words);
      assert.equal(readFileSync(file, 'utf8'), text);
      writeFileSync(file, before);
    }
    await goodStart(there);
  });

  test('on a bad configuration: exit code 2, and a terminal obeys nothing of it', async () => {
    const there = installation();
    writeFileSync(there.config, 'threads: "a\\e[2J\\u202e"\n"k\\e[2J": 1\n');
    const { ready, code, output } = await start(there);
    assert.ok(!ready);
    assert.equal(code, 2, output);
    assert.doesNotMatch(output, /[\x00-\x09\x0b-\x1f\u202e]/);
    assert.match(output, /threads: "a.\[2J\\u202e"/);
  });
});
