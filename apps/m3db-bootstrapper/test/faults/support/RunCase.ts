/** One bootstrap under a fault, by the program's own command line, and what has to be true at its end. */
import { assert } from "@effect/vitest"
import type { EvidenceRecord } from "@peerstrap/peer-selection"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { ReportDocument } from "../../../src/bootstrap/ReportDocument.ts"
import { runHere } from "../../support/InProcess.ts"
import { temporaryDirectory } from "../../support/InspectProgram.ts"
import { type FaultCase, isBeyondProof, replayOf } from "./FaultCases.ts"
import { filesetLines } from "./FilesetLines.ts"
import { peerFlags, type Rig, type Suspect } from "./Rig.ts"

/** What a run came to. `document` is its JSON. */
export interface Ended {
  readonly code: number | null
  /** Everything printed, for messages. */
  readonly said: string
  readonly document: ReportDocument
  /** Digest lines of what is on the disk. */
  readonly lines: string
}

/** Silence ends after a moment, and a run that does not end at all fails its test with what it waited for. */
const patience = ["--idle-timeout", "500ms", "--deadline", "30s"]

export const bootstrapHere = Effect.fnUntraced(function*(rig: Rig, suspect: Suspect, ...more: ReadonlyArray<string>) {
  const out = join(yield* temporaryDirectory, "out")
  const flags = [...peerFlags(rig, suspect), ...patience, ...more, "--out", out, "--json"]
  const { code, err, out: printed } = yield* runHere("bootstrap", ...flags)
  const said = err + printed
  assert.include([0, 1, 3], code, said)
  const document = JSON.parse(printed) as ReportDocument
  return { code, said, document, lines: yield* filesetLines(out, rig.namespace) } satisfies Ended as Ended
}, Effect.scoped)

const about = ({ detail, kind, peer, subject }: EvidenceRecord): string => `${peer}: ${kind}, ${subject}, ${detail}`

/** The kinds of proof against C, after a look that there is none against the others. */
export const proofAgainstC = ({ document }: Ended): ReadonlyArray<string> => {
  const proof = document.report.evidence.filter(({ verdict }) => verdict === "peer")
  const unjust = proof.filter(({ peer }) => peer !== "C").map(about)
  assert.deepStrictEqual(unjust, [], "an honest replica is blamed")
  for (const { peer, verdict } of document.peerVerdicts) {
    if (peer !== "C") assert.notStrictEqual(verdict, "at-fault", `${peer} is honest`)
  }
  return [...new Set(proof.map(({ kind }) => kind))].toSorted()
}

/** The first line in which two digests differ. */
const firstDifference = (got: string, want: string): string => {
  const [gotLines, wantLines] = [got.split("\n"), want.split("\n")]
  const at = wantLines.findIndex((line, index) => gotLines[index] !== line)
  return `${gotLines.length} lines where ${wantLines.length} are right; line ${at}: ${gotLines[at]}, right: ${
    wantLines[at]
  }`
}

const assertComplete = ({ code, document, said }: Ended): void => {
  assert.strictEqual(code, 0, said)
  assert.strictEqual(document.report.outcome, "complete")
}

/** Complete, verified, and to the byte what A and B hold. */
export const assertWhole = (rig: Rig, ended: Ended): void => {
  assertComplete(ended)
  const { lines } = ended
  assert.isTrue(lines === rig.truth, lines === rig.truth ? "" : firstDifference(lines, rig.truth))
}

export const assertProofWithin = (allowed: ReadonlyArray<string>, found: ReadonlyArray<string>): void => {
  for (const kind of found) assert.include(allowed, kind, "no proof of this may be found")
}

/** Whether the run went on without what C lists, for reasons of time: then C may not have come to lie. */
export const isUnlisted = ({ document }: Ended): boolean =>
  document.report.unlisted.entries.some(({ peer }) => peer === "C")

/** Points by shard, id, tags and block start. */
const pointCounts = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split("\n").filter((line) => /^\d/.test(line)).map((line) => {
      const columns = line.split("\t")
      return [columns.slice(0, 4).join(" "), Number(columns[4])]
    })
  )

/** Complete and verified: every series-block of A and B and no other, with at least as many points. */
const assertAtLeastWhole = (rig: Rig, ended: Ended): void => {
  assertComplete(ended)
  const [got, want] = [pointCounts(ended.lines), pointCounts(rig.truth)]
  assert.deepStrictEqual([...got.keys()], [...want.keys()])
  for (const [place, points] of want) assert.isAtLeast(got.get(place)!, points, place)
}

const maxRuns = 4

/** One fault from its beginning to what has to be true at its end; a failure comes with its replay. */
export const runFault = (rig: Rig, { behaviour, proof, signs }: FaultCase, file: string) =>
  Effect.gen(function*() {
    const suspect = yield* rig.suspect
    yield* suspect.behave(behaviour)
    for (let run = 1; run <= maxRuns; run++) {
      const ended = yield* bootstrapHere(rig, suspect)
      if (isBeyondProof(behaviour)) assertAtLeastWhole(rig, ended)
      else assertWhole(rig, ended)
      assertProofWithin(proof, proofAgainstC(ended))
      const found = Object.keys(ended.document.report.evidenceCounts["C"] ?? {})
      if (signs.length === 0 || signs.some((sign) => found.includes(sign)) || isUnlisted(ended)) return
    }
    assert.fail(`none of ${signs.join(", ")} in ${maxRuns} runs`)
  }).pipe(Effect.onError(() => Effect.sync(() => console.error(replayOf(file, behaviour)))))
