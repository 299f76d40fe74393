import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';

const TYPES: Record<string, string> = {
  css: 'text/css',
  js: 'text/javascript',
  wasm: 'application/wasm',
  html: 'text/html',
};

/** Serves a folder as a strict site does: nothing but its own files, and no evaluation of code but WebAssembly's. */
export function strictSite(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url!.slice(1);
    try {
      const body = readFileSync(join(folder, path));
      response.writeHead(200, {
        'content-type': TYPES[path.split('.').at(-1)!] ?? 'application/octet-stream',
        'content-security-policy': "default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval'",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
