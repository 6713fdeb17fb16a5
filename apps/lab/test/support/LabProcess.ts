/** The program as a child process, from its sources; tests wait for its lines and its end. */
import * as Effect from "effect/Effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** Lines of one stream, those that came and those that will come. */
class Lines {
  readonly all: Array<string> = []
  private readonly waiting = new Set<() => void>()
  private ended = false

  constructor(stream: NodeJS.ReadableStream) {
    const wake = () => {
      for (const look of this.waiting) look()
    }
    createInterface({ input: stream }).on("line", (line) => {
      this.all.push(line)
      wake()
    }).on("close", () => {
      this.ended = true
      wake()
    })
  }

  /** The first line that `accept` takes; fails when the stream ends without it. */
  first(accept: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.all.find(accept)
        if (found === undefined && !this.ended) return
        this.waiting.delete(look)
        if (found === undefined) reject(new Error(`the stream ended without the line:\n${this.all.join("\n")}`))
        else resolve(found)
      }
      this.waiting.add(look)
      look()
    })
  }
}

export interface LabEnd {
  readonly code: number | null
  readonly signal: string | null
}

export interface Lab {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly out: Lines
  readonly error: Lines
  readonly ended: Promise<LabEnd>
}

/** Lives as long as the scope. */
export const startLab = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync((): Lab => {
      const child = spawn(process.execPath, ["--conditions=@peerstrap/source", main, ...args], {
        stdio: ["pipe", "pipe", "pipe"]
      })
      const ended = new Promise<LabEnd>((resolve) => child.once("close", (code, signal) => resolve({ code, signal })))
      return { child, out: new Lines(child.stdout), error: new Lines(child.stderr), ended }
    }),
    ({ child, ended }) => Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), Effect.promise(() => ended))
  )

/** Runs it to its end. */
export const runLab = (...args: ReadonlyArray<string>) =>
  startLab(...args).pipe(
    Effect.flatMap((lab) =>
      Effect.map(
        Effect.promise(() => lab.ended),
        ({ code }) => ({ code, out: lab.out.all, error: lab.error.all })
      )
    ),
    Effect.scoped
  )

export interface Ready {
  readonly namespace: string
  readonly shards: number
  readonly blockSize: string
  readonly start: string
  readonly end: string
  readonly replicas: ReadonlyArray<{ readonly id: string; readonly address: string; readonly pid: number }>
  /** Of the demonstration. */
  readonly control: string
  readonly out: string
}

export const readyOf = (lab: Lab) =>
  Effect.promise(async (): Promise<Ready> =>
    JSON.parse(await lab.out.first((line) => line.startsWith("{\"namespace\"")))
  )
