/** Replicas and proxies as processes: independent ones (`m3peer.py`) where they are at hand, else our own. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { sharedMissing, sharedPath } from "../../tools/shared.ts"
import { heldOfDigest } from "./Held.ts"

export const replicasAreOurs = sharedMissing !== undefined

export interface DataSpec {
  readonly namespace: string
  readonly series: number
  readonly points: number
  readonly shards: number
}

export interface Replica {
  readonly hostPort: string
  readonly port: number
  /** ns. */
  readonly start: string
  readonly end: string
  readonly tell: (command: string) => Promise<Record<string, unknown>>
  readonly kill: () => Promise<void>
}

const source = "--conditions=@peerstrap/source"

const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const commandOf = ({ namespace, points, series, shards }: DataSpec): readonly [string, ReadonlyArray<string>] => {
  const common = ["--namespace", namespace, "--shards", String(shards)]
  if (replicasAreOurs) {
    const own = ["--series", String(series), "--points", String(points), ...common]
    return [process.execPath, [source, scriptOf("EmbeddedReplica.ts"), ...own]]
  }
  // A few hundred different streams are enough for a transfer, and quick to make.
  const made = `series=${series},points=${points},distinct=200,blocks=1,start=1600000000000000000,seed=3`
  // Should nobody be left to end it, it ends by itself.
  const serve = ["serve", "--listen", "127.0.0.1:0", "--generate", made, "--control", "--duration", "7200"]
  return ["python3", [sharedPath("peers/m3peer.py"), ...serve, ...common]]
}

/** Serves until it is killed, at the latest when this process ends. */
export const startReplica = (data: DataSpec, flags: ReadonlyArray<string> = []): Promise<Replica> =>
  new Promise((resolve, reject) => {
    const [program, argv] = commandOf(data)
    const child = spawn(program, [...argv, ...flags], { stdio: ["pipe", "pipe", "inherit"] })
    const end = (): void => void child.kill("SIGKILL")
    process.once("exit", end)
    child.once("error", reject)
    child.once("exit", (code, signal) => {
      process.off("exit", end)
      reject(new Error(`a replica ended with ${code ?? signal}`))
    })
    const waiting: Array<(said: Record<string, unknown>) => void> = []
    let ready = false
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as Record<string, unknown>
      if (ready) return waiting.shift()?.(said)
      ready = true
      const hostPort = String(said["address"])
      resolve({
        hostPort,
        port: Number(hostPort.slice(hostPort.lastIndexOf(":") + 1)),
        start: String(said["start"]),
        end: String(said["end"]),
        tell: (command) =>
          new Promise((answered) => {
            waiting.push(answered)
            child.stdin.write(`${command}\n`)
          }),
        kill: async () => {
          const gone = once(child, "exit")
          if (child.exitCode !== null || child.signalCode !== null) return
          child.kill("SIGKILL")
          await gone
        }
      })
    })
  })

/** A replica together with what it holds, told by itself. */
export const startReplicaWithTruth = async (data: DataSpec, directory: string) => {
  const path = join(directory, `${data.namespace}.tsv`)
  const replica = await startReplica(data, [replicasAreOurs ? "--held" : "--digest", path])
  return { replica, truth: replicasAreOurs ? readFileSync(path, "utf8") : heldOfDigest(path) }
}

/** The address of a proxy in front of the port, with its fault, until this process ends. */
export const startProxy = async (port: number, fault: string): Promise<string> => {
  const child = spawn(process.execPath, [scriptOf("FaultProxy.ts"), String(port), fault], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  // Its standard input closes when we end, and so does it; until then it does not keep us from ending.
  child.unref()
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string]
  return `127.0.0.1:${line}`
}
