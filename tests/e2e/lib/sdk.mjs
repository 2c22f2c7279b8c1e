// The official API client, pointed at the daemon, and short names for what the tests do most.
import Cloudflare from 'cloudflare';
import { judged } from './openapi.mjs';
import { until } from './until.mjs';

// Every answer is judged by openapi.json.
export function sdk(daemon, { token = daemon.token, maxRetries = 0, fetch: send = fetch, ...options } = {}) {
  const baseURL = `${daemon.base}/client/v4`;
  return new Cloudflare({ apiToken: token, baseURL, maxRetries, fetch: judged(send), ...options });
}

/** One live input of a daemon and its outputs, all calls made by the official client. */
export class LiveInput {
  constructor(daemon, client, record) {
    Object.assign(this, { daemon, client, record, uid: record.uid, key: record.rtmp.streamKey });
  }

  static async create(daemon, { client = sdk(daemon), ...fields } = {}) {
    const record = await client.stream.liveInputs.create({
      account_id: daemon.account,
      meta: { name: 'e2e' },
      ...fields,
    });
    return new LiveInput(daemon, client, record);
  }

  /** Where an encoder that takes one URL publishes to. */
  get publishUrl() {
    return `${this.daemon.ingestUrl}/${this.key}`;
  }
  /** The same for RtmpPublisher. */
  get publishTo() {
    return { port: this.daemon.ports.rtmp, key: this.key };
  }

  /** Where an encoder publishes to by SRT, as the peers of srt_peers.mjs take it. */
  get publishSrt() {
    const { streamId, passphrase } = this.record.srt;
    return { url: `srt://127.0.0.1:${this.daemon.srtPort}`, streamid: streamId, passphrase };
  }

  get #outputs() {
    return this.client.stream.liveInputs.outputs;
  }
  get #ids() {
    return { account_id: this.daemon.account, live_input_identifier: this.uid };
  }

  async get() {
    return this.client.stream.liveInputs.get(this.uid, { account_id: this.daemon.account });
  }

  /** `destination`: { url, streamKey } of a sink or nginx. */
  async addOutput(destination, fields = {}) {
    return this.#outputs.create(this.uid, { account_id: this.daemon.account, ...destination, ...fields });
  }

  async update(oid, fields) {
    return this.#outputs.update(oid, { ...this.#ids, ...fields });
  }

  async enable(oid) {
    return this.update(oid, { enabled: true });
  }
  async disable(oid) {
    return this.update(oid, { enabled: false });
  }
  async remove(oid) {
    return this.#outputs.delete(oid, this.#ids);
  }

  async outputs() {
    const all = [];
    for await (const output of this.#outputs.list(this.uid, { account_id: this.daemon.account })) all.push(output);
    return all;
  }

  /** Not part of the original API, so not in its client. */
  async output(oid) {
    const answer = await this.client.get(
      `/accounts/${this.daemon.account}/stream/live_inputs/${this.uid}/outputs/${oid}`,
    );
    return answer.result;
  }

  async untilOutput(oid, state, options) {
    return until(
      `output ${oid} to be ${state}`,
      async () => {
        const output = await this.output(oid);
        if (output.status.state === state) return output;
        throw new Error(`it is ${output.status.state} ${output.status.message ?? ''}`);
      },
      options,
    );
  }

  async untilConnected(connected = true, options) {
    const wanted = connected ? 'connected' : 'disconnected';
    return until(
      `the input to be ${wanted}`,
      async () => {
        const { status } = await this.get();
        return status?.current?.state === wanted && status;
      },
      options,
    );
  }
}
