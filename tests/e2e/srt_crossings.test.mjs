// Every way in to every way out, each row of the table with all its destinations at once: what an encoder publishes by
// RTMP or SRT arrives by RTMP and SRT unit for unit, and from SRT to SRT packet for packet.
// SIMULCASTD_E2E_SECONDS: how long the encoders publish (default 8).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { comparePackets, fromFlv } from './lib/access_units.mjs';
import { assertUnits } from './lib/assertions.mjs';
import { makeCertificates } from './lib/certificates.mjs';
import { Daemon } from './lib/daemon.mjs';
import { NginxRtmp } from './lib/nginx_rtmp.mjs';
import { ffmpegPublisher, gstreamerPublisher } from './lib/publishers.mjs';
import { RtmpSink } from './lib/rtmp_sink.mjs';
import { LiveInput } from './lib/sdk.mjs';
import { SrtFilePublisher, SrtSink, decodeErrors, gstreamerSrtPublisher } from './lib/srt_peers.mjs';
import { PRIVATE_PID, tsFixture } from './lib/ts_fixture.mjs';
import { until } from './lib/until.mjs';

const SECONDS = Number(process.env.SIMULCASTD_E2E_SECONDS ?? 8);
const GOP = 120; // frames: an output has as long to connect if it is to have the first keyframe
const ENOUGH = Math.floor(SECONDS * 30 * 0.8); // frames
const PASSPHRASE = 'of-the-destination,not-of-the-input'; // no tool but the daemon may take %2C for the comma

let certificates;
let nginx;
before(async () => {
  certificates = await makeCertificates();
  nginx = await NginxRtmp.start();
});
after(() => nginx?.stop());

// The encoders: each gives what it published in the common form, the bytes it sent if they are TS, and whether all of it
// must arrive: ffmpeg and GStreamer close an SRT connection without waiting for delivery.
const rows = {
  RTMP: async (input) => {
    const encoder = gstreamerPublisher(input.publishUrl, { seconds: SECONDS, gop: GOP });
    await encoder.finished();
    return { end: 'last', published: fromFlv(encoder.published) };
  },
  RTMPS: async (input) => {
    const { url, streamKey } = input.record.rtmps;
    const encoder = ffmpegPublisher(`${url}${streamKey}`, { seconds: SECONDS, gop: GOP, ca: certificates.caFile });
    await encoder.finished();
    return { end: 'last', published: fromFlv(encoder.published) };
  },
  'SRT AES-128': async (input) => {
    const bytes = await tsFixture({ seconds: SECONDS, gop: GOP });
    const publisher = new SrtFilePublisher(bytes, { ...input.publishSrt, pbkeylen: 16 });
    await publisher.start();
    await publisher.finished();
    return { end: 'last', published: publisher.published, sent: publisher.sent, privateData: true };
  },
  'SRT AES-256': async (input) => {
    const encoder = gstreamerSrtPublisher(input.publishSrt.url, {
      ...{ seconds: SECONDS, gop: GOP, pbkeylen: 32 },
      ...input.publishSrt,
    });
    await encoder.finished();
    return { end: 'any', published: encoder.published, sent: encoder.sent };
  },
};

// The destinations of one row: each { name, output, received() }, the last giving the common form once all is there.
async function destinations(t, row, number) {
  const secure = await RtmpSink.listen({ tls: certificates.good, bodies: true });
  t.after(() => secure.close());
  const name = `row-${number}`;
  const tools = ['srt-live-transmit', 'gstreamer', 'ffmpeg'];
  const sinks = {
    'SRT caller': await SrtSink.listen({ tool: tools[(number + 1) % 2] }),
    'SRT caller, encrypted': await SrtSink.listen({
      tool: row.startsWith('SRT') ? tools[number % 2] : tools[2],
      passphrase: PASSPHRASE,
      query: { pbkeylen: 32 },
    }),
    'SRT listener': await SrtSink.caller({ tool: tools[number % 2] }),
  };
  for (const sink of Object.values(sinks)) t.after(() => sink.stop());
  return [
    { name: 'RTMP', output: nginx.output(name), received: async () => fromFlv(await nginx.finished(name)) },
    {
      name: 'RTMPS',
      output: secure.url('show', 'localhost'),
      received: async () => {
        const session = await secure.session('show');
        await until('the end of the broadcast at the sink', () => session.closed);
        return fromFlv(session.messages);
      },
    },
    ...Object.entries(sinks).map(([kind, sink]) => ({
      name: kind,
      output: sink.output,
      sink,
      calling: kind === 'SRT listener',
      received: async () => {
        await sink.finished();
        return sink.units;
      },
    })),
  ];
}

test('the table', async (t) => {
  const daemon = await Daemon.start(t, { srt: {}, rtmps: certificates.good, caFile: certificates.caFile });
  const table = [];
  const failures = [];
  const crossing = async (row, publish, number) => {
    const input = await LiveInput.create(daemon);
    const all = await destinations(t, row, number);
    for (const { output } of all) await input.addOutput(output);
    const calls = all.filter(({ calling }) => calling).map(({ sink }) => sink.call());
    const { published, sent, privateData, end } = await publish(input);
    await Promise.all(calls);
    for (const { name, received, sink, calling } of all) {
      const cell = `${row} -> ${name}`;
      try {
        const start = calling ? 'any' : 'first';
        const result = assertUnits(published, await received(), { what: cell, start, end, atLeast: ENOUGH });
        let words = result.report;
        if (sink)
          assert.equal(await decodeErrors(sink.file, { cut: end === 'any' }), '', `${cell}: a decoder complains`);
        if (sink && sent && sink.tool !== 'ffmpeg') {
          const run = comparePackets(sent, sink.received, { start, end });
          assert.ok(run.ok, `${cell}: the packets are not those sent: ${run.report}`);
          if (privateData) assert.ok(run.pids[PRIVATE_PID] > SECONDS * 5, `${cell}: the private data is missing`);
          words += `; ${run.report}, ${run.pids[PRIVATE_PID] ?? 0} of private data`;
        }
        table.push([cell, words]);
      } catch (error) {
        table.push([cell, error.message]);
        failures.push(error.message);
      }
    }
  };
  await Promise.all(Object.entries(rows).map(([row, publish], number) => crossing(row, publish, number)));
  for (const [cell, words] of table) t.diagnostic(`${cell.padEnd(40)} ${words}`);
  assert.deepEqual(failures, []);
  assert.equal(table.length, 20);
});
