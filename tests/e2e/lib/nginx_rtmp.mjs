// nginx with its RTMP module: a real destination that records what it receives, one FLV file per stream name.
//
//   const nginx = await NginxRtmp.start();
//   nginx.output('name')   -> { url: 'rtmp://127.0.0.1:PORT/live', streamKey: 'name' }
//   nginx.recorded('name') -> the tags so far
//   await nginx.finished('name')  -> the tags, once the broadcast has ended and the file is whole
import { existsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { Child, tempDir } from './cleanup.mjs';
import { readFlv } from './flv.mjs';
import { Hopeless, until } from './until.mjs';

const MODULES = process.env.SIMULCASTD_NGINX_MODULES ?? '/usr/lib/nginx/modules';

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export class NginxRtmp {
  events = []; // { call: 'publish' | 'publish_done' | 'record_done', name }
  deny = () => false;

  /** `deny(name)`: refuse this stream name at publish. `chunkSize`: what nginx announces and sends with. */
  static async start({ chunkSize = 4096, deny } = {}) {
    const nginx = new NginxRtmp();
    if (deny) nginx.deny = deny;
    nginx.folder = tempDir('nginx');
    await nginx.#listenForEvents();
    // The port is free when asked for; should someone take it before nginx does, try another.
    for (let attempt = 0; ; attempt++) {
      nginx.port = await freePort();
      writeFileSync(join(nginx.folder, 'nginx.conf'), nginx.#config(chunkSize));
      nginx.child = new Child('nginx', ['-p', nginx.folder, '-c', join(nginx.folder, 'nginx.conf'), '-e', 'stderr'], {
        env: { PATH: `${process.env.PATH}:/usr/sbin` },
      });
      try {
        await until(
          'nginx to listen',
          async () => {
            if (!nginx.child.running) throw new Hopeless(nginx.child.tail);
            return accepts(nginx.port);
          },
          { timeout: 20_000 },
        );
        return nginx;
      } catch (error) {
        await nginx.child.stop('SIGKILL');
        if (attempt < 4) continue;
        nginx.server.close(); // else it keeps the test process from ending
        throw error;
      }
    }
  }

  async #listenForEvents() {
    this.server = http.createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      const fields = new URLSearchParams(body);
      const call = fields.get('call');
      const name = fields.get('name');
      const refused = call === 'publish' && this.deny(name);
      this.events.push({ call, name, refused });
      response.writeHead(refused ? 403 : 200).end();
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  #config(chunkSize) {
    const hook = `http://127.0.0.1:${this.server.address().port}/`;
    return `
load_module ${MODULES}/ngx_rtmp_module.so;
daemon off;
master_process off;
worker_processes 1;
pid "${this.folder}/nginx.pid";
error_log stderr notice;
events { worker_connections 512; }
rtmp {
  access_log off; # the default is a file that only root may write
  server {
    listen 127.0.0.1:${this.port};
    chunk_size ${chunkSize};
    max_message 16M;
    application live {
      live on;
      record all;
      record_path "${this.folder}";
      record_unique off;
      record_suffix .flv;
      on_publish ${hook};
      on_publish_done ${hook};
      on_record_done ${hook};
    }
  }
}
`;
  }

  output(streamKey) {
    return { url: `rtmp://127.0.0.1:${this.port}/live`, streamKey };
  }

  file(name) {
    return join(this.folder, `${name}.flv`);
  }

  recorded(name) {
    return existsSync(this.file(name)) ? readFlv(this.file(name)) : [];
  }

  count(call, name) {
    return this.events.filter((event) => event.call === call && event.name === name).length;
  }

  async finished(name, { nth = 1, ...options } = {}) {
    await until(`nginx to close its recording of ${name}`, () => this.count('record_done', name) >= nth, options);
    return this.recorded(name);
  }

  async stop() {
    await this.child.stop('SIGTERM', 10_000);
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}
