// SRT encoders and destinations: srt-live-transmit, ffmpeg and GStreamer. Publishers tell what they sent, destinations
// write what they receive into a file.
//
//   const publisher = new SrtFilePublisher(bytes, { url, streamid, passphrase });
//   await publisher.start();       // connected, the first packets are out
//   await publisher.finished();    // all is out and delivered; closed properly
//   publisher.sent                 // the very bytes so far
//
//   const sink = await SrtSink.listen({ passphrase });      // .call({ port }), .meet({ port })
//   sink.output                    // { url, streamKey } for the API
//   await sink.finished(); sink.received
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fromTs } from './access_units.mjs';
import { Child, run, tempDir } from './cleanup.mjs';
import { VIDEO, parseFlv, writeFlv } from './flv.mjs';
import { PACKET, parseTs } from './mpegts.mjs';
import { FPS, SOUND, encoding, gstWords, picture, x264enc } from './publishers.mjs';
import { padTs } from './ts_fixture.mjs';
import { Hopeless, until } from './until.mjs';

const GROUP = 7 * PACKET;
// Long enough that a machine busy with other things does not make SRT give packets up as too late.
const LATENCY = 1000;

/**
 * A UDP port that is free on every loopback address, and not of those that the kernel gives to whoever asks for any:
 * it is bound only some time later, by somebody else.
 */
export async function freeUdpPort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const socket = dgram.createSocket('udp4');
    const free = await new Promise((resolve) => {
      socket.once('error', () => resolve(false)).bind({ port, address: '0.0.0.0', exclusive: true }, () => resolve(true));
    });
    await new Promise((resolve) => socket.close(resolve));
    if (free) return port;
  }
}

/** Whether somebody has bound this UDP port. */
export function udpPortTaken(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return ['/proc/net/udp', '/proc/net/udp6']
    .filter(existsSync)
    .some((file) => new RegExp(`^\\s*\\d+: [0-9A-F]+:${hex} `, 'm').test(readFileSync(file, 'latin1')));
}

// srt-live-transmit takes the values of a query as they stand, without %XX, and latency in ms.
function plainUrl(url, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const query = given.map(([key, value]) => `${key}=${value}`).join('&');
  return query ? `${url}${url.includes('?') ? '&' : '?'}${query}` : url;
}

/** For outputs of the daemon: percent-encoded. */
export function encodedUrl(url, parameters) {
  const encoded = Object.entries(parameters).map(([key, value]) => [key, value && encodeURIComponent(value)]);
  return plainUrl(url, Object.fromEntries(encoded));
}

// ffmpeg decodes %XX in the stream id, and nowhere else; its latency is in microseconds.
function ffmpegUrl(url, { streamid, latency, ...parameters }) {
  return plainUrl(url, {
    ...parameters,
    latency: latency && latency * 1000,
    streamid: streamid && encodeURIComponent(streamid),
  });
}

const whole = (bytes) => bytes.subarray(0, bytes.length - (bytes.length % PACKET));
const readWhole = (file) => (existsSync(file) ? whole(readFileSync(file)) : Buffer.alloc(0));

// When each group is due, in ms from the first: by the PCRs around its last packet.
function schedule(bytes) {
  const { pcrs } = parseTs(bytes);
  if (pcrs.length < 2) throw new Error('a stream without PCR has no pace');
  const times = [];
  let next = 1;
  for (let at = 0; at < bytes.length; at += GROUP) {
    const index = Math.min(at + GROUP, bytes.length) / PACKET - 1;
    while (next < pcrs.length - 1 && pcrs[next].index <= index) next += 1;
    const [from, to] = [pcrs[next - 1], pcrs[next]];
    const share = (index - from.index) / (to.index - from.index);
    times.push(Math.max(0, (from.pcr + share * (to.pcr - from.pcr) - pcrs[0].pcr) / 27_000));
  }
  return times;
}

/**
 * Publishes the bytes of a TS, in groups of 7 packets and in the time of its own clock, through srt-live-transmit.
 * Stuffing makes its last group whole.
 */
export class SrtFilePublisher {
  groups = 0; // that went out
  error = null;
  #abort = new AbortController();

  /**
   * `url`: srt://host:port. Options `streamid`, `passphrase`, `pbkeylen`, `latency` (ms), `speed` times real time.
   * `padding`: false leaves out the stuffing at the end.
   */
  constructor(bytes, { url, speed = 1, latency = LATENCY, padding = true, ...parameters }) {
    this.bytes = padding ? padTs(bytes) : bytes;
    this.speed = speed;
    this.latency = latency;
    const target = plainUrl(url, { mode: 'caller', latency, ...parameters });
    // chunk: its reads from stdin are of this size. buffering: without it, ten of them are collected before one goes out.
    this.child = new Child(
      'srt-live-transmit',
      ['-v', '-a:no', '-chunk:1316', '-buffering:1', '-loglevel:error', 'file://con', target],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.child.process.stdin.on('error', () => {}); // it has gone: `closed` says so
  }

  get closed() {
    return !this.child.running;
  }
  get connected() {
    return /SRT target connected|Accepted SRT target/.test(this.child.output);
  }
  /** The very bytes that went out. */
  get sent() {
    return this.bytes.subarray(0, this.groups * GROUP);
  }
  /** The same as access units. */
  get published() {
    return fromTs(this.sent);
  }

  /** Waits for the connection, and sends on from then on; fails if it was refused. */
  async start() {
    await until(
      'the connection of an SRT publisher',
      () => {
        if (this.connected) return true;
        if (this.closed) throw new Hopeless(`the SRT publisher ended:\n${this.child.tail}`);
        return false;
      },
      { interval: 5 },
    );
    this.done = this.#send();
    this.done.catch((error) => {
      this.error = error;
    });
    return this;
  }

  async #send() {
    const times = schedule(this.bytes);
    const began = performance.now();
    const { signal } = this.#abort;
    const pace = async (ms) => {
      const ahead = began + ms / this.speed - performance.now();
      if (ahead > 0) await delay(ahead, undefined, { signal }).catch(() => {});
    };
    for (const [i, time] of times.entries()) {
      await pace(time);
      if (signal.aborted || this.closed) return;
      this.child.process.stdin.write(this.bytes.subarray(i * GROUP, (i + 1) * GROUP));
      this.groups = i + 1;
    }
    // Closing throws away what has not been delivered, which SRT does a latency after it was sent.
    await pace(times.at(-1) + (this.latency + 400) * this.speed);
  }

  /** Waits until all is sent and delivered. Fails if the other side closed before. */
  async delivered() {
    await this.done;
    if (this.groups * GROUP < this.bytes.length)
      throw new Error(`the SRT publisher was closed after ${this.groups} groups:\n${this.child.tail}`);
  }

  /** When all is sent and delivered: closes properly. */
  async finished() {
    await this.delivered();
    await this.stop();
  }

  /** Closes the connection properly, wherever it is. */
  async stop() {
    this.#abort.abort();
    // The signal is heeded between two reads, and a read lasts until its input goes on or ends.
    this.child.kill('SIGTERM');
    this.child.process.stdin.end();
    await this.child.stop('SIGTERM', 20_000);
    await this.done;
  }

  /** Gone without goodbye. */
  async vanish() {
    this.#abort.abort();
    await this.child.stop('SIGKILL');
    await this.done;
  }
}

// An encoder that also writes what it sends into a file.
class SrtEncoder {
  constructor(command, args, truth) {
    this.truthFile = truth;
    this.child = new Child(command, args);
  }

  get sent() {
    return readWhole(this.truthFile);
  }
  get published() {
    return fromTs(this.sent);
  }

  async started() {
    await until(
      'the encoder to publish',
      () => {
        if (!this.child.running) throw new Hopeless(`the encoder ended:\n${this.child.tail}`);
        return this.sent.length > 20 * PACKET;
      },
    );
    return this;
  }

  /** Waits for its own end; fails if it ended badly. The last `latency` ms of media may not have been delivered. */
  async finished() {
    const { code, signal } = await this.child.exited;
    if (code !== 0 && code !== 255) throw new Error(`the encoder ended with ${code ?? signal}:\n${this.child.tail}`);
  }

  async stop() {
    await this.child.stop('SIGINT', 30_000);
  }

  async vanish() {
    await this.child.stop('SIGKILL');
  }
}

/**
 * ffmpeg publishing a test picture in real time. `source`: a TS file to send as it is, instead of encoding. `latency` in
 * ms.
 */
export function ffmpegSrtPublisher(url, options = {}) {
  const { seconds, source, size = '320x180', streamid, passphrase, pbkeylen, latency = LATENCY, ...rest } = options;
  const truth = join(tempDir('ffmpeg-srt'), 'published.ts');
  const input = source
    ? ['-re', '-i', source, '-map', '0:v', '-map', '0:a', '-c', 'copy', '-copyts']
    : [
        ...['-re', '-f', 'lavfi', '-i', picture(size), '-re', '-f', 'lavfi', '-i', SOUND, '-map', '0:v', '-map', '1:a'],
        ...encoding(rest),
      ];
  // Without `linger` it leaves with the end of its stream unsent.
  const target = ffmpegUrl(url, {
    ...{ mode: 'caller', transtype: 'live', pkt_size: 1316, linger: 2 },
    ...{ latency, streamid, passphrase, pbkeylen },
  });
  const escaped = (text) => text.replace(/[\\':|[\]]/g, '\\$&');
  return new SrtEncoder(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'warning', '-nostdin', ...input],
      ...(seconds ? ['-t', String(seconds)] : []),
      ...[
        '-muxdelay',
        '0',
        '-muxpreload',
        '0',
        '-f',
        'tee',
        `[f=mpegts:onfail=abort]${escaped(target)}|[f=mpegts:flush_packets=1]${escaped(truth)}`,
      ],
    ],
    truth,
  );
}

/** GStreamer publishing a test picture in real time through srtsink. */
export function gstreamerSrtPublisher(url, options = {}) {
  const { seconds = 8, gop = 60, streamid, passphrase, pbkeylen, latency = LATENCY } = options;
  const truth = join(tempDir('gstreamer-srt'), 'published.ts');
  const audioBuffers = Math.round((seconds * 44100) / 1024);
  const properties = Object.entries({ streamid, passphrase, pbkeylen, latency })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${/^[\w.]+$/.test(value) ? value : JSON.stringify(value)}`);
  const pipeline = [
    'mpegtsmux name=mux alignment=7 ! tee name=t',
    `t. ! queue ! srtsink name=out auto-reconnect=false uri=${url} ${properties.join(' ')}`,
    't. ! queue ! filesink location=TRUTH buffer-mode=unbuffered',
    `videotestsrc is-live=true pattern=ball num-buffers=${seconds * FPS}`,
    `! video/x-raw,width=320,height=180,framerate=${FPS}/1`,
    `! ${x264enc(gop)}`,
    '! video/x-h264,profile=main ! h264parse ! queue ! mux.',
    `audiotestsrc is-live=true wave=pink-noise samplesperbuffer=1024 num-buffers=${audioBuffers}`,
    '! audio/x-raw,rate=44100,channels=2 ! avenc_aac bitrate=96000 ! aacparse ! queue ! mux.',
  ].join(' ');
  return new SrtEncoder('gst-launch-1.0', ['-e', ...gstWords(pipeline, truth)], truth);
}

// How each tool receives from an SRT address into a file.
const RECEIVERS = {
  'srt-live-transmit': ({ source, parameters, out }) => ({
    command: 'srt-live-transmit',
    args: ['-v', '-a:no', '-chunk:1456', '-loglevel:error', plainUrl(source, parameters), 'file://con'],
    options: { stdio: ['ignore', out, 'pipe'] },
  }),
  // Remuxed, so not the same packets, but the same access units; and it says what it does not like.
  ffmpeg: ({ source, parameters, file }) => ({
    command: 'ffmpeg',
    args: [
      ...['-hide_banner', '-loglevel', 'warning', '-nostdin', '-analyzeduration', '500000'],
      ...['-i', ffmpegUrl(source, parameters)],
      ...['-map', '0:v', '-map', '0:a?', '-c', 'copy', '-copyts', '-muxdelay', '0', '-muxpreload', '0'],
      ...['-flush_packets', '1', '-f', 'mpegts', '-y', file],
    ],
  }),
  gstreamer: ({ source, parameters: { mode, ...parameters }, file }) => ({
    command: 'gst-launch-1.0',
    args: [
      ...['-e', 'srtsrc', 'auto-reconnect=false', `uri=${source}?mode=${mode}`],
      ...Object.entries(parameters)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${value}`),
      ...['!', 'filesink', `location=${file}`, 'buffer-mode=unbuffered'],
    ],
  }),
};

/** A destination of SRT that writes what it receives into a file. */
export class SrtSink {
  constructor(tool, source, parameters) {
    Object.assign(this, { tool, source, parameters, file: join(tempDir('srt-sink'), 'received.ts') });
  }

  #launch() {
    writeFileSync(this.file, '');
    const out = openSync(this.file, 'a');
    const { command, args, options } = RECEIVERS[this.tool]({ ...this, out });
    this.child = new Child(command, args, options);
    closeSync(out);
    return this.child;
  }

  /**
   * Waits for a caller. `tool`: srt-live-transmit, ffmpeg or gstreamer. `passphrase`, `pbkeylen`, `latency` (ms) are its
   * own; `port` if it must be a certain one; `query`: what else the output's URL is to have, e.g. a streamid.
   */
  static async listen({ tool = 'srt-live-transmit', port, query = {}, ...parameters } = {}) {
    // The port is free when asked for; should someone take it before the tool does, try another.
    for (let attempt = 0; ; attempt++) {
      const chosen = port ?? (await freeUdpPort());
      const sink = new SrtSink(tool, `srt://127.0.0.1:${chosen}`, {
        mode: 'listener',
        latency: LATENCY,
        ...parameters,
      });
      sink.port = chosen;
      const { passphrase, pbkeylen } = parameters;
      sink.output = {
        url: encodedUrl(sink.source, { mode: 'caller', passphrase, pbkeylen, ...query }),
        streamKey: '',
      };
      const child = sink.#launch();
      try {
        await until(
          `${tool} to listen`,
          () => {
            if (!child.running) throw new Hopeless(`${tool} ended:\n${child.tail}`);
            return udpPortTaken(chosen);
          },
        );
        return sink;
      } catch (error) {
        await child.stop('SIGKILL');
        if (attempt === 4 || port) throw error;
      }
    }
  }

  /** Will call an output that listens, over and over until it is taken; `connected()` waits for that. */
  static async caller({ tool = 'srt-live-transmit', port, query = {}, ...parameters } = {}) {
    const chosen = port ?? (await freeUdpPort());
    const sink = new SrtSink(tool, `srt://127.0.0.1:${chosen}`, { mode: 'caller', latency: LATENCY, ...parameters });
    sink.port = chosen;
    const { passphrase, pbkeylen, streamid } = parameters;
    sink.output = {
      url: encodedUrl(sink.source, { mode: 'listener', passphrase, pbkeylen, streamid, ...query }),
      streamKey: '',
    };
    return sink;
  }

  /** Calls; again when nobody takes it, until `timeout` ms are over. */
  async call(options = {}) {
    this.#launch();
    await until(
      `the output on port ${this.port} to take a call`,
      () => {
        if (this.connected) return true;
        if (!this.child.running) this.#launch();
        return false;
      },
      { ...options, interval: 50 },
    );
    return this;
  }

  /**
   * Meets its peer on one port number, each on an address of its own: the sink on `address`, the peer on 127.0.0.1
   * (`peerAddress`).
   */
  static async meet({ port, address = '127.0.0.2', peerAddress = '127.0.0.1', ...parameters } = {}) {
    const chosen = port ?? (await freeUdpPort());
    const sink = new SrtSink('srt-live-transmit', `srt://${peerAddress}:${chosen}`, {
      ...{ mode: 'rendezvous', adapter: address, latency: LATENCY },
      ...parameters,
    });
    sink.port = chosen;
    const { passphrase, pbkeylen } = parameters;
    sink.output = {
      url: encodedUrl(`srt://${address}:${chosen}`, { mode: 'rendezvous', passphrase, pbkeylen }),
      streamKey: '',
    };
    sink.#launch();
    return sink;
  }

  /** srt-live-transmit says so; of the others the first bytes do. */
  get connected() {
    return /SRT source connected|Accepted SRT source/.test(this.child.output) || this.size > 0;
  }
  get running() {
    return this.child.running;
  }
  /** Bytes so far. srt-live-transmit writes whole blocks of 4 kB, and the rest when it ends. */
  get size() {
    return existsSync(this.file) ? statSync(this.file).size : 0;
  }
  get received() {
    return readWhole(this.file);
  }
  get ts() {
    return parseTs(this.received);
  }
  get units() {
    return fromTs(this.received);
  }

  async untilBytes(bytes = 1, options) {
    return until(`${bytes} bytes at the SRT sink`, () => this.size >= bytes, options);
  }

  /** Waits until the sender has closed and everything is in the file. */
  async finished(options) {
    await until('the end of the stream at the SRT sink', () => !this.child.running, options);
    await this.child.exited;
    return this.received;
  }

  async stop(signal = 'SIGTERM') {
    await this.child?.stop(signal, 20_000);
    return this.received;
  }
}

/** Of an FLV or TS file. */
function withoutLastPicture(bytes) {
  if (bytes.toString('latin1', 0, 3) === 'FLV') {
    const { tags } = parseFlv(bytes);
    return writeFlv(tags.slice(0, tags.findLastIndex(({ type }) => type === VIDEO)));
  }
  const ts = parseTs(bytes);
  return bytes.subarray(0, ts.pes(ts.stream('h264', 'h265').pid).at(-1).index * PACKET);
}

/** What a decoder has to say about a file; nothing when it is well. `cut`: leave out the last picture, which may be torn. */
export async function decodeErrors(file, { cut = false } = {}) {
  if (cut) {
    writeFileSync(`${file}.cut`, withoutLastPicture(readWhole(file)));
    return decodeErrors(`${file}.cut`);
  }
  const { output } = await run('ffmpeg', [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-err_detect', 'explode', '-i', file],
    ...['-map', '0:v', '-map', '0:a?', '-vsync', 'passthrough', '-enc_time_base', '-1', '-f', 'null', '-'],
  ]).catch((error) => ({ output: error.message }));
  return output.trim();
}
