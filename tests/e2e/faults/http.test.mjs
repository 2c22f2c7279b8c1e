// Strangers at the API: without a token, from a web page, slowly, by the thousand, and between the lines of HTTP.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { goodScene } from '../lib/destinations.mjs';
import { FULL, faultLine, timed } from '../lib/fault_line.mjs';
import { RawHttp, converse } from '../lib/raw_http.mjs';
import { until } from '../lib/until.mjs';

const REQUEST_TIMEOUT = 15_000; // control/http/server.hpp
const IDLE = FULL ? 1000 : 200;
const CONNECTIONS = 1024; // as many as the API holds

const EVIL = 'https://evil.example';

const is4xx = (status) => status >= 400 && status < 500;

/**
 * Requests of which two servers may see different ends, each with the token and another request behind it. Were one of
 * them understood, the first or the second answer would not be a refusal.
 */
function smuggled(list, token) {
  const second = `GET ${list} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
  const post = (headers, body, { target = list, version = '1.1' } = {}) =>
    `POST ${target} HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n${headers}\r\n${body}${second}`;
  const chunked = (body) => post('Transfer-Encoding: chunked\r\n', body);
  const encoding = (header) => post(`${header}\r\n`, '0\r\n\r\n');
  const both = (header) => post(`Content-Length: 5\r\n${header}\r\n`, '0\r\n\r\n');
  const length = (value) => post(`Content-Length: ${value}\r\n`, '{}');
  return {
    'length, then chunked': both('Transfer-Encoding: chunked'),
    'chunked, then length': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'length and an unknown encoding': both('Transfer-Encoding: xchunked'),
    'length and a folded encoding': both('Transfer-Encoding:\r\n chunked'),
    'length and an encoding behind a space': both('Transfer-Encoding : chunked'),
    'length and an encoding behind a line feed': both('X: y\nTransfer-Encoding: chunked'),
    'length and an encoding behind a carriage return': both('X: y\rTransfer-Encoding: chunked'),
    'length and an encoding with a vertical tab': both('Transfer-Encoding:\x0bchunked'),
    'length and an encoding behind a NUL': both('X: \0\r\nTransfer-Encoding: chunked'),
    'two encodings': encoding('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    'two encodings in a list': encoding('Transfer-Encoding: chunked, chunked'),
    'chunked, then identity': encoding('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
    'identity, then chunked': encoding('Transfer-Encoding: identity, chunked'),
    'encoding in quotes': encoding('Transfer-Encoding: "chunked"'),
    'encoding in HTTP/1.0': post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', { version: '1.0' }),
    'two lengths': post('Content-Length: 2\r\nContent-Length: 0\r\n', '{}'),
    'two lengths, equal': post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'),
    'two lengths in a list': length('2, 0'),
    'two lengths in a list, equal': length('2, 2'),
    'length with a sign': length('+2'),
    'length below zero': length('-2'),
    'length in hex': length('0x2'),
    'length with a space in it': length('0 2'),
    'length without digits': length(''),
    'length beyond 64 bits': length('18446744073709551618'),
    'folded length': length('\r\n 2'),
    'folded header': post('X: y\r\n Content-Length: 2\r\n', ''),
    'folded by a tab': post('X: y\r\n\tz\r\n', ''),
    'first header behind a space': `GET ${list} HTTP/1.1\r\n Host: x\r\n${second.slice(second.indexOf('Host'))}${second}`,
    'header without a name': post(': y\r\n', ''),
    'header without a colon': post('X\r\n', ''),
    'two hosts': post('Host: y\r\n', ''),
    'no host': `GET ${list} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n\r\n${second}`,
    'chunk size in C': chunked('0x2\r\n{}\r\n0\r\n\r\n'),
    'chunk size with a sign': chunked('+2\r\n{}\r\n0\r\n\r\n'),
    'chunk size below zero': chunked('-1\r\n{}\r\n0\r\n\r\n'),
    'chunk size behind a space': chunked(' 2\r\n{}\r\n0\r\n\r\n'),
    'chunk size beyond 64 bits': chunked('10000000000000002\r\n{}\r\n0\r\n\r\n'),
    'chunk size of nothing': chunked('\r\n{}\r\n0\r\n\r\n'),
    'chunk size ended by a line feed': chunked('2\n{}\r\n0\r\n\r\n'),
    'chunk extension ended by a line feed': chunked('2;x\n{}\r\n0\r\n\r\n'),
    'chunk longer than its size': chunked('2\r\n{}}\r\n0\r\n\r\n'),
    'chunk without its end': chunked('2\r\n{}0\r\n\r\n'),
    'lines ended by line feeds': `GET ${list} HTTP/1.1\nHost: x\nAuthorization: Bearer ${token}\n\n${second}`,
    'HTTP/0.9': `GET ${list}\r\n\r\n${second}`,
    'HTTP/1.10': `GET ${list} HTTP/1.10\r\nHost: x\r\n\r\n${second}`,
    'HTTP/2.0': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${second}`,
    'a target with a space': post('', '', { target: `${list} x` }),
    'a target with a NUL': post('', '', { target: `${list}\0` }),
  };
}

/** What a web page can make its visitor's browser send to the daemon: nothing in it is the page's to read. */
function fromWebPages(list, host) {
  const page = `Host: ${host}\r\nOrigin: ${EVIL}\r\nReferer: ${EVIL}/\r\nCookie: token=x\r\nConnection: close\r\n`;
  const get = (headers) => `GET ${list} HTTP/1.1\r\n${page}${headers}\r\n`;
  const post = (type, body, query = '') =>
    `POST ${list}${query} HTTP/1.1\r\n${page}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const json = JSON.stringify({ meta: { name: 'from a web page' } });
  const file = `--b\r\nContent-Disposition: form-data; name="meta"\r\n\r\n{}\r\n--b--\r\n`;
  return {
    form: post('application/x-www-form-urlencoded', 'meta=%7B%7D'),
    'form of plain text that is JSON': post('text/plain', json),
    'form with a file': post('multipart/form-data; boundary=b', file),
    beacon: post('text/plain;charset=UTF-8', json),
    'method in the query': post('text/plain', '', '?_method=DELETE'),
    picture: get('Sec-Fetch-Dest: image\r\n'),
    'name and password in the URL': get(`Authorization: Basic ${Buffer.from('admin:admin').toString('base64')}\r\n`),
    WebSocket: get('Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'),
  };
}

faultLine('S9', 'HTTP: no token, web pages, large, slow, idle, and smuggled requests', { quick: true }, async (t, line) => {
  const { daemon, input, finish } = await goodScene(t);
  const port = daemon.ports.api;
  const base = `/client/v4/accounts/${daemon.account}/stream/live_inputs`;
  const { token } = daemon;
  const seen = new Set(); // every status that was answered
  const ask = async (bytes) => {
    const answers = await converse(port, bytes);
    answers.forEach(({ status }) => seen.add(status));
    return answers;
  };
  const inputs = async () => (await daemon.request('GET', '')).json.result.total;
  assert.equal(await inputs(), 1);

  // Without a token, or with one that is nearly right, and in places where none is looked for.
  const near = `${token.slice(0, -1)}${token.at(-1) === '0' ? '1' : '0'}`;
  const credentials = [
    '',
    `Authorization: Bearer ${near}`,
    'Authorization: Bearer',
    `Authorization: Bearer ${token}x`,
    `Authorization: Bearer ${token.toUpperCase()}`,
    `Authorization: Bearer ${' '.repeat(8000)}x`,
    `Authorization: Basic ${token}`,
    `Authorization: ${token}`,
    `X-Auth-Key: ${token}`,
    `Cookie: token=${token}`,
    'X-Forwarded-For: 127.0.0.1',
    'X-Original-URL: /healthz',
  ];
  const calls = [
    ['GET', ''],
    ['POST', ''],
    ['GET', `?token=${token}&access_token=${token}`],
    ['PUT', `/${input.uid}`],
    ['PATCH', `/${input.uid}`],
    ['DELETE', `/${input.uid}`],
    ['GET', `/${input.uid}/outputs`],
    ['DELETE', `/${input.uid}/lifecycle/..`],
    ['GET', '/../live_inputs'],
    ['GET', '/%2e%2e/live_inputs'],
  ];
  let admitted = 0;
  for (const given of credentials) {
    const headers = `Host: x\r\n${given && `${given}\r\n`}Content-Length: 2\r\nConnection: close\r\n`;
    for (const [method, path] of calls) {
      const answers = await ask(`${method} ${base}${path} HTTP/1.1\r\n${headers}\r\n{}`);
      if (answers.length !== 1 || !is4xx(answers[0].status)) admitted += 1;
    }
  }
  line.exactly('calls without a token that were answered', admitted, 0);

  // Web pages: with the API's own name, and one that was made to lead here (DNS rebinding).
  let read = 0;
  for (const host of [`127.0.0.1:${port}`, 'localhost', 'evil.example', `evil.example:${port}`, '169.254.169.254']) {
    for (const [what, bytes] of Object.entries(fromWebPages(base, host))) {
      const [{ status, headers }] = await ask(bytes);
      assert.ok(is4xx(status), `${what} at ${host}: ${status}`);
      // What would let a page read the answer, or have the browser keep something to send by itself next time.
      if (Object.keys(headers).some((name) => /^access-control-|^set-cookie$|^www-authenticate$/.test(name))) read += 1;
    }
    const asks = 'Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n';
    const [{ headers }] = await ask(
      `OPTIONS ${base} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${EVIL}\r\n${asks}Connection: close\r\n\r\n`,
    );
    if (Object.keys(headers).some((name) => name.startsWith('access-control-'))) read += 1;
  }
  line.exactly('answers that a browser would show to a foreign page', read, 0);

  // Two servers, two readings.
  const understood = [];
  for (const [what, bytes] of Object.entries(smuggled(base, token))) {
    const statuses = await ask(bytes).then(
      (answers) => answers.map(({ status }) => status),
      () => ['left open'],
    );
    // 408: it waited for more.
    if (statuses.length > 1 || !is4xx(statuses[0] ?? 400) || statuses[0] === 408) understood.push(`${what}: ${statuses}`);
  }
  line.exactly('requests with two readings that were understood', understood.join('; '), '');
  // One reading: both are answered, in their order; and what comes behind a body adds no header.
  const pair = `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET ${base} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  line.exactly('two requests at once', (await ask(pair)).map(({ status }) => status).join(), '200,401');
  const chunked = `POST ${base} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const trailer = `2\r\n{}\r\n0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  line.exactly('a token behind the body', (await ask(chunked + trailer)).map(({ status }) => status).join(), '401');

  // A megabyte.
  const mega = 'x'.repeat(1 << 20);
  const large = {
    'a header of 1 MB': `GET ${base} HTTP/1.1\r\nHost: x\r\nX-Long: ${mega}\r\n\r\n`,
    'a name of 1 MB': `GET ${base} HTTP/1.1\r\nHost: x\r\n${mega}: y\r\n\r\n`,
    'a target of 1 MB': `GET /${mega} HTTP/1.1\r\nHost: x\r\n\r\n`,
    'a token of 1 MB': `GET ${base} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${mega}\r\n\r\n`,
    '1 MB of headers': `GET ${base} HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(180_000)}\r\n`,
  };
  const resident = daemon.residentKiB;
  for (const [what, bytes] of Object.entries(large)) {
    line.exactly(what, (await ask(bytes)).map(({ status }) => status).join(), '431');
  }
  const [many] = await ask(`${chunked}2;${mega}\r\n{}\r\n0\r\n\r\n`);
  line.exactly('a chunk extension of 1 MB', is4xx(many.status), true);
  const [body] = await ask(`POST ${base} HTTP/1.1\r\nHost: x\r\nContent-Length: ${2 << 20}\r\n\r\n${mega}${mega}`);
  line.exactly('a body of 2 MB', body.status, 413);
  if (!daemon.sanitized) line.atMost('memory for all of that', daemon.residentKiB - resident, 8 * 1024, 'KiB');

  // Idle ones, half of which have been answered once; then more than there is room for.
  const idle = [];
  t.after(() => idle.forEach(({ socket }) => socket.destroy()));
  const more = (count) => {
    for (let i = 0; i < count; i++) {
      const one = new RawHttp(port);
      one.asks = idle.length % 2 === 0;
      if (one.asks) one.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      idle.push(one);
    }
    return until('all of them to be there', () =>
      idle.every(({ asks, answered, openedAt, closedAt }) => closedAt || (asks ? answered : openedAt)),
    );
  };
  const before = daemon.residentKiB;
  await more(IDLE);
  if (!daemon.sanitized) line.atMost('memory for an idle connection', (daemon.residentKiB - before) / IDLE, 32, 'KiB');
  line.exactly(`closed of ${IDLE} idle ones`, idle.filter(({ closedAt }) => closedAt).length, 0);
  const began = performance.now();
  line.exactly('the API beside them', await inputs(), 1);
  line.atMost('the API beside them: answered after', performance.now() - began, timed(1000), 'ms');

  if (FULL) {
    await more(2 * CONNECTIONS - IDLE);
    const full = performance.now();
    line.exactly(`the API beside ${idle.length} idle ones`, await inputs(), 1);
    line.atMost(`the API beside ${idle.length} idle ones: answered after`, performance.now() - full, 1000, 'ms');
    idle.forEach(({ answers }) => answers.forEach(({ status }) => seen.add(status)));
    idle.splice(0).forEach(({ socket }) => socket.destroy());

    // A byte at a time.
    const post = `POST ${base} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
    const slow = {
      'a slow header': [`GET ${base} HTTP/1.1\r\nHost: x\r\nX: `, 'y'],
      'a slow body': [`${post}Content-Length: 10000\r\n\r\n`, ' '],
      'slow chunks': [`${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
      silence: ['', ''],
    };
    await Promise.all(
      Object.entries(slow).map(async ([what, [head, drop]]) => {
        const one = new RawHttp(port);
        t.after(() => one.socket.destroy());
        one.socket.write(head);
        const since = performance.now();
        while (!one.answered && !one.closedAt && performance.now() - since < 2 * REQUEST_TIMEOUT) {
          if (drop) one.socket.write(drop);
          await delay(100);
        }
        const after = performance.now() - since;
        const answers = await one.closed();
        answers.forEach(({ status }) => seen.add(status));
        line.exactly(`${what}: answered`, answers.map(({ status }) => status).join(), '408');
        line.atMost(`${what}: answered after`, after, REQUEST_TIMEOUT + 1000, 'ms');
      }),
    );
  }

  line.exactly('answers of 5xx', [...seen].filter((status) => status >= 500).join(), '');
  line.exactly('inputs made or deleted by all of that', (await inputs()) - 1, 0);
  assert.equal((await daemon.request('GET', '', { token: near })).status, 401);
  await finish(line);
});
