// A Python package index on this machine with the three tiny wheels, which can be told to behave badly.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { torchWheelName, writeWheels } from '../setup/wheels.js';

/** How the index behaves; may be changed while it runs. */
export interface Behaviour {
  /** Answer in HTML, as an old index. */
  html?: boolean;
  /** The sum that is listed for torch's wheel, in place of the true one. */
  sha256?: string;
  /** Cut the connection after so many bytes of torch's wheel, so many times. */
  cut?: { after: number; times: number };
  /** Answer a range with the whole file. */
  noRanges?: boolean;
  /** Wait so long before a file is sent, ms. */
  delay?: number;
}

export class Index {
  readonly behaviour: Behaviour = {};
  /** `GET /path` and, where there was one, its range. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #files = new Map<string, Buffer>();

  constructor(folder: string) {
    writeWheels(folder);
    for (const name of readdirSync(folder)) this.#files.set(name, readFileSync(join(folder, name)));
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/simple/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The files that were asked for, each with its range. */
  fetched(): string[] {
    return this.requests.filter((line) => line.includes('.whl'));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A proxy is asked for the whole address.
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const { range } = request.headers;
    this.requests.push(`${path}${range ? ` ${range}` : ''}`);
    const [, kind, name = ''] = path.split('/');
    if (kind === 'files') setTimeout(() => this.#file(name, range, response), this.behaviour.delay ?? 0);
    else this.#list(name, response);
  }

  #list(project: string, response: ServerResponse): void {
    const prefix = `${project.replaceAll('-', '_')}-`;
    const files = [...this.#files].filter(([name]) => name.startsWith(prefix));
    if (files.length === 0) {
      response.writeHead(404).end('no such project');
      return;
    }
    const { html, sha256 } = this.behaviour;
    const list = files.map(([filename, content]) => ({
      filename,
      url: `../../files/${filename}`,
      size: content.length,
      hashes: {
        sha256: (filename === torchWheelName && sha256) || createHash('sha256').update(content).digest('hex'),
      },
    }));
    if (html) {
      const links = list.map((file) => `<a href="${file.url}#sha256=${file.hashes.sha256}">${file.filename}</a><br/>`);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<html>${links.join('\n')}</html>`);
    } else {
      response.writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' });
      response.end(JSON.stringify({ meta: { 'api-version': '1.0' }, name: project, files: list }));
    }
  }

  #file(name: string, range: string | undefined, response: ServerResponse): void {
    const content = this.#files.get(name);
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    const from = range && !this.behaviour.noRanges ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0;
    const rest = content.subarray(from);
    const headers = { 'content-length': rest.length };
    if (from > 0)
      response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
    else response.writeHead(200, headers);
    const { cut } = this.behaviour;
    if (cut && cut.times > 0 && name === torchWheelName) {
      cut.times--;
      response.write(rest.subarray(0, cut.after), () => setTimeout(() => response.destroy(), 50));
    } else response.end(rest);
  }
}
