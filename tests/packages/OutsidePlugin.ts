/** A project with a plugin of its own beside the installed apps: replicas are started, and bootstrapped into that plugin's sink. */
import { spawn } from "node:child_process"
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../tidy/Repository.ts"
import { type Outcome, run } from "./Packed.ts"

const program = (project: string, app: string, bin: string): string =>
  join(project, "node_modules", "@peerstrap", app, "bin", `${bin}.cjs`)

interface Replicas {
  readonly start: string
  readonly end: string
  readonly replicas: ReadonlyArray<{ readonly id: string; readonly address: string }>
}

const config = ({ end, replicas, start }: Replicas): string =>
  `bootstrap:
  peer: ${JSON.stringify(replicas.map(({ address, id }) => `${id}=${address}`))}
  namespace: demo
  num-shards: 2
  block-size: 2h
  from: ${start}
  to: ${end}
  out: stored
plugins:
  - use: m3db.sink.lines
    from: ./LineSink.ts
    with: { out: lines }
`

const running = async <A>(project: string, use: (replicas: Replicas) => Promise<A>): Promise<A> => {
  const args = [program(project, "lab", "peerstrap-lab"), "replicas", "--series", "100", "--shards", "2", "--json"]
  const lab = spawn(process.execPath, args, { cwd: project, stdio: ["ignore", "pipe", "pipe"] })
  const ended = new Promise<never>((_, reject) => {
    let said = ""
    lab.stderr.on("data", (chunk) => said += chunk)
    lab.on("exit", (code) => reject(new Error(`peerstrap-lab replicas ended with ${code}\n${said}`)))
  })
  try {
    const first = new Promise<string>((resolve) => {
      let text = ""
      lab.stdout.on("data", (chunk) => {
        text += chunk
        if (text.includes("\n")) resolve(text)
      })
    })
    return await use(JSON.parse(await Promise.race([first, ended])))
  } finally {
    const gone = ended.catch(() => undefined)
    lab.kill("SIGTERM")
    await gone
  }
}

/** How `plugins validate` and `bootstrap` end, and the lines that the sink wrote. */
export const bootstrapIntoOwnSink = (project: string): Promise<{
  readonly validated: Outcome
  readonly bootstrapped: Outcome
  readonly lines: number
}> =>
  running(project, async (replicas) => {
    cpSync(join(root, "examples", "04-own-sink", "LineSink.ts"), join(project, "LineSink.ts"))
    writeFileSync(join(project, "run.yaml"), config(replicas))
    const app = program(project, "m3db-bootstrapper", "peerstrap-m3db")
    const validated = await run(process.execPath, [app, "plugins", "validate", "run.yaml"], project)
    const bootstrapped = await run(process.execPath, [app, "bootstrap", "--config", "run.yaml"], project)
    const lines = bootstrapped.code !== 0 ? 0 : readdirSync(join(project, "lines"))
      .reduce((sum, name) => sum + readFileSync(join(project, "lines", name), "utf8").split("\n").length - 1, 0)
    return { validated, bootstrapped, lines }
  })
