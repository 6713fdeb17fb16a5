// Peers of the independent implementation, as a process of their own.
import * as Effect from "effect/Effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { sharedMissing, sharedPath } from "../../../../tools/shared.ts"

export const python = process.env["PEERSTRAP_PYTHON"] ?? "python3"
const program = sharedPath("peers/tezpeer.py")

export const chainFile = (name: string): string => sharedPath(`data/tezos/chains/${name}.json.gz`)

const pythonMissing = (): string | undefined => {
  try {
    execFileSync(python, ["-c", "import nacl"], { stdio: "ignore" })
    return undefined
  } catch {
    return `${python} with PyNaCl was not found: set PEERSTRAP_PYTHON`
  }
}

/** Why these peers cannot run here; undefined when they can. */
export const tezPeerMissing: string | undefined = sharedMissing ?? pythonMissing()

interface Ready {
  readonly addr?: string
  readonly peers?: ReadonlyArray<{ readonly addr: string; readonly peer_id: string; readonly behaviour: string }>
  readonly peer_id?: string
}

export interface TezPeers {
  readonly points: ReadonlyArray<string>
  readonly ids: ReadonlyArray<string>
  /** A command of the control line, e.g. `kill 2`. */
  readonly command: (line: string) => void
  /** Every line that was said so far. */
  readonly lines: ReadonlyArray<Readonly<Record<string, unknown>>>
}

const launch = (argv: ReadonlyArray<string>) =>
  Effect.callback<{ readonly child: ChildProcess; readonly peers: TezPeers }>((resume) => {
    const child = spawn(python, [program, ...argv], { stdio: ["pipe", "pipe", "inherit"] })
    const lines: Array<Readonly<Record<string, unknown>>> = []
    let isReady = false
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as Ready & { readonly ev?: string }
      lines.push(said as never)
      if (isReady || (said.ev !== "listening" && said.ev !== "swarm-ready")) return
      isReady = true
      const all = said.peers ?? [{ addr: said.addr!, peer_id: said.peer_id! }]
      resume(Effect.succeed({
        child,
        peers: {
          points: all.map(({ addr }) => addr),
          ids: all.map(({ peer_id }) => peer_id),
          command: (text) => void child.stdin.write(`${text}\n`),
          lines
        }
      }))
    })
    child.once("exit", (code) => resume(Effect.die(new Error(`tezpeer.py ended with ${code}`))))
  })

/** Lives until the scope closes. */
export const startTezPeers = (...argv: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(launch(argv), ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))),
    ({ peers }) => peers
  )

/** Writes a chain to a file and says what the program tells of it. */
export const makeChain = (path: string, ...argv: ReadonlyArray<string>): void =>
  void execFileSync(python, [program, "make-chain", ...argv, "--out", path], { stdio: ["ignore", "ignore", "inherit"] })
