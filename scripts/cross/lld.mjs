#!/usr/bin/env node
// Rust's own linker as that of macOS. The build script of napi passes an argument for a C compiler in front of it, which is dropped here.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const { RECURRA_LLD_FOLDER: folder = '' } = process.env;
const given = process.argv.slice(2).filter((argument) => argument !== '-Wl');
const args = given[0] === '-flavor' ? given : ['-flavor', 'darwin', ...given];
const { status, error } = spawnSync(join(folder, 'rust-lld'), args, { stdio: 'inherit' });
if (error) process.stderr.write(`rust-lld could not be started: ${error.message}\n`);
process.exitCode = status ?? 1;
