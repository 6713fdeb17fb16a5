import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import {
  FixedLevel,
  type Level,
  type LevelSource,
  SettableLevel,
  WatchedFileLevel
} from "@peerstrap/consistency-policy"
import {
  controlledLevel,
  LevelPlace,
  levelPlace,
  levelSourceKit,
  levelSourceSuite
} from "@peerstrap/consistency-policy/testing"
import { simulatedRun } from "@peerstrap/simulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const temporaryDirectory = Effect.acquireRelease(
  Effect.promise(() => fs.mkdtemp(join(tmpdir(), "level-file-"))),
  (path) => Effect.promise(() => fs.rm(path, { recursive: true, force: true }))
)

const quietly = Effect.provideService(References.MinimumLogLevel, "None")
/** The clock stands still: a file's changes come by events alone. */
const run = (check: Effect.Effect<void, unknown>): Promise<void> =>
  Effect.runPromise(check.pipe(quietly, Effect.provide(TestClock.layer())))

const inPlace = (path: string, content: string): Promise<void> => fs.writeFile(path, content)

/** As careful programs do it: a whole file is put in the place of the old one. */
const byRename = async (path: string, content: string): Promise<void> => {
  await fs.writeFile(`${path}.new`, content)
  await fs.rename(`${path}.new`, path)
}

const watched = (write: (path: string, content: string) => Promise<void>): Layer.Layer<LevelSource | LevelPlace> =>
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => {
    const path = join(directory, "level")
    const change = (level: Level) => Effect.promise(() => write(path, `${level}\n`))
    return Layer.merge(
      WatchedFileLevel.layer({ path, otherwise: "majority" }),
      Layer.succeed(LevelPlace, levelPlace({ change }))
    )
  }))

const watchedByControl = controlledLevel(
  Layer.unwrap(
    Effect.map(
      temporaryDirectory,
      (directory) => WatchedFileLevel.layer({ path: join(directory, "level"), otherwise: "majority" })
    )
  )
)

const everything = { changes: true, control: true }
const changesOnly = { changes: true, control: false }

describe("the contract of LevelSource", () => {
  const fixed = Layer.merge(FixedLevel.layer("majority"), Layer.succeed(LevelPlace, levelPlace()))
  levelSourceSuite("Fixed", fixed, { capabilities: { changes: false, control: false }, test: it, run })
  const settable = controlledLevel(SettableLevel.layer("majority"))
  levelSourceSuite("Settable", settable, { capabilities: everything, test: it, run })
  for (const seed of [1, 2]) {
    levelSourceSuite(`Settable, simulated with seed ${seed}`, settable, {
      capabilities: everything,
      test: it,
      run: (check) => simulatedRun({ seed })(quietly(check))
    })
  }
  levelSourceSuite("Watched file, written in place", watched(inPlace), { capabilities: changesOnly, test: it, run })
  levelSourceSuite("Watched file, replaced", watched(byRename), { capabilities: changesOnly, test: it, run })
  levelSourceSuite("Watched file, by its control", watchedByControl, { capabilities: everything, test: it, run })
})

describe("the kit of LevelSource", () => mutantSuiteOf(levelSourceKit, it))
