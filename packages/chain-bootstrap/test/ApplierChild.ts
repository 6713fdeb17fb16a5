/**
 * An applier's process for tests: keeps a tree of blocks and a head, in the file `STATE` if there is one, judges as `VERDICTS` says, and misbehaves as
 * `FAULT` says.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { createInterface } from "node:readline"

interface Place {
  readonly level: number
  readonly hash: string
}
interface Question {
  readonly apply?: Place & { readonly header: string; readonly operations?: ReadonlyArray<string> }
  readonly rollback?: Place
  readonly moveHead?: Place
  readonly forget?: { readonly hash: string }
}

const base = JSON.parse(process.env["BASE"] ?? "{}") as Place
const verdicts = JSON.parse(process.env["VERDICTS"] ?? "{\"invalid\":[],\"retries\":[]}") as {
  readonly invalid: ReadonlyArray<string>
  readonly retries: ReadonlyArray<readonly [string, number]>
}
const retries = new Map(verdicts.retries)
const state = process.env["STATE"]
const kept = state !== undefined && existsSync(state)
  ? JSON.parse(readFileSync(state, "utf8")) as {
    readonly head: Place
    readonly parents: ReadonlyArray<[string, string]>
  }
  : { head: base, parents: [] }
const parents = new Map(kept.parents)
let head = kept.head.hash

const levelOf = (hash: string): number => {
  const parent = parents.get(hash)
  return parent === undefined ? base.level : levelOf(parent) + 1
}

/** Before the answer, as a whole: what was answered for is there after a kill. */
const keep = (): void => {
  if (state === undefined) return
  writeFileSync(`${state}.new`, JSON.stringify({ head: { level: levelOf(head), hash: head }, parents: [...parents] }))
  renameSync(`${state}.new`, state)
}

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

const apply = ({ hash, header }: NonNullable<Question["apply"]>): unknown => {
  const parent = header.slice(8, 72)
  if (parent !== base.hash && !parents.has(parent)) return { retry: hash, reason: "unknown parent" }
  if (verdicts.invalid.includes(hash)) return { invalid: hash, reason: "told so" }
  const left = retries.get(hash) ?? 0
  retries.set(hash, left - 1)
  if (left > 0) return { retry: hash, reason: `${left} more times` }
  parents.set(hash, parent)
  if (parent === head) head = hash
  return { ok: hash }
}

const rollback = ({ hash }: Place): unknown => {
  while (head !== hash) {
    const parent = parents.get(head)
    if (parent === undefined) return { retry: hash, reason: "not below the head" }
    parents.delete(head)
    head = parent
  }
  return { ok: hash }
}

const answer = (question: Question): unknown => {
  if (question.apply !== undefined) return apply(question.apply)
  if (question.rollback !== undefined) return rollback(question.rollback)
  if (question.moveHead !== undefined) {
    head = question.moveHead.hash
    return { ok: head }
  }
  parents.delete(question.forget!.hash)
  return { ok: question.forget!.hash }
}

const faults: Readonly<Record<string, () => void>> = {
  exit: () => {
    console.error("first words")
    console.error("last words")
    process.exitCode = 3
    process.stdin.destroy()
  },
  garbage: () => void process.stdout.write("not json\n"),
  other: () => say({ ok: "00" }),
  long: () => void process.stdout.write("x".repeat(70_000)),
  twice: () => {
    say({ ok: "00" })
    say({ ok: "00" })
  },
  refuse: () => say({ retry: base.hash, reason: "never" })
}

const fault = process.env["FAULT"]
if (fault === "mute") setInterval(() => undefined, 1000)
else if (fault === "rude") say({ protocol: "something-else/1" })
else {
  say({ protocol: "peerstrap-applier/1", name: `child ${process.pid}`, head: kept.head, branches: "many" })
  for await (const line of createInterface({ input: process.stdin })) {
    const bad = fault === undefined ? undefined : faults[fault]
    if (bad === undefined) {
      const said = answer(JSON.parse(line) as Question)
      keep()
      say(said)
    } else bad()
  }
  if (fault === "stays") setInterval(() => undefined, 1000)
}
