import { describe, it } from "@effect/vitest"
import { helpSuite } from "@peerstrap/command-line/testing"
import { program } from "../src/commands/Commands.ts"

describe("help", () => helpSuite(program, it))
