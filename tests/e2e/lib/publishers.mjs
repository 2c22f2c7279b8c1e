// Broadcasts to publish: encoded ones from tests/fixtures/e2e, and real encoders. Each encoder writes the very packets it
// sends into an FLV file as well: what was published, to compare with.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Child, tempDir } from './cleanup.mjs';
import { kindOf, readFlv } from './flv.mjs';
import { Hopeless, until } from './until.mjs';

export const FPS = 30;

// A moving picture with a frame counter, and sound of which no two packets are alike.
export const picture = (size) => `testsrc2=size=${size}:rate=${FPS}`;
export const SOUND = "aevalsrc='0.3*sin(2*PI*440*t)+0.1*(random(0)-0.5)':s=44100";

// Options of x264, such as asm=0, which makes it encode as a processor without vector instructions would.
const X264 = process.env.SIMULCASTD_E2E_X264;

export function encoding({ gop = 60, bitrate = '400k' }) {
  return [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '2',
    '-b_strategy',
    '0',
    '-g',
    String(gop),
    '-keyint_min',
    String(gop),
    '-sc_threshold',
    '0',
    '-b:v',
    bitrate,
    '-maxrate',
    bitrate,
    '-bufsize',
    bitrate,
    '-pix_fmt',
    'yuv420p',
    '-threads',
    '1',
    ...(X264 ? ['-x264-params', X264] : []),
    '-c:a',
    'aac',
    '-b:a',
    '96k',
  ];
}

/** A pipeline as gst-launch-1.0 takes it; `truth`, a path with whatever is in it, in place of TRUTH. */
export const gstWords = (pipeline, truth) => pipeline.split(' ').map((word) => word.replace('TRUTH', () => truth));

/** The x264enc of the GStreamer pipelines. */
export const x264enc = (gop) =>
  `x264enc bframes=2 b-adapt=false key-int-max=${gop} bitrate=400 speed-preset=veryfast threads=1` +
  (X264 ? ` option-string=${X264}` : '');

const FIXTURES = join(import.meta.dirname, '../../fixtures/e2e');

/** The path of a broadcast that was encoded once and for all. */
export function fixtureFile(name) {
  const file = join(FIXTURES, name);
  if (!existsSync(file)) throw new Error(`there is no ${file}: run tests/fixtures/e2e/make.mjs ${name}`);
  return file;
}

/**
 * A broadcast of 10 s for tests whose subject is not the encoder: a 320x180 picture at 30 frames a second with B-frames,
 * and AAC. `gop`: 30, 60 or 300 pictures. Gives the path of the FLV file.
 */
export async function fixture({ gop = 60 } = {}) {
  return fixtureFile(`gop${gop}.flv`);
}

/** The tags of a fixture, those of the first `seconds`. */
export async function fixtureTags({ seconds = 10, ...options } = {}) {
  if (seconds > 10) throw new Error(`a fixture lasts 10 s, not ${seconds}`);
  return readFlv(await fixture(options)).filter(({ timestamp }) => timestamp < seconds * 1000);
}

/** The same with filler data in each picture (ITU-T H.264, 7.3.2.7), up to a constant bitrate. */
export function inflated(tags, kbps, fps = FPS) {
  const size = Math.round((kbps * 1000) / 8 / fps);
  return tags.map((tag) => {
    const missing = size - tag.body.length;
    if (kindOf(tag) !== 'video' || missing < 6) return tag;
    const filler = Buffer.alloc(missing, 0xff);
    filler.writeUInt32BE(missing - 4, 0);
    filler[4] = 12;
    filler[missing - 1] = 0x80;
    return { ...tag, body: Buffer.concat([tag.body, filler]) };
  });
}

class Encoder {
  constructor(command, args, truth, options) {
    this.truthFile = truth;
    this.child = new Child(command, args, options);
  }

  /** What it published so far. */
  get published() {
    return existsSync(this.truthFile) ? readFlv(this.truthFile) : [];
  }

  /** Resolves when it has sent its first media; fails if it ended before. */
  async started() {
    await until('the encoder to publish', () => {
      if (!this.child.running) throw new Hopeless(`the encoder ended:\n${this.child.tail}`);
      return this.published.length > 5;
    });
  }

  /** Waits for its own end (after `seconds`), or ends it politely; fails if it ended badly. */
  async finished() {
    const { code, signal } = await this.child.exited;
    if (code !== 0 && code !== 255) throw new Error(`the encoder ended with ${code ?? signal}:\n${this.child.tail}`);
  }

  async stop() {
    await this.child.stop('SIGINT', 30_000);
  }

  /** Gone without goodbye. */
  async vanish() {
    await this.child.stop('SIGKILL');
  }
}

/**
 * ffmpeg publishing a test picture in real time.
 * `source`: an FLV file to send as it is, over and over, instead of encoding. `ca`: verify an rtmps:// server with it.
 */
export function ffmpegPublisher(url, { seconds, source, ca, size = '320x180', ...options } = {}) {
  const truth = join(tempDir('ffmpeg'), 'published.flv');
  const input = source
    ? ['-re', '-stream_loop', '-1', '-i', source]
    : ['-re', '-f', 'lavfi', '-i', picture(size), '-re', '-f', 'lavfi', '-i', SOUND];
  const codecs = source ? ['-c', 'copy'] : encoding(options);
  const escaped = (text) => text.replace(/[\\':|[\]]/g, '\\$&');
  const verify = ca ? `:tls_verify=1:ca_file=${escaped(escaped(ca))}` : '';
  return new Encoder(
    'ffmpeg',
    [
      '-hide_banner',
      '-loglevel',
      'warning',
      '-nostdin',
      ...input,
      '-map',
      '0:v',
      '-map',
      source ? '0:a' : '1:a',
      ...(seconds ? ['-t', String(seconds)] : []),
      ...codecs,
      '-flags',
      '+global_header',
      '-f',
      'tee',
      `[f=flv${verify}:flvflags=no_duration_filesize]${escaped(url)}|[f=flv:flvflags=no_duration_filesize:flush_packets=1]${escaped(truth)}`,
    ],
    truth,
  );
}

/** GStreamer publishing a test picture in real time through rtmp2sink; `chunkSize` as its property of that name. */
export function gstreamerPublisher(url, { seconds = 8, chunkSize, gop = 60 } = {}) {
  const truth = join(tempDir('gstreamer'), 'published.flv');
  const audioBuffers = Math.round((seconds * 44100) / 1024);
  const pipeline = [
    'flvmux name=mux streamable=true ! tee name=t',
    `t. ! queue ! rtmp2sink name=out location=${url}${chunkSize ? ` chunk-size=${chunkSize}` : ''}`,
    't. ! queue ! filesink location=TRUTH buffer-mode=unbuffered',
    `videotestsrc is-live=true pattern=ball num-buffers=${seconds * FPS}`,
    `! video/x-raw,width=320,height=180,framerate=${FPS}/1`,
    `! ${x264enc(gop)}`,
    '! video/x-h264,profile=main ! h264parse ! queue ! mux.',
    `audiotestsrc is-live=true wave=pink-noise samplesperbuffer=1024 num-buffers=${audioBuffers}`,
    '! audio/x-raw,rate=44100,channels=2 ! avenc_aac bitrate=96000 ! aacparse ! queue ! mux.',
  ].join(' ');
  return new Encoder('gst-launch-1.0', ['-e', ...gstWords(pipeline, truth)], truth);
}
