/** Applies by a child process that speaks lines of JSON: any language can be an applier. `docs/command-applier.md` is its protocol. */
import * as Effect from "effect/Effect"
import type { Block, BlockRef } from "../contract/Block.ts"
import type { ApplierFailed, ApplyResult, BlockApplierService } from "../contract/BlockApplier.ts"
import { type ChildOptions, CommandChild } from "./CommandChild.ts"
import {
  applyLine,
  commandProtocol,
  forgetLine,
  moveHeadLine,
  parseAnswer,
  parseHello,
  rollbackLine
} from "./CommandProtocol.ts"

/** The command that is run, and its bounds. */
export type CommandOptions = ChildOptions

const quoted = (line: string): string => JSON.stringify(line.length <= 200 ? line : `${line.slice(0, 200)}…`)

/** Asks about a block; the answer must name it. */
const ask = Effect.fnUntraced(function*(child: CommandChild, line: string, hash: string) {
  const text = yield* child.ask(line)
  const answer = parseAnswer(text)
  if (answer?.hash === hash) return answer
  return yield* yield* child.failed(
    answer === undefined
      ? `answered what is no answer: ${quoted(text)}`
      : `was asked about ${hash} and answered about ${quoted(answer.hash)}`
  )
})

/** Asks for what may not be refused. */
const order = Effect.fnUntraced(function*(child: CommandChild, what: string, line: string, hash: string) {
  const answer = yield* ask(child, line, hash)
  if (answer.kind !== "ok") return yield* yield* child.failed(`refused to ${what} ${hash}: ${answer.reason}`)
})

const applyInOrder = Effect.fnUntraced(function*(
  child: CommandChild,
  blocks: ReadonlyArray<Block>,
  withBodies: boolean,
  done: (block: Block) => void
) {
  for (const [applied, block] of blocks.entries()) {
    const { kind, reason } = yield* ask(child, applyLine(block, withBodies), block.header.id)
    if (kind !== "ok") {
      return { applied, outcome: kind === "invalid" ? "invalid" : "transient", reason } satisfies ApplyResult
    }
    done(block)
  }
  return { applied: blocks.length, outcome: "ok", reason: "" } satisfies ApplyResult
})

/**
 * Starts the command and waits for its hello (30 s). One line is under way at a time, so the child sets the pace; it is stopped with the scope: its input
 * ends, and 5 s later it is killed. Its exit, a line that is no answer or a line above 64 KiB is `ApplierFailed`.
 */
export const command = Effect.fnUntraced(function*(options: CommandOptions) {
  const child = yield* CommandChild.start(options)
  const text = yield* child.hello
  const hello = parseHello(text)
  if (hello === undefined) {
    return yield* yield* child.failed(`began with ${quoted(text)}, expected is {"protocol":"${commandProtocol}"}`)
  }
  let head: BlockRef | undefined = hello.head === undefined
    ? undefined
    : { id: hello.head.hash, level: hello.head.level }
  const moved = (to: BlockRef): Effect.Effect<void> =>
    Effect.sync(() => {
      if (head !== undefined) head = to
    })
  const withBodies = hello.bodies ?? true
  const done = ({ header }: Block): void => {
    if (head?.id === header.parent) head = { id: header.id, level: header.level }
  }
  const service: BlockApplierService = {
    name: hello.name ?? child.name,
    needsBodies: withBodies,
    branches: hello.branches ?? "one",
    get head(): Effect.Effect<BlockRef | undefined, ApplierFailed> {
      return Effect.sync(() => head)
    },
    apply: (blocks) => applyInOrder(child, blocks, withBodies, done),
    rollback: (to) => Effect.andThen(order(child, "roll back to", rollbackLine(to), to.id), moved(to)),
    moveHead: (to) => Effect.andThen(order(child, "move its head to", moveHeadLine(to), to.id), moved(to)),
    forget: (id) => order(child, "forget", forgetLine(id), id)
  }
  return service
})
