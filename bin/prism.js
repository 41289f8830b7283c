#!/usr/bin/env node
// The command `prism`; everything it does is in cli/main.ts, compiled to dist/ by `npm ci` (script `prepare`).
import { main } from '../dist/cli/main.js';

process.exitCode = await main(process.argv.slice(2));
