// Builds and starts the peer of interop/go, a TChannel node made of the library that real M3DB nodes use.
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"

export const goPeerFolder = resolve(import.meta.dirname, "../../../../interop/go")

/** Enough for a first build that fetches the module and compiles Go's own packages on a busy machine. */
const buildLimitMillis = 180_000

// Turbo hands on only the variables that it is told to, and Go needs a home for its caches.
const environment = { ...process.env, HOME: process.env["HOME"] ?? homedir(), GOTOOLCHAIN: "local", CGO_ENABLED: "0" }

/** The pinned version of the library. */
export const pinnedLibrary = (): string => {
  const pin = /github\.com\/uber\/tchannel-go (v\S+)/.exec(readFileSync(join(goPeerFolder, "go.mod"), "utf8"))
  if (pin === null) throw new Error("go.mod does not name github.com/uber/tchannel-go")
  return pin[1]!
}

const build = (output: string) =>
  new Promise<string | undefined>((done) => {
    const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-o", output, "."]
    const child = spawn("go", args, { cwd: goPeerFolder, env: environment, stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString()
    })
    const limit = setTimeout(() => {
      said += `\nno end after ${buildLimitMillis / 1_000} s`
      child.kill("SIGKILL")
    }, buildLimitMillis)
    child.once("close", (code) => {
      clearTimeout(limit)
      const lines = said.trim().split("\n").filter((line) => !line.startsWith("go: downloading"))
      done(code === 0 ? undefined : `go build failed: ${lines.slice(-2).join("; ")}`)
    })
  })

/** The program, or why it cannot be had. Built once for each state of its sources and each version of Go. */
const findGoPeer = async (): Promise<{ readonly program?: string; readonly missing?: string }> => {
  const version = spawnSync("go", ["version"], { env: environment, encoding: "utf8" })
  if (version.status !== 0) return { missing: "Go is not installed" }
  const hash = createHash("sha256").update(version.stdout)
  for (const name of readdirSync(goPeerFolder).filter((name) => /\.go$|^go\./.test(name)).toSorted()) {
    hash.update(`\n${name}\n`).update(readFileSync(join(goPeerFolder, name)))
  }
  const cache = resolve(goPeerFolder, "../../node_modules/.cache/peerstrap-interop")
  const program = join(cache, `peer-${hash.digest("hex").slice(0, 16)}`)
  if (existsSync(program)) return { program }
  mkdirSync(cache, { recursive: true })
  const fresh = `${program}.${process.pid}`
  const missing = await build(fresh)
  if (missing !== undefined) return { missing }
  renameSync(fresh, program)
  return { program }
}

const found = await findGoPeer()

/** Why the Go peer cannot run here; undefined when it can. */
export const goPeerMissing: string | undefined = found.missing

export interface Cuts {
  readonly arg2: ReadonlyArray<number>
  readonly arg3: ReadonlyArray<number>
}

/** One call that the peer makes. */
export interface GoCall {
  readonly method: string
  readonly service?: string
  readonly arg2?: Uint8Array
  readonly arg3: Uint8Array
  readonly cuts?: Cuts
  readonly timeoutMillis?: number
}

/** What the library made of its answer. `error` is the name of an error's code, empty when an answer came. */
export interface GoResult {
  readonly arg2: Uint8Array
  readonly arg3: Uint8Array
  readonly declared: boolean
  readonly format: string
  readonly error: string
  readonly message: string
}

/** What a method of M3DB's node service is to answer with. */
export interface GoAnswer {
  readonly arg3?: Uint8Array
  readonly declared?: boolean
  readonly error?: string
  readonly message?: string
  readonly silent?: boolean
  readonly cuts?: Cuts
}

export interface GoPeer {
  readonly address: { readonly host: string; readonly port: number }
  /** Makes all calls at once over one connection to `to`. */
  readonly call: (
    to: string,
    checksum: "crc32" | "crc32c",
    calls: ReadonlyArray<GoCall>
  ) => Effect.Effect<ReadonlyArray<GoResult>>
  /** What the server at `to` told in its handshake. Fails when the ping is not answered. */
  readonly ping: (to: string) => Effect.Effect<{ readonly hostPort: string; readonly processName: string }>
  readonly answer: (method: string, answer: GoAnswer) => Effect.Effect<void>
  /** The next line on the peer's standard error, which says what it found wrong. */
  readonly complaint: Effect.Effect<string>
  /** All such lines so far. */
  readonly complaints: () => ReadonlyArray<string>
  /** Ends its standard input; its exit code. */
  readonly end: Effect.Effect<number | null>
}

interface Reply {
  readonly results?: ReadonlyArray<Record<string, unknown>>
  readonly remote?: { readonly hostPort: string; readonly processName: string }
  readonly failed?: string
}

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("base64")
const unbase64 = (text: unknown): Uint8Array => new Uint8Array(Buffer.from(String(text ?? ""), "base64"))

class PeerProcess {
  readonly child = spawn(found.program!, [], { stdio: ["pipe", "pipe", "pipe"] })
  readonly complaints: Array<string> = []
  private readonly replies: Array<(reply: Reply) => void> = []
  private readonly listeners: Array<(line: string) => void> = []

  constructor(ready: (line: { readonly address: string }) => void) {
    const lines = createInterface({ input: this.child.stdout })
    lines.once("line", (line) => {
      lines.on("line", (line) => this.replies.shift()?.(JSON.parse(line) as Reply))
      ready(JSON.parse(line) as { address: string })
    })
    createInterface({ input: this.child.stderr }).on("line", (line) => {
      this.complaints.push(line)
      this.listeners.shift()?.(line)
    })
  }

  readonly complaint: Effect.Effect<string> = Effect.callback((resume) => {
    this.listeners.push((line) => resume(Effect.succeed(line)))
  })

  order(order: object): Effect.Effect<Reply> {
    return Effect.callback<Reply>((resume) => {
      this.replies.push((reply) =>
        resume(reply.failed === undefined ? Effect.succeed(reply) : Effect.die(new Error(`Go peer: ${reply.failed}`)))
      )
      this.child.stdin.write(`${JSON.stringify(order)}\n`)
    })
  }

  readonly end: Effect.Effect<number | null> = Effect.callback((resume) => {
    this.child.once("exit", (code) => resume(Effect.succeed(code)))
    this.child.stdin.end()
  })

  readonly kill: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return resume(Effect.void)
    this.child.once("exit", () => resume(Effect.void))
    this.child.kill("SIGKILL")
  })
}

const wireCall = ({ arg2, arg3, cuts, method, service, timeoutMillis }: GoCall) => ({
  method,
  service,
  arg2: base64(arg2),
  arg3: base64(arg3),
  cuts,
  timeoutMillis: timeoutMillis ?? 30_000
})

const peerOf = (peer: PeerProcess, address: string): GoPeer => ({
  address: { host: address.split(":")[0]!, port: Number(address.split(":")[1]) },
  call: (to, checksum, calls) =>
    Effect.map(
      peer.order({ do: "call", to, checksum, calls: calls.map(wireCall) }),
      ({ results }) =>
        results!.map((result) => ({
          arg2: unbase64(result["arg2"]),
          arg3: unbase64(result["arg3"]),
          declared: result["declared"] === true,
          format: String(result["format"]),
          error: String(result["error"]),
          message: String(result["message"])
        }))
    ),
  ping: (to) => Effect.map(peer.order({ do: "ping", to, checksum: "crc32" }), ({ remote }) => remote!),
  answer: (method, answer) =>
    Effect.asVoid(peer.order({ do: "answer", method, answer: { ...answer, arg3: base64(answer.arg3) } })),
  complaint: peer.complaint,
  complaints: () => peer.complaints,
  end: peer.end
})

/** The peer as a process that ends with the scope. */
export const startGoPeer = Effect.acquireRelease(
  Effect.callback<{ readonly process: PeerProcess; readonly peer: GoPeer }>((resume) => {
    const process: PeerProcess = new PeerProcess(({ address }) =>
      resume(Effect.succeed({ process, peer: peerOf(process, address) }))
    )
  }),
  ({ process }) => process.kill
).pipe(Effect.map(({ peer }) => peer))
