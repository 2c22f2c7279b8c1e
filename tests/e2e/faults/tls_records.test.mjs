// TLS records for their own sake: KeyUpdates and records of one byte, from a stranger, an encoder and a destination.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encode } from '../lib/amf0.mjs';
import { makeCertificates } from '../lib/certificates.mjs';
import { Child, tempDir } from '../lib/cleanup.mjs';
import { BINARY } from '../lib/daemon.mjs';
import { delaysOf, goodScene } from '../lib/destinations.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { freePort } from '../lib/nginx_rtmp.mjs';
import { ChunkWriter, HANDSHAKE, Type, fullHeader, hello } from '../lib/rtmp.mjs';
import { LiveInput } from '../lib/sdk.mjs';
import { until } from '../lib/until.mjs';

const FLOOD = join(dirname(BINARY), 'tls_flood');
const KINDS = ['key-updates', 'key-updates-asked-back', 'one-byte'];
const RECORDS = FULL ? 1_000_000 : 300_000;

/** All that an encoder says up to the header of a message of 10 MB, without waiting for an answer. */
function publishing({ app = 'live', key }) {
  const writer = new ChunkWriter();
  const command = (streamId, ...values) =>
    writer.message({ csid: 3, type: Type.command, streamId, body: encode(...values) });
  return Buffer.concat([
    hello(),
    Buffer.alloc(HANDSHAKE),
    command(0, 'connect', 1, { app, type: 'nonprivate', tcUrl: `rtmp://localhost/${app}` }),
    command(0, 'createStream', 2, null),
    command(1, 'publish', 3, null, key, 'live'),
    writer.setChunkSize(0xffffff),
    fullHeader({ csid: 4, length: 10_000_000, type: Type.audio, streamId: 1 }),
  ]);
}

const outcomes = (child) =>
  child.output
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text));

function tool(t, ...args) {
  const child = new Child(FLOOD, args.map(String));
  t.after(() => child.stop('SIGKILL'));
  return child;
}

faultLine('S13', 'floods of TLS records', { quick: true }, async (t, line) => {
  const certificates = await makeCertificates();
  const { daemon, input, sink, publisher, sessions, finish } = await goodScene(t, {
    daemonOptions: { rtmps: certificates.good, caFile: certificates.caFile },
  });
  const since = performance.now();

  // Strangers, two at a time.
  for (const kind of KINDS) {
    const flooders = [1, 2].map(() => tool(t, 'client', daemon.ports.rtmps, kind, RECORDS));
    for (const flooder of flooders) await flooder.exited;
    const ended = flooders.flatMap(outcomes);
    assert.equal(ended.length, 2, flooders[0].output);
    line.exactly(`${kind} by two strangers: sent away`, ended.filter(({ cut }) => cut).length, 2);
    line.atMost(`${kind} by two strangers: the longest stay`, Math.max(...ended.map(({ ms }) => ms)), timed(2000), 'ms');
  }

  // Encoders that have a key: they are in the middle of a large message when it begins.
  for (const kind of KINDS) {
    const other = await LiveInput.create(daemon);
    const first = join(tempDir('tls-flood'), 'first');
    writeFileSync(first, publishing(other.publishTo));
    const flooder = tool(t, 'client', daemon.ports.rtmps, kind, RECORDS, first);
    await flooder.exited;
    const [{ cut, ms }] = outcomes(flooder);
    line.exactly(`${kind} by an encoder: sent away`, cut, true);
    line.atMost(`${kind} by an encoder: its stay`, ms, timed(2000), 'ms');
    const said = () => daemon.log.split('\n').find((text) => text.includes(`publisher gone input=${other.uid}`));
    line.exactly(`${kind} by an encoder: the cause is named`, (await until('its end', said)).includes('floods'), true);
  }

  // Destinations: an output's, and one that is only tested.
  for (const kind of KINDS) {
    const port = await freePort();
    const server = tool(t, 'server', port, certificates.good.certFile, certificates.good.keyFile, kind, RECORDS);
    await until('the server to listen', () => server.output.includes('listening'));
    const url = `rtmps://localhost:${port}/live`;
    const { uid } = await input.addOutput({ url, streamKey: `flood-${kind}` });
    const { status } = await input.untilOutput(uid, 'retrying', { timeout: 30_000 });
    // What is no RTMP is seen before it is seen to be a flood.
    const words = kind === 'one-byte' ? /does not speak RTMP/ : /floods the connection/;
    line.exactly(`${kind} by a destination: the cause is named`, words.test(status.message), true);
    await until('what the server has to say', () => outcomes(server).length > 0);
    const [first] = outcomes(server);
    line.exactly(`${kind} by a destination: hung up on`, first.cut, true);
    line.atMost(`${kind} by a destination: its stay`, first.ms, timed(2000), 'ms');
    await input.remove(uid);
    await server.stop('SIGKILL');
  }

  const late = sessions.flatMap((session) => delaysOf(publisher.published, session, { since }));
  line.atMost('longest delay of a picture at the good ones', Math.max(...late), timed(200), 'ms');
  await finish(line);
});
