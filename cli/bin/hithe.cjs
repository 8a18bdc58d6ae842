#!/usr/bin/env node
'use strict';
const { join } = require('node:path');
const { homedir } = require('node:os');

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`hithe: Node.js 20 or later is needed, this is ${process.version}\n`);
  process.exit(1);
}
// In a directory of the user's own: code from a cache that others can write to must not run.
require('node:module').enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hithe'));
require('../dist/main.cjs');
