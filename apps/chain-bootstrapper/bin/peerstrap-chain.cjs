#!/usr/bin/env node
"use strict"
// The build puts the launcher into dist/, so that the package is whole by itself; before it, the repository's own says what is missing.
const built = require("node:path").join(__dirname, "..", "dist", "bin.cjs")
require(require("node:fs").existsSync(built) ? built : "../../../tools/bin.cjs").run(__dirname, "peerstrap-chain")
