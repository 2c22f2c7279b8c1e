// A receiver of webhooks that notes what comes and answers what the test says.
//
//   const receiver = await WebhookReceiver.listen({ answer: (request, nth) => 200 });
//   receiver.url('/path'), receiver.requests -> [{ path, headers, body, status, at }], oldest first
//   receiver.accepted('output.errored') -> the bodies that were answered with 2xx
//
// answer() gives a status, { status, headers, body }, or 'never' for none at all.
import http from 'node:http';
import https from 'node:https';
import { until } from './until.mjs';

export class WebhookReceiver {
  requests = [];

  /** `tls`: { key, cert }. */
  static async listen({ answer = () => 200, port = 0, tls, host = '127.0.0.1' } = {}) {
    const receiver = new WebhookReceiver();
    Object.assign(receiver, { answer, host, scheme: tls ? 'https' : 'http' });
    const take = (request, response) => receiver.#take(request, response);
    receiver.server = tls ? https.createServer(tls, take) : http.createServer(take);
    receiver.server.on('tlsClientError', () => {});
    await new Promise((resolve, reject) => receiver.server.once('error', reject).listen(port, host, resolve));
    receiver.port = receiver.server.address().port;
    return receiver;
  }

  url(path = '/hook', host = this.host) {
    return `${this.scheme}://${host}:${this.port}${path}`;
  }

  async #take(request, response) {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { method, url: path, headers } = request;
    const verdict = this.answer({ method, path, headers, text }, this.requests.length);
    const status = verdict.status ?? verdict;
    this.requests.push({ method, path, headers, body: JSON.parse(text), status, at: performance.now() });
    if (status === 'never') return;
    response.writeHead(status, verdict.headers ?? {}).end(verdict.body ?? '');
  }

  /** Bodies that were accepted, oldest first; of one event type, or all. */
  accepted(type) {
    return this.requests
      .filter(({ status }) => status >= 200 && status < 300)
      .map(({ body }) => body)
      .filter(({ data }) => !type || data.event_type === type);
  }
  get types() {
    return this.accepted().map(({ data }) => data.event_type);
  }

  async untilAccepted(type, count = 1, options) {
    const all = await until(
      `${count} accepted ${type}`,
      () => {
        const found = this.accepted(type);
        if (found.length >= count) return found;
        throw new Error(`accepted so far: ${this.types.join(' ') || 'none'}`);
      },
      options,
    );
    return all[count - 1];
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
