// Reads the daemon's server-sent events (WHATWG HTML, 9.2), as far as it sends them: event and data of one line.
//
//   const events = await EventSource.open(daemon, { input: uid });
//   events.all -> [{ event, data, at }] so far; at: performance.now()
//   events.listen((event) => ...), events.close()
import { until } from './until.mjs';

export class EventSource {
  all = [];
  ended = false;
  #abort = new AbortController();
  #listener;

  static async open(daemon, { input, token = daemon.token } = {}) {
    const source = new EventSource();
    const query = input ? `?input=${input}` : '';
    const path = `/client/v4/accounts/${daemon.account}/stream/events${query}`;
    const response = await fetch(daemon.base + path, {
      headers: { authorization: `Bearer ${token}` },
      signal: source.#abort.signal,
    });
    source.status = response.status;
    source.headers = response.headers;
    if (response.status === 200) source.#read(response.body);
    else source.problem = await response.json();
    return source;
  }

  async #read(body) {
    let text = '';
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#take(text.slice(0, end).split('\n'));
          text = text.slice(end + 2);
        }
      }
    } catch (error) {
      if (error.name !== 'AbortError') this.error = error;
    }
    this.ended = true;
  }

  #take(lines) {
    const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    const event = field('event');
    if (!event) return;
    this.all.push({ event, data: JSON.parse(field('data')), at: performance.now() });
    this.#listener?.(this.all.at(-1));
  }

  /** Calls `listener` with each event, those that have come too. */
  listen(listener) {
    this.#listener = listener;
    this.all.forEach(listener);
  }

  /** The newest event of this kind that `wanted` accepts. */
  last(event, wanted = () => true) {
    return this.all.findLast((one) => one.event === event && wanted(one.data));
  }
  async until(event, wanted, options) {
    return until(`an event ${event}`, () => this.last(event, wanted), options);
  }

  close() {
    this.#abort.abort();
  }
}
