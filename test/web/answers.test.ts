// What a server or a browser gives in the place of a model or of the module, and what is said of it.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { load, type ModuleSource } from '../../src/web/index.js';
import { checkout } from '../support/guide.js';

const PAGE = '<!doctype html><html><head><title>My app</title></head></html>';
const model = new Uint8Array(readFileSync(join(checkout, 'test/fixtures/models/v3.safetensors')));
const ROWS = 'text,label\nmy invoice is wrong,billing\n';
/** A module of nothing. */
const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

let server: Server;
let site: string;
beforeAll(async () => {
  const pages: Record<string, [status: number, type: string, body: string | Uint8Array]> = {
    '/model.safetensors': [200, 'application/octet-stream', model],
    '/broken.wasm': [200, 'application/wasm', Uint8Array.of(0, 97, 115, 109, 9, 9, 9, 9)],
    '/untyped.wasm': [200, 'text/plain', EMPTY],
    '/typed.wasm': [200, 'application/wasm', EMPTY],
    '/rows.csv': [200, 'text/csv', ROWS],
    '/pointer.safetensors': [200, 'text/plain', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n'],
    '/gone': [404, 'text/html', PAGE],
    '/down': [503, 'text/html', PAGE],
  };
  server = createServer((request, response) => {
    // As the servers of pages with several addresses do, it sends the page for whatever is missing.
    const [status, type, body] = pages[request.url!] ?? [200, 'text/html', PAGE];
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.close();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Code and message of the error of a load. */
async function refusal(source: Parameters<typeof load>[0], options: Parameters<typeof load>[1] = {}) {
  try {
    await load(source, options);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message: message.replaceAll(site, 'SITE') };
  }
  throw new Error('it was loaded');
}

const came =
  '(HTTP status 200, content type text/html), a web page, which many servers send if a file is missing: check the address';
const expected = '; expected a model (.safetensors)';
const before = 'the WebAssembly module of recurra-web cannot be loaded: ';
const advice = '; copy recurra.wasm of the package to this address, or pass its address as the option module';

describe('a model that a server does not have', () => {
  it('is told from a damaged one: by status, type and how the answer begins', async () => {
    const begin = `SITE/none.safetensors begins with ${JSON.stringify(PAGE.slice(0, 40))}`;
    const page = { code: 'INVALID_FILE', message: `the model cannot be read: ${begin} ${came}${expected}` };
    expect(await refusal(`${site}/none.safetensors`, { module: EMPTY })).toEqual(page);
    expect(await refusal(await fetch(`${site}/none.safetensors`), { module: EMPTY })).toEqual(page);
    expect(await refusal(`${site}/pointer.safetensors`, { module: EMPTY })).toEqual({
      code: 'INVALID_FILE',
      message:
        'the model cannot be read: SITE/pointer.safetensors begins with "version https://git-lfs.github.com/spec/" (HTTP status 200, content type text/plain); expected a model (.safetensors)',
    });
    expect((await refusal(new TextEncoder().encode(PAGE), { module: EMPTY })).message).toBe(
      `the model cannot be read: the model begins with ${JSON.stringify(PAGE.slice(0, 40))}${came.replace(/^.*\)/, '')}${expected}`,
    );
    expect(await refusal(`${site}/gone`, { module: EMPTY })).toEqual({
      code: 'FILE_NOT_FOUND',
      message: 'the model cannot be read: SITE/gone: HTTP status 404',
    });
    expect(await refusal(`${site}/down`, { module: EMPTY })).toMatchObject({ code: 'IO' });
  });

  it('is told from a table, by an address and as a file that the user chose', async () => {
    const begin = JSON.stringify(ROWS.slice(0, 40));
    const message = `the model cannot be read: SITE/rows.csv begins with ${begin} (HTTP status 200, content type text/csv)${expected}`;
    expect(await refusal(`${site}/rows.csv`, { module: EMPTY })).toEqual({ code: 'INVALID_FILE', message });
    expect(await refusal(new File([ROWS], 'rows.csv'), { module: EMPTY })).toEqual({
      code: 'INVALID_FILE',
      message: `the model cannot be read: rows.csv begins with ${begin}${expected}`,
    });
  });

  it('is told from what has zeros where a model has, such as another encoding or a compressed file', async () => {
    for (const bytes of [
      Buffer.from(`\ufeff${ROWS}`, 'utf16le'),
      gzipSync(model),
      Buffer.from('PK\x03\x04\x14\0\0\0\b\0'),
    ]) {
      const { code, message } = await refusal(new Uint8Array(bytes), { module: EMPTY });
      expect([code, message]).toEqual([
        'INVALID_FILE',
        expect.stringMatching(/^the model cannot be read: the model begins with ".*; expected a model/),
      ]);
    }
    expect((await refusal(new Uint8Array(8), { module: EMPTY })).message).toContain('is not a model: its header');
  });

  it('says that nobody answers', async () => {
    const { code, message } = await refusal('http://127.0.0.1:1/model.safetensors', { module: EMPTY });
    expect(code).toBe('IO');
    expect(message).toMatch(
      /^the model cannot be read: http:\/\/127\.0\.0\.1:1\/model\.safetensors: fetch failed \(.+\); no server answers, or CORS or a content security policy forbids the request$/,
    );
  });

  it('says that a page which was opened as a file loads none', async () => {
    vi.stubGlobal('process', undefined);
    const { message } = await refusal('file:///site/model.safetensors', { module: EMPTY });
    expect(message).toContain('; browsers load no files by address: serve the page over HTTP, or pass the bytes');
  });
});

describe('a module that does not come, or does not compile', () => {
  const loaded = (module: ModuleSource) => refusal(model, { module });

  it.each([
    ['/none.wasm', 'IO', `SITE/none.wasm begins with ${JSON.stringify(PAGE.slice(0, 40))} ${came}${advice}`],
    ['/gone', 'FILE_NOT_FOUND', `SITE/gone: HTTP status 404${advice}`],
  ])('says of %s what came, and what to do', async (path, code, message) => {
    expect(await loaded(`${site}${path}`)).toEqual({ code, message: `${before}${message}` });
  });

  it('speaks of no address where bytes were given', async () => {
    expect((await loaded(new TextEncoder().encode('hello'))).message).toBe(
      `${before}the module begins with "hello"; the option module takes recurra.wasm of the package`,
    );
  });

  it('is compiled whatever its type, and then is another module', async () => {
    for (const path of ['/untyped.wasm', '/typed.wasm'])
      expect((await loaded(`${site}${path}`)).message).toBe(
        'this is not the WebAssembly module of recurra-web: copy recurra.wasm again from the package of this version',
      );
  });

  it('says that the file is damaged, and speaks of SIMD only where there is none', async () => {
    for (const module of [`${site}/broken.wasm`, Uint8Array.of(0, 97, 115, 109, 9, 9, 9, 9)]) {
      const { code, message } = await loaded(module);
      expect(code).toBe('IO');
      expect(message).toMatch(
        /^the WebAssembly module of recurra-web cannot be loaded: WebAssembly\.compile.*; the file is damaged: install recurra-web again$/,
      );
    }
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect((await loaded(`${site}/broken.wasm`)).message).toMatch(
      /; WebAssembly has no SIMD here, which recurra-web needs \(Chrome 91, Firefox 89, Safari 16\.4\)$/,
    );
  });

  it('says what a content security policy must allow', async () => {
    const message =
      "WebAssembly.compile(): Refused to compile because 'unsafe-eval' is not an allowed source of script";
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new Error(message));
    expect((await loaded(EMPTY)).message).toBe(
      `${before}${message}; a content security policy must allow 'wasm-unsafe-eval' in script-src`,
    );
  });

  it('says that there is no WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(await loaded(EMPTY)).toEqual({
      code: 'IO',
      message: 'recurra-web needs WebAssembly, which is absent or switched off here',
    });
  });
});

it('says what to do with a compressed model', async () => {
  const bytes = new TextDecoder('latin1').decode(model);
  const size = Number(new DataView(model.buffer).getBigUint64(0, true));
  const header = JSON.parse(bytes.slice(8, 8 + size)) as { __metadata__: Record<string, string> };
  header.__metadata__.compression = '{}';
  const text = new TextEncoder().encode(JSON.stringify(header));
  const edited = new Uint8Array(8 + text.length + model.length - 8 - size);
  new DataView(edited.buffer).setBigUint64(0, BigInt(text.length), true);
  edited.set(text, 8);
  edited.set(model.subarray(8 + size), 8 + text.length);
  expect((await refusal(edited, { module: EMPTY })).message).toBe(
    'the model: a model that "recurra compress" made, which recurra-web cannot read; save the model without compressing it',
  );
});
