// Runs the program as a process of its own.
import { childProgram } from "@peerstrap/command-line/testing"
import { join } from "node:path"

export const { runChild, startChild } = childProgram(join(import.meta.dirname, "../../src/main.ts"))
