// What a dynamic library of macOS says of itself: enough of its load commands to check a build.
// Layout: <mach-o/loader.h> and <mach-o/nlist.h> of Apple's SDK.

import { readFileSync } from 'node:fs';

const MAGIC_64 = 0xfeedfacf;
const COMMAND = { symtab: 0x2, loadDylib: 0xc, idDylib: 0xd, buildVersion: 0x32 };
/** `n_type`: a debugging entry, private to the linked image, its section's kind, external. */
const N_STAB = 0xe0;
const N_PEXT = 0x10;
const N_TYPE = 0x0e;
const N_EXT = 0x01;

const textAt = (bytes, at) => bytes.toString('utf8', at, bytes.indexOf(0, at));

/** `xxxx.yy.zz` packed into 32 bits, as `11.0`. */
const version = (packed) => `${packed >>> 16}.${(packed >>> 8) & 0xff}`;

/** The names of the symbols that the file defines for others. */
function exportsOf(bytes, command) {
  const [symbols, count, strings] = [8, 12, 16].map((at) => bytes.readUInt32LE(command + at));
  const names = [];
  for (let i = 0; i < count; i++) {
    const entry = symbols + i * 16;
    const type = bytes[entry + 4];
    if ((type & N_STAB) !== 0 || (type & N_PEXT) !== 0 || (type & N_EXT) === 0 || (type & N_TYPE) === 0) continue;
    names.push(textAt(bytes, strings + bytes.readUInt32LE(entry)));
  }
  return names;
}

/** `{ minimum, installName, needs, exports }`: the oldest macOS, the library's own name, what it links, what it defines for others. */
export function readMachO(file) {
  const bytes = readFileSync(file);
  if (bytes.readUInt32LE(0) !== MAGIC_64) throw new Error(`${file} is no 64-bit library of macOS`);
  const found = { minimum: undefined, installName: undefined, needs: [], exports: [] };
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const [kind, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    const name = () => textAt(bytes, at + bytes.readUInt32LE(at + 8));
    if (kind === COMMAND.loadDylib) found.needs.push(name());
    if (kind === COMMAND.idDylib) found.installName = name();
    if (kind === COMMAND.buildVersion) found.minimum = version(bytes.readUInt32LE(at + 12));
    if (kind === COMMAND.symtab) found.exports = exportsOf(bytes, at);
    at += size;
  }
  return found;
}
