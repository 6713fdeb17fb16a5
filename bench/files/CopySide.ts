/**
 * The rival of S2: `cp` of a fileset that our side has written, then `sync -d` (fdatasync) of every file of the copy. The source was
 * written moments ago: it comes out of the page cache, as our side's bytes come out of a feeder's memory.
 * Usage: CopySide.ts SOURCE TARGET BYTES COUNT; the target must be absent.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { tell } from "../method/Side.ts"

const [source, target] = process.argv.slice(2, 4) as [string, string]
const [bytes, items] = process.argv.slice(4).map(Number) as [number, number]

/** Hundredths of a second of user and system time that ended children took: fields 16 and 17 of the line. */
const childrenSeconds = (): number => {
  const fields = readFileSync("/proc/self/stat", "latin1").replace(/^.*\) /, "").split(" ")
  return (Number(fields[13]) + Number(fields[14])) / 100
}

const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

const copied = filesOf(source).map((file) => join(target, file.slice(source.length)))
const cpu = childrenSeconds()
const began = process.hrtime.bigint()
execFileSync("cp", ["-r", source, target])
execFileSync("sync", ["-d", ...copied])
const seconds = Number(process.hrtime.bigint() - began) / 1e9
tell({ seconds, cpuSeconds: childrenSeconds() - cpu, bytes, items })
