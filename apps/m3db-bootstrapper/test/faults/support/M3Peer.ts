/** One process of the independent replica (`m3peer.py serve`), told what to do over its standard input. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { sharedPath } from "../../../../../tools/shared.ts"

export const m3peer = sharedPath("peers/m3peer.py")

export interface M3PeerOptions {
  /** Such as `series=100,points=12`. */
  readonly spec: string
  readonly namespace: string
  readonly numShards: number
  /** Further flags, such as `--damage 3`. */
  readonly flags?: ReadonlyArray<string>
}

export interface M3Peer {
  readonly hostPort: string
  /** ns. */
  readonly start: string
  readonly end: string
  /** Sends a command and waits for its answer; false when the process has gone. */
  readonly tell: (command: string) => Effect.Effect<boolean>
}

/** It takes commands; should nobody be left to end it, it ends by itself. */
const control = ["--control", "--duration", "1800"]

const start = ({ flags = [], namespace, numShards, spec }: M3PeerOptions) =>
  Effect.callback<{ readonly peer: M3Peer; readonly stop: () => void }>((resume) => {
    const argv = ["serve", "--listen", "127.0.0.1:0", "--generate", spec, "--namespace", namespace]
    const child = spawn("python3", [m3peer, ...argv, "--shards", String(numShards), ...control, ...flags])
    child.stderr.on("data", (text: Buffer) => console.error(String(text)))
    const waiting: Array<(answered: boolean) => void> = []
    const gone = (): void => {
      for (const answer of waiting.splice(0)) answer(false)
    }
    child.stdin.on("error", gone)
    child.once("error", (cause) => resume(Effect.die(cause)))
    child.once("exit", (code) => {
      gone()
      resume(Effect.die(new Error(`m3peer.py ended with ${code}`)))
    })
    const tell = (command: string): Effect.Effect<boolean> =>
      Effect.callback<boolean>((answered) => {
        if (child.exitCode !== null || child.signalCode !== null) return answered(Effect.succeed(false))
        waiting.push((ok) => answered(Effect.succeed(ok)))
        child.stdin.write(`${command}\n`)
      })
    let ready = false
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as Record<string, string> & { readonly ok?: boolean }
      if (ready) return waiting.shift()?.(said.ok === true)
      ready = true
      const peer = { hostPort: said["address"]!, start: said["start"]!, end: said["end"]!, tell }
      resume(Effect.succeed({ peer, stop: () => void child.kill() }))
    })
  })

/** Serves until the scope closes. */
export const startM3Peer = (options: M3PeerOptions) =>
  Effect.map(
    Effect.acquireRelease(start(options), ({ stop }) => Effect.sync(stop)),
    ({ peer }) => peer
  )
