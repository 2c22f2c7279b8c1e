// The table of bad_input.test.mjs: group, what is sent, how, and what must come back.
import assert from 'node:assert/strict';
import { encode } from './amf0.mjs';
import { Daemon } from './daemon.mjs';
import { Type, basicHeader, fullHeader, hello, u32 } from './rtmp.mjs';
import { call, checkConfig, http, inMidShow, misbehave, publishAs, raw } from './strangers.mjs';

const ABSENT = '0'.repeat(32);

const command = (...values) => ({ csid: 3, type: Type.command, body: encode(...values) });
const message = (publisher, fields) => publisher.writer.message({ csid: 3, streamId: 0, ...fields });
const partial = (csid, type, length, body) => Buffer.concat([fullHeader({ csid, length, type }), body]);
const nested = (depth, marker) => Buffer.concat(Array.from({ length: depth }, () => marker));

const REFUSED = /^Net(Stream\.Publish|Connection\.Connect)\.\w+: .{8,}; closed$/;
const CLOSED = /closed/;
const GOES_ON = /^the show goes on$/;

export function badInputRows({ daemon, certificates, fresh, tags }) {
  const publishing = (what, names, expected) => [
    'publishing',
    what,
    async () => {
      const input = await fresh();
      return publishAs(input, names(input));
    },
    expected,
  ];
  const sequence = (what, act, expected = REFUSED) => [
    'sequence',
    what,
    async () => misbehave(await fresh(), act),
    expected,
  ];
  const handshake = (what, bytes, expected = CLOSED) => [
    'handshake',
    what,
    () => raw(daemon.ports.rtmp, bytes),
    expected,
  ];
  const chunks = (what, bytesOf, expected = CLOSED) => [
    'chunks',
    what,
    async () => misbehave(await fresh(), (p) => p.write(bytesOf(p))),
    expected,
  ];
  const show = (what, bytesOf, expected) => [
    'in mid-show',
    what,
    async () => inMidShow(await fresh(), tags, bytesOf),
    expected,
  ];
  const api = (what, method, path, options, expected) => [
    'API',
    what,
    async () => call(daemon, method, typeof path === 'function' ? path((await fresh()).uid) : path, options),
    expected,
  ];
  const wire = (what, text, expected) => ['HTTP', what, () => http(daemon, text), expected];
  const config = (what, text, expected) => ['config', what, () => checkConfig(text), expected];
  const head = (method, path) => `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${daemon.token}\r\n`;
  const inputs = `/client/v4/accounts/${daemon.account}/stream/live_inputs`;
  const outputs = (uid) => `/${uid}/outputs`;
  const output = (fields) => ({ body: { url: 'rtmp://127.0.0.1/live', streamKey: 'k', ...fields } });

  return [
    publishing('the right key (the yardstick)', () => ({}), /^published$/),
    publishing('an unknown key', () => ({ key: `${ABSENT}k${ABSENT}` }), REFUSED),
    publishing('no key', () => ({ key: '' }), REFUSED),
    publishing('the uid alone', (i) => ({ key: i.uid }), REFUSED),
    publishing('the key without its last character', (i) => ({ key: i.key.slice(0, -1) }), REFUSED),
    publishing('the key and one character more', (i) => ({ key: `${i.key}0` }), REFUSED),
    publishing('the key in capitals', (i) => ({ key: i.key.toUpperCase() }), REFUSED),
    publishing('the key and a NUL', (i) => ({ key: `${i.key}\0` }), REFUSED),
    publishing('the key and %00', (i) => ({ key: `${i.key}%00` }), REFUSED),
    publishing('a wrong secret before the right uid', (i) => ({ key: `${'f'.repeat(32)}k${i.uid}` }), REFUSED),
    publishing('a key of 60000 bytes', () => ({ key: 'x'.repeat(60_000) }), CLOSED),
    publishing('a key that is a shell command', () => ({ key: '$(reboot);`reboot`' }), REFUSED),
    publishing('another application', (i) => ({ app: 'vod', key: i.key }), REFUSED),
    publishing('the key and a query', (i) => ({ key: `${i.key}?backup=1` }), /^published$/),
    publishing('a slash behind the application', () => ({ app: 'live/' }), /^published$/),
    publishing('the key in the path, no name', (i) => ({ app: `live/${i.key}`, key: '' }), /^published$/),
    [
      'publishing',
      'the key of a disabled input',
      async () => {
        const input = await fresh();
        await daemon.request('POST', `/${input.uid}/disable`);
        return publishAs(input, {});
      },
      REFUSED,
    ],
    [
      'publishing',
      'the key of a deleted input',
      async () => {
        const input = await fresh();
        await daemon.request('DELETE', `/${input.uid}`);
        return publishAs(input, {});
      },
      REFUSED,
    ],
    [
      'publishing',
      'a key after the keys were renewed',
      async () => {
        const input = await fresh();
        await daemon.request('POST', `/${input.uid}/rotate_keys`);
        return publishAs(input, {});
      },
      REFUSED,
    ],

    sequence('publish before connect', (p) => p.command('publish', 1, null, p.key, 'live'), CLOSED),
    sequence(
      'FCPublish and then silence',
      async (p) => {
        await p.connectApp();
        p.command('FCPublish', 2, null, p.key);
      },
      CLOSED,
    ),
    sequence('connect and then silence', (p) => p.connectApp(), CLOSED),
    sequence(
      'pictures without publish',
      async (p) => {
        await p.connectApp();
        await p.createStream();
        for (const tag of tags.slice(0, 10)) p.sendTag(tag);
      },
      CLOSED,
    ),
    sequence(
      'play instead of publish',
      async (p) => {
        await p.connectApp();
        await p.createStream();
        p.command('play', 5, null, p.key);
      },
      CLOSED,
    ),
    sequence('a second publish on one connection', async (p) => {
      await p.publish();
      p.command('publish', 9, null, p.key, 'live');
    }),
    sequence('connect without an application', (p) => p.command('connect', 1, { tcUrl: 'rtmp://x' }), CLOSED),
    sequence('connect with a number as application', (p) => p.command('connect', 1, { app: 7 }), CLOSED),

    handshake('HTTP on the RTMP port', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    handshake('a TLS ClientHello on the RTMP port', Buffer.from('16030100c8010000c40303', 'hex')),
    handshake('version 6 (RTMPE)', hello(6)),
    handshake('version 0', hello(0)),
    handshake('one byte, then silence', Buffer.from([3])),
    handshake('half of C1, then silence', hello().subarray(0, 700)),
    handshake('C0 and C1, then silence', hello()),
    handshake('4 KiB of 0xff', Buffer.alloc(4096, 0xff)),
    ['handshake', 'plain RTMP on the RTMPS port', () => raw(daemon.ports.rtmps, hello()), CLOSED],
    ['handshake', 'TLS, then silence', () => raw(daemon.ports.rtmps, '', { secure: true }), CLOSED],
    ['handshake', 'TLS, then HTTP', () => raw(daemon.ports.rtmps, 'GET / HTTP/1.1\r\n\r\n', { secure: true }), CLOSED],

    chunks('a format 3 header on a new chunk stream', () => Buffer.from([0xc3])),
    chunks('a format 2 header on a new chunk stream', () => Buffer.concat([basicHeader(2, 3), Buffer.alloc(40)])),
    chunks('chunk size 0', (p) => message(p, { csid: 2, type: Type.setChunkSize, body: u32(0) })),
    chunks('chunk size with its top bit set', (p) =>
      message(p, { csid: 2, type: Type.setChunkSize, body: u32(0x80000080) }),
    ),
    chunks('a chunk size message of 2 bytes', (p) =>
      message(p, { csid: 2, type: Type.setChunkSize, body: Buffer.alloc(2) }),
    ),
    chunks('a length that changes in mid-message', () =>
      Buffer.concat([
        partial(3, Type.command, 1000, Buffer.alloc(128)),
        partial(3, Type.command, 4000, Buffer.alloc(128)),
      ]),
    ),
    chunks('70 chunk streams, each with half a message', () =>
      Buffer.concat(Array.from({ length: 70 }, (_, i) => partial(100 + i, Type.command, 1000, Buffer.alloc(128)))),
    ),
    chunks('a 70000-byte message before publish', () => partial(3, Type.command, 70_000, Buffer.alloc(128))),
    chunks('AMF: 10000 objects in one another', (p) =>
      message(p, {
        type: Type.command,
        body: Buffer.concat([encode('connect', 1), nested(10_000, Buffer.from([3, 0, 1, 0x61]))]),
      }),
    ),
    chunks('AMF: 10000 arrays in one another', (p) =>
      message(p, {
        type: Type.command,
        body: Buffer.concat([encode('connect', 1), nested(10_000, Buffer.from([10, 0, 0, 0, 1]))]),
      }),
    ),
    chunks('AMF: a string past the end', (p) =>
      message(p, { type: Type.command, body: Buffer.from([2, 0xff, 0xff, 0x61]) }),
    ),
    chunks('AMF: an array of 4294967295 members', (p) =>
      message(p, {
        type: Type.command,
        body: Buffer.concat([encode('connect', 1), Buffer.from([10, 0xff, 0xff, 0xff, 0xff])]),
      }),
    ),
    chunks('AMF: a number for a command name', (p) => message(p, command(42, 1))),
    chunks('AMF: an unknown marker', (p) =>
      message(p, { type: Type.command, body: Buffer.concat([encode('connect', 1), Buffer.from([0x7f])]) }),
    ),
    chunks('an empty command', (p) => message(p, { type: Type.command, body: Buffer.alloc(0) })),

    show('a message of an unknown type', (p) => message(p, { type: 99, body: Buffer.alloc(10) }), GOES_ON),
    show('an unknown command', (p) => message(p, command('makeCoffee', 7, null)), GOES_ON),
    show(
      'Abort of a chunk stream that is not there',
      (p) => message(p, { csid: 2, type: Type.abort, body: u32(77) }),
      GOES_ON,
    ),
    show(
      'an acknowledgement window of 1',
      (p) => message(p, { csid: 2, type: Type.windowAckSize, body: u32(1) }),
      GOES_ON,
    ),
    show(
      'a picture of 0 bytes',
      (p) => message(p, { csid: 6, type: Type.video, streamId: p.streamId, timestamp: 900, body: Buffer.alloc(0) }),
      GOES_ON,
    ),
    show(
      'a picture of 1 byte',
      (p) => message(p, { csid: 6, type: Type.video, streamId: p.streamId, timestamp: 900, body: Buffer.from([0x17]) }),
      GOES_ON,
    ),
    show(
      'a codec header of random bytes',
      (p) =>
        message(p, {
          csid: 6,
          type: Type.video,
          streamId: p.streamId,
          timestamp: 900,
          body: Buffer.from('1700000000ffeeddccbbaa', 'hex'),
        }),
      GOES_ON,
    ),
    show(
      'an aggregate whose inner tag is longer than itself',
      (p) => message(p, { type: 22, streamId: p.streamId, body: Buffer.from('09ffffff000000000000000102', 'hex') }),
      CLOSED,
    ),
    show(
      'metadata: a string past the end',
      (p) => message(p, { type: Type.data, streamId: p.streamId, body: Buffer.from([2, 0xff, 0xff, 0x61]) }),
      /closed|goes on/,
    ),
    show(
      'a length that changes in mid-message',
      () =>
        Buffer.concat([
          partial(9, Type.video, 1000, Buffer.alloc(128)),
          partial(9, Type.video, 4000, Buffer.alloc(128)),
        ]),
      CLOSED,
    ),
    show('chunk size 0', (p) => message(p, { csid: 2, type: Type.setChunkSize, body: u32(0) }), CLOSED),
    [
      'in mid-show',
      '16 MiB announced on 50 chunk streams, 128 bytes of each sent',
      async () => {
        const before = daemon.residentKiB;
        const outcome = await inMidShow(await fresh(), tags, () =>
          Buffer.concat(
            Array.from({ length: 50 }, (_, i) => partial(100 + i, Type.video, 0xffffff, Buffer.alloc(128))),
          ),
        );
        const growth = (daemon.residentKiB - before) / 1024;
        assert.ok(daemon.sanitized || growth < 64, `memory grew by ${growth} MiB on a peer's word`);
        return outcome;
      },
      /closed|goes on/,
    ],

    api('no token', 'GET', '', { token: null }, /^401 10000 Authentication error/),
    api('a wrong token', 'GET', '', { token: 'nope' }, /^401 10000 Authentication error/),
    api(
      'an authorization of another kind',
      'GET',
      '',
      { token: null, headers: { authorization: 'Basic Og==' } },
      /^401 10000/,
    ),
    api('another account', 'GET', `//client/v4/accounts/${ABSENT}/stream/live_inputs`, {}, /^403 10000/),
    api('an unknown path', 'GET', '//client/v4/accounts', {}, /^404 7003/),
    api('an unknown input', 'GET', `/${ABSENT}`, {}, /^404 10003/),
    api('an unknown output', 'PUT', (uid) => `/${uid}/outputs/${ABSENT}`, { body: { enabled: true } }, /^404 10003/),
    api('an input id with odd characters', 'GET', '/..%2f..%2fetc', {}, /^40[04] /),
    api('an id of 33 characters', 'GET', `/${ABSENT}0`, {}, /^400 10005/),
    api('a method that is not there', 'PATCH', (uid) => `/${uid}`, { body: {} }, /^405 10005 .*Allow: .*PUT/),
    api('a body that is no JSON', 'POST', '', { body: '{"meta":' }, /^400 10004/),
    api('a body that is an array', 'POST', '', { body: '[1]' }, /^400 10004/),
    api(
      'JSON nested 10000 deep',
      'POST',
      '',
      { body: `{"meta":${'['.repeat(10_000)}${']'.repeat(10_000)}}` },
      /^400 10004/,
    ),
    api('enabled: "yes"', 'POST', '', { body: { enabled: 'yes' } }, /^400 10005 .*at \/enabled/),
    api('meta: "name"', 'POST', '', { body: { meta: 'name' } }, /^400 10005 .*at \/meta/),
    api(
      'recording.mode: "sometimes"',
      'POST',
      '',
      { body: { recording: { mode: 'sometimes' } } },
      /^400 10005 .*at \/recording\/mode/,
    ),
    api(
      'deleteRecordingAfterDays: 29',
      'POST',
      '',
      { body: { deleteRecordingAfterDays: 29 } },
      /^400 10060 .*at \/deleteRecordingAfterDays/,
    ),
    api('a member nobody knows', 'POST', '', { body: { color: 'red' } }, /^200 .*color/),
    api('an output without url', 'POST', outputs, { body: { streamKey: 'k' } }, /^400 10005 .*at \/url/),
    api(
      'an output without streamKey',
      'POST',
      outputs,
      { body: { url: 'rtmp://127.0.0.1/live' } },
      /^400 10005 .*at \/streamKey/,
    ),
    api('a streamKey that is a number', 'POST', outputs, output({ streamKey: 7 }), /^400 10005 .*at \/streamKey/),
    api('an empty streamKey for RTMP', 'POST', outputs, output({ streamKey: '' }), /^400 10005 .*at \/streamKey/),
    api('an http url', 'POST', outputs, output({ url: 'http://127.0.0.1/live' }), /^400 10010 .*at \/url/),
    api('a url without host', 'POST', outputs, output({ url: 'rtmp:///live' }), /^400 10010 .*at \/url/),
    api(
      'a url with port 99999',
      'POST',
      outputs,
      output({ url: 'rtmp://127.0.0.1:99999/live' }),
      /^400 10010 .*at \/url/,
    ),
    api(
      'a url with a line break',
      'POST',
      outputs,
      output({ url: 'rtmp://127.0.0.1/live\r\nx' }),
      /^400 10005 .*at \/url/,
    ),
    api('an empty url', 'POST', outputs, output({ url: '' }), /^400 100(05|10) .*at \/url/),
    api('output enabled: 1', 'POST', outputs, output({ enabled: 1 }), /^400 10005 .*at \/enabled/),
    api('a body of 1 MiB and a byte', 'POST', '', { body: `{"meta":{"x":"${'y'.repeat(1 << 20)}"}}` }, /^413 /),

    wire('what is not HTTP', 'HELLO\r\n\r\n', /^400 /),
    wire('20 KiB of headers', `${head('GET', inputs)}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, /^431 /),
    wire('a negative content length', `${head('POST', inputs)}Content-Length: -5\r\n\r\n`, /^400 /),
    wire('two content lengths', `${head('POST', inputs)}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`, /^400 /),
    wire(
      'content length and chunked together',
      `${head('POST', inputs)}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^400 /,
    ),
    wire('a request that never ends', `${head('POST', inputs)}Content-Length: 10\r\n\r\n{`, /^408 /),

    config('nothing at all (defaults)', '', /^exit 0/),
    config('an unknown key', 'state_dir: /tmp/x\ncolour: red\n', /^exit 2: .*bad\.yaml:2: .*colour/),
    config(
      'an unknown key further in',
      'control:\n  listen: 127.0.0.1:0\n  tokenz: [a]\n',
      /^exit 2: .*bad\.yaml:3: control\.tokenz/,
    ),
    config('no YAML', 'control: {listen: [\n', /^exit 2: .*bad\.yaml:\d+/),
    config('a list where a word belongs', 'state_dir: [a, b]\n', /^exit 2: .*bad\.yaml:1: state_dir/),
    config('a duration without unit', 'stream:\n  hold: 30\n', /^exit 2: .*bad\.yaml:2: stream\.hold/),
    config('a duration in parsecs', 'stream: { hold: 30pc }\n', /^exit 2: .*bad\.yaml:1: stream\.hold/),
    config(
      'a size in apples',
      'egress:\n  queue:\n    bytes: 10apples\n',
      /^exit 2: .*bad\.yaml:3: egress\.queue\.bytes/,
    ),
    config(
      'port 70000',
      'ingest:\n  rtmp: { listen: 127.0.0.1:70000 }\n',
      /^exit 2: .*bad\.yaml:2: ingest\.rtmp\.listen/,
    ),
    config('an address without port', 'control:\n  listen: localhost\n', /^exit 2: .*bad\.yaml:2: control\.listen/),
    config(
      'RTMPS without a certificate',
      'ingest:\n  rtmps: { listen: 127.0.0.1:0 }\n',
      /^exit 2: .*bad\.yaml:2: ingest\.rtmps\S* .*certificate|^exit 2: .*bad\.yaml:2: ingest\.rtmps\.certificate/,
    ),
    config('an account that is no 32 hex digits', 'account: me\n', /^exit 2: .*bad\.yaml:1: account/),
    config('a log level nobody knows', 'log: { level: loud }\n', /^exit 2: .*bad\.yaml:1: log\.level.*(info|warn)/),
    config('a network that is none', 'egress:\n  deny: [10.0.0.0/99]\n', /^exit 2: .*bad\.yaml:2: egress\.deny/),
    config(
      'minus five outputs',
      'limits: { outputs_per_input: -5 }\n',
      /^exit 2: .*bad\.yaml:1: limits\.outputs_per_input/,
    ),
    [
      'config',
      'a certificate file that is not there (at start)',
      async () => {
        const broken = new Daemon({ rtmps: { ...certificates.good, certFile: '/nonexistent/cert.pem' } });
        return broken.launch().then(
          () => 'started',
          (error) => error.message.replaceAll(/\s+/g, ' '),
        );
      },
      /ended with 1: .*\/nonexistent\/cert\.pem/,
    ],
  ];
}
