// Runs a command line of the whole program in this process.
import { inProcess } from "@peerstrap/command-line/testing"
import { program } from "../../src/commands/Commands.ts"

export const runHere = inProcess(program)
