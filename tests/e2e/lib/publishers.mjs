// Real encoders, each writing the very packets it sends into an FLV file as well: what was published, to compare with.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Child, run, tempDir } from './cleanup.mjs';
import { readFlv } from './flv.mjs';
import { Hopeless, until } from './until.mjs';

export const FPS = 30;

// A moving picture with a frame counter, and sound of which no two packets are alike.
export const picture = (size) => `testsrc2=size=${size}:rate=${FPS}`;
export const SOUND = "aevalsrc='0.3*sin(2*PI*440*t)+0.1*(random(0)-0.5)':s=44100";

export function encoding({ gop = 60, bitrate = '400k' }) {
  return [
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '2',
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
    '-c:a',
    'aac',
    '-b:a',
    '96k',
  ];
}

/**
 * A short broadcast made once and kept for later runs: a 320x180 picture at 30 frames a second with B-frames, and AAC.
 * For tests whose subject is not the encoder. Gives the path of the FLV file.
 */
export async function fixture({ seconds = 10, gop = 60, bitrate = '400k', size = '320x180' } = {}) {
  const args = [
    '-f',
    'lavfi',
    '-i',
    picture(size),
    '-f',
    'lavfi',
    '-i',
    SOUND,
    '-t',
    String(seconds),
    ...encoding({ gop, bitrate }),
  ];
  return cached(args.join(' '), 'flv', (file) =>
    run('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args, '-f', 'flv', file]),
  );
}

const underWay = new Map(); // name -> the promise of its path

/** The file that `make(path)` makes, once for all runs; `recipe` is all that it depends on. */
export function cached(recipe, extension, make) {
  const name = `${createHash('sha256').update(recipe).digest('hex').slice(0, 16)}.${extension}`;
  if (!underWay.has(name)) underWay.set(name, keep(name, make));
  return underWay.get(name);
}

async function keep(name, make) {
  const folder = join(import.meta.dirname, '..', 'node_modules', '.cache');
  const file = join(folder, name);
  if (!existsSync(file)) {
    // Several test processes may make it at once; the rename keeps readers from ever seeing half a file.
    const made = join(tempDir('fixture'), name);
    await make(made);
    mkdirSync(folder, { recursive: true });
    const near = `${file}.${process.pid}`;
    await run('cp', [made, near]);
    renameSync(near, file);
  }
  return file;
}

export async function fixtureTags(options) {
  return readFlv(await fixture(options));
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
    await this.child.stop('SIGINT', 10_000);
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
  const verify = ca ? `:tls_verify=1:ca_file=${ca}` : '';
  const escaped = (text) => text.replace(/[\\':|[\]]/g, '\\$&');
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
      `[f=flv${verify}:flvflags=no_duration_filesize]${escaped(url)}|[f=flv:flvflags=no_duration_filesize:flush_packets=1]${truth}`,
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
    `t. ! queue ! filesink location=${truth} buffer-mode=unbuffered`,
    `videotestsrc is-live=true pattern=ball num-buffers=${seconds * FPS}`,
    `! video/x-raw,width=320,height=180,framerate=${FPS}/1`,
    `! x264enc bframes=2 b-adapt=false key-int-max=${gop} bitrate=400 speed-preset=veryfast threads=1`,
    '! video/x-h264,profile=main ! h264parse ! queue ! mux.',
    `audiotestsrc is-live=true wave=pink-noise samplesperbuffer=1024 num-buffers=${audioBuffers}`,
    '! audio/x-raw,rate=44100,channels=2 ! avenc_aac bitrate=96000 ! aacparse ! queue ! mux.',
  ].join(' ');
  return new Encoder('gst-launch-1.0', ['-e', ...pipeline.split(' ')], truth);
}
