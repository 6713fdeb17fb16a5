/** The program as a process of its own against faulty replicas; what it leaves is read by tools that share no code with it. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { ReportDocument } from "../../src/bootstrap/ReportDocument.ts"
import { runChild } from "../support/ChildProgram.ts"
import { temporaryDirectory } from "../support/InspectProgram.ts"
import { filesetLines } from "./support/FilesetLines.ts"
import { m3peer } from "./support/M3Peer.ts"
import { peerFlags, type Rig } from "./support/Rig.ts"
import { hasIndependent, onTheRig, sayWhatIsMissing, TheRig } from "./support/Rigs.ts"
import { assertWhole, proofAgainstC } from "./support/RunCase.ts"

const timeout = 60_000

/** Behaviour of C, and whether there is proof against it. */
const cases: ReadonlyArray<readonly [behaviour: string, provable: boolean]> = [
  ["half-open:3000", false],
  ["die-after:6", false],
  ["lie-data:2+lie-checksum:3", true]
]

const python = (...argv: ReadonlyArray<string>): void =>
  void execFileSync("python3", argv, { stdio: ["ignore", "ignore", "inherit"] })

/** By the independent reader where it is there; it also verifies every file. */
const linesOf = (out: string, rig: Rig, directory: string) => {
  if (!hasIndependent) return filesetLines(out, rig.namespace)
  return Effect.sync(() => {
    const got = join(directory, "got.tsv")
    python(m3peer, "digest", out, rig.namespace, "--out", got)
    python(m3peer, "verify", out, rig.namespace, "--num-shards", String(rig.numShards))
    return readFileSync(got, "utf8")
  })
}

const runProcess = Effect.fnUntraced(function*(rig: Rig, behaviour: string, provable: boolean) {
  const directory = yield* temporaryDirectory
  const suspect = yield* rig.suspect
  yield* suspect.behave(behaviour)
  const out = join(directory, "out")
  const flags = [...peerFlags(rig, suspect), "--idle-timeout", "500ms", "--deadline", "30s", "--out", out]
  const { code, err, out: printed } = yield* runChild("bootstrap", ...flags, "--json")
  const said = err + printed
  assert.strictEqual(code, 0, said)
  const document = JSON.parse(printed) as ReportDocument
  const ended = { code, said, document, lines: yield* linesOf(out, rig, directory) }
  assertWhole(rig, ended)
  assert.strictEqual(proofAgainstC(ended).length > 0, provable, said)
  const stored: ReportDocument = JSON.parse(readFileSync(join(out, "peerstrap-report.json"), "utf8"))
  assert.deepStrictEqual(stored.peerVerdicts, document.peerVerdicts)
})

sayWhatIsMissing()

onTheRig("a process against three replicas, one of them", (it) => {
  for (const [behaviour, provable] of cases) {
    it.effect(behaviour, () => Effect.flatMap(TheRig, (rig) => runProcess(rig, behaviour, provable)), timeout)
  }
})
