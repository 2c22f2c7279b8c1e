// Whether the daemon's control thread is there: asks /healthz again and again, and notes how long an answer took. What is
// taken for a pause may be the tests' own, never the other way round.
//
//   const pulse = new Pulse(daemon);
//   ...
//   const { longest, answers, resident } = await pulse.stop();     // ms, how many, most KiB of the daemon meanwhile
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export class Pulse {
  #over = false;
  #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  #result = { longest: 0, answers: 0, resident: 0 };

  constructor(daemon) {
    this.daemon = daemon;
    this.done = this.#beat();
  }

  #ask() {
    return new Promise((resolve, reject) => {
      const request = http.get(`${this.daemon.base}/healthz`, { agent: this.#agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', reject);
    });
  }

  async #beat() {
    while (!this.#over) {
      const began = performance.now();
      const status = await this.#ask();
      if (status !== 200) throw new Error(`/healthz answered ${status}`);
      this.#result.longest = Math.max(this.#result.longest, performance.now() - began);
      this.#result.answers += 1;
      this.#result.resident = Math.max(this.#result.resident, this.daemon.residentKiB);
      await delay(20);
    }
  }

  async stop() {
    this.#over = true;
    await this.done;
    this.#agent.destroy();
    return this.#result;
  }
}
