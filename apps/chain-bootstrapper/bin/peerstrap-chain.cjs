#!/usr/bin/env node
"use strict"
require("../../../tools/bin.cjs").run(__dirname, "peerstrap-chain")
