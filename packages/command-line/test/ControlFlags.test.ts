/** How a command finds a running process. */
import { assert, describe, it } from "@effect/vitest"
import {
  type CheckContext,
  command,
  commandHelp,
  controlFlagsOf,
  ExitCode,
  planControlOf,
  type Problem
} from "@peerstrap/command-line"
import * as Effect from "effect/Effect"

const place = { flag: "work", what: "workplace", directory: "/w", socket: "/s.sock" } as const
const context: CheckContext = { nowNanos: 0n, read: (path) => ({ problem: path }) }

const plan = (settings: { work?: string | undefined; control?: string | undefined }) => {
  const problems: Array<Problem> = []
  return [planControlOf(place)(settings, [], context, (problem) => problems.push(problem)), problems] as const
}

describe("the flags that find a running process", () => {
  it("give the socket: --control, else control.sock in the directory, else it is a problem", () => {
    assert.deepStrictEqual(plan({ work: "/a", control: "/b/c.sock" }), ["/b/c.sock", []])
    assert.deepStrictEqual(plan({ work: "/a", control: undefined }), ["/a/control.sock", []])
    assert.deepStrictEqual(plan({ work: undefined, control: undefined }), ["", [{
      where: "--work",
      message: "is missing: give the run's workplace, e.g. --work /w, or its socket with --control"
    }]])
    assert.deepStrictEqual(
      plan({ control: undefined }),
      ["", []],
      "a --work that was given wrongly is told by its type"
    )
  })

  it("stand in the help in this order", () => {
    const status = command({
      name: "status",
      summary: "s",
      flags: controlFlagsOf(place),
      examples: [],
      run: () => Effect.succeed({ exitCode: ExitCode.done, text: "" })
    })
    const help = commandHelp({ name: "p" }, status).replace(/\s+/g, " ")
    assert.match(help, /--work DIR The --work of the run\..*--control PATH .*control\.sock in --work.*--timeout/)
  })
})
