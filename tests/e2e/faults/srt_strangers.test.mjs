// Strangers at the SRT listener: without the passphrase, with half of it, with stream ids that no encoder sends.
import assert from 'node:assert/strict';
import { run } from '../lib/cleanup.mjs';
import { SRT_TOOL } from '../lib/daemon.mjs';
import { goodScene } from '../lib/destinations.mjs';
import { faultLine, timed } from '../lib/fault_line.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { ACCEPTED, callSrt } from '../lib/srt_handshake.mjs';
import { tsFixture } from '../lib/ts_fixture.mjs';
import { until } from '../lib/until.mjs';

// docs/architecture.md, SRT.
const WRONG = 10;
const UNENCRYPTED = 11;
const NO_STREAM_ID = 1400;
const TOO_MANY = 1402;
const UNKNOWN_INPUT = 1404;
const UNREADABLE = 0; // libsrt's own word for a handshake that is out of form

const MANY = 300;
const TOGETHER = 50; // more than the daemon keeps of one address (kMaxPendingPerAddress)

faultLine('S10', 'SRT: no, wrong, short passphrase; no encryption; odd stream ids', { quick: true }, async (t, line) => {
  const { daemon, input, sink, publisher, finish } = await goodScene(t, { daemonOptions: { srt: {} } });
  const idle = await LiveInput.create(daemon);
  await idle.addOutput(sink.url('victim'));
  const media = (await tsFixture({ seconds: 2 })).subarray(0, 1316);
  const { streamId, passphrase } = idle.record.srt;

  const secrets = (streamid) => ({
    'no passphrase': [{ streamid }, UNENCRYPTED],
    'a wrong passphrase': [{ streamid, passphrase: `${passphrase.slice(0, -1)}x` }, WRONG],
    'a passphrase and one letter more': [{ streamid, passphrase: `${passphrase}x` }, WRONG],
    'half the passphrase': [{ streamid, passphrase: passphrase.slice(0, 32) }, WRONG],
    'a passphrase of 3 letters': [{ streamid, passphrase: passphrase.slice(0, 3) }, WRONG],
    'an empty passphrase': [{ streamid, passphrase: '' }, WRONG],
    'the stream id as the passphrase': [{ streamid, passphrase: streamid }, WRONG],
    'keys of zeros': [{ streamid, keys: Buffer.alloc(56) }, WRONG],
    'keys of one word': [{ streamid, keys: Buffer.alloc(4) }, WRONG],
    'keys of 1200 bytes': [{ streamid, keys: Buffer.alloc(1200, 0x12) }, WRONG],
  });
  const rows = {
    ...secrets(streamId),
    'no stream id': [{ passphrase }, NO_STREAM_ID],
    'a stream id of 512 bytes': [{ streamid: 'x'.repeat(512), passphrase }, UNKNOWN_INPUT],
    'a stream id of 516 bytes': [{ streamid: 'x'.repeat(516), passphrase }, UNREADABLE],
    'a stream id of 1300 bytes': [{ streamid: `${streamId}${'\0'.repeat(1268)}`, passphrase }, UNREADABLE],
    'a stream id that begins with NUL': [{ streamid: `\0${streamId}`, passphrase }, NO_STREAM_ID],
    'a stream id of NULs': [{ streamid: '\0'.repeat(512), passphrase }, NO_STREAM_ID],
    'a stream id with NUL behind it, no passphrase': [{ streamid: `${streamId}\0x` }, UNENCRYPTED],
    'a stream id with NUL in it': [{ streamid: streamId.replace(/.{16}/, '$&\0'), passphrase }, UNKNOWN_INPUT],
    'a stream id of UTF-8': [{ streamid: 'Übung ☃ 𝄞', passphrase }, UNKNOWN_INPUT],
    'a stream id of 512 bytes of UTF-8': [{ streamid: `${'☃'.repeat(170)}xx`, passphrase }, UNKNOWN_INPUT],
    'a stream id of UTF-8 that is none': [{ streamid: Buffer.alloc(64, 0xff), passphrase }, UNKNOWN_INPUT],
    'a stream id in capitals': [{ streamid: streamId.toUpperCase(), passphrase }, UNKNOWN_INPUT],
    'a stream id of lines and escapes': [{ streamid: `\x1b[2J\r\nerror forged=yes ${streamId}`, passphrase }, UNKNOWN_INPUT],
  };
  for (const [what, row] of Object.entries(secrets(input.uid))) rows[`${what}, of a live input`] = row;

  const slowest = { ms: 0 };
  const wrong = [];
  for (const [what, [options, code]] of Object.entries(rows)) {
    const answer = await callSrt(daemon.ports.srt, options);
    await answer.say(media);
    answer.close();
    if (answer.code !== code) wrong.push(`${what}: ${answer.code} in place of ${code}`);
    if (!(answer.ms <= slowest.ms)) Object.assign(slowest, { what, ms: answer.ms });
  }
  line.exactly(`codes of ${Object.keys(rows).length} rejections`, wrong.join('; '), '');
  line.atMost(`the slowest answer (${slowest.what})`, slowest.ms, timed(3000), 'ms');

  // The same by libsrt, as an encoder would.
  for (const [what, id, secret, code] of [
    ['no encryption', streamId, '', UNENCRYPTED],
    ['a wrong passphrase', streamId, 'quite another passphrase', WRONG],
    ['512 bytes of UTF-8', 'é'.repeat(256), passphrase, UNKNOWN_INPUT],
  ]) {
    const answer = JSON.parse((await run(SRT_TOOL, ['probe', `${daemon.ports.srt}`, id, secret])).output);
    line.exactly(`libsrt, ${what}: code`, answer.code, code);
    line.atMost(`libsrt, ${what}: rejected after`, answer.ms, timed(3000), 'ms');
  }

  // Each costs libsrt's buffers until it is forgotten, so there is an end to them.
  const before = daemon.residentKiB;
  const codes = new Set();
  for (let i = 0; i < MANY; i += TOGETHER) {
    const call = () => callSrt(daemon.ports.srt, { streamid: streamId, passphrase: 'wrong' });
    for (const answer of await Promise.all(Array.from({ length: TOGETHER }, call))) {
      answer.close();
      codes.add(answer.code);
    }
  }
  line.exactly(`codes of ${MANY} wrong passphrases`, [...codes].sort().join(), [WRONG, TOO_MANY].sort().join());
  if (!daemon.sanitized) line.atMost('memory for them', daemon.residentKiB - before, 32 * 1024, 'KiB');

  assert.equal((await idle.get()).status, null, 'nobody published');
  const relayed = sink.connections.filter(({ name }) => !/^good-/.test(name)).reduce((sum, { bytes }) => sum + bytes, 0);
  line.exactly('bytes relayed for them', relayed, 0, 'bytes');
  assert.ok(!/publisher connected.*proto=srt|publisher gone/.test(daemon.log), 'nobody came in');
  assert.ok(!/^error forged/m.test(daemon.log), 'nobody writes the log');
  for (const secret of [passphrase, input.record.srt.passphrase]) assert.ok(!daemon.log.includes(secret));
  // The same call with the right passphrase is taken, so it was not the call that was wrong.
  const right = async (from) => {
    const { code, close } = await callSrt(daemon.ports.srt, { streamid: streamId, passphrase, from });
    close();
    return code === ACCEPTED;
  };
  line.exactly('the right passphrase, from elsewhere', await right('127.0.0.2'), true);
  const began = performance.now();
  await until('the right passphrase to be taken from there', () => right('127.0.0.1'));
  line.atMost('the right passphrase, from there: taken after', performance.now() - began, timed(5000), 'ms');
  assert.ok(!publisher.error);
  await finish(line);
});
