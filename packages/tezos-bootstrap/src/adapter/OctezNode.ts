/** The few RPCs of an Octez node that applying blocks needs, with what each answer means. */
import { ApplierFailed, type Block, type BlockId, type BlockRef } from "@peerstrap/chain-bootstrap"
import { decodeHash, decodeOperationList, encodeHash, fromHex, Malformed, toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { classifyInjection, type InjectionOutcome, refusalOf, type RpcAnswer } from "../engine/OctezAnswer.ts"
import { agentFor, displayUrl, exchange, type HttpFault } from "./HttpExchange.ts"

export const applierName = "octez-rpc"

const hashBytes = 32

/** `B…` of a block id. */
export const blockText = (id: BlockId): string => encodeHash("block", fromHex(id, hashBytes) as Uint8Array)

export interface OctezNode {
  /** E.g. `the Octez node at http://127.0.0.1:8732/`. */
  readonly place: string
  /** Text of the id of the chain that the node calls `main`. */
  readonly chainId: Effect.Effect<string, ApplierFailed | HttpFault>
  readonly head: Effect.Effect<BlockRef, ApplierFailed | HttpFault>
  /** The block of the node's own chain at a level. */
  blockAt(level: number): Effect.Effect<BlockId | undefined, ApplierFailed | HttpFault>
  /** Whether the node has validated the block, with these very header bytes when they are given. */
  has(id: BlockId, header: Uint8Array | undefined): Effect.Effect<boolean, ApplierFailed | HttpFault>
  /** `force`: also when it is not fitter than the node's head. */
  inject(block: Block, force: boolean): Effect.Effect<InjectionOutcome, HttpFault>
}

export interface OctezNodeOptions {
  /** `http:` or `https:`; RangeError otherwise. */
  readonly url: string
  readonly timeoutMillis: number
}

/** One list of operations a pass. */
const injectionBody = (block: Block): string =>
  JSON.stringify({
    data: toHex(block.header.bytes),
    operations: block.units.map((unit) => {
      const operations = decodeOperationList(unit)
      if (operations instanceof Malformed) {
        throw new RangeError(`operations of ${block.header.id}: ${operations.message}`)
      }
      return operations.map((operation) => ({
        branch: encodeHash("block", operation.subarray(0, hashBytes)),
        data: toHex(operation.subarray(hashBytes))
      }))
    })
  })

const textIn = (answer: RpcAnswer): string | undefined => {
  try {
    const value: unknown = JSON.parse(answer.text)
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}

const levelIn = (answer: RpcAnswer): number | undefined => {
  try {
    const value: unknown = JSON.parse(answer.text)
    const level = typeof value === "object" && value !== null
      ? (value as { readonly level?: unknown }).level
      : undefined
    return typeof level === "number" && Number.isSafeInteger(level) && level >= 0 ? level : undefined
  } catch {
    return undefined
  }
}

const parseUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new RangeError(`the URL of an Octez node begins with http:// or https://, e.g. http://127.0.0.1:8732`)
}

export const makeOctezNode = ({ timeoutMillis, url }: OctezNodeOptions): OctezNode => {
  const base = parseUrl(url)
  const agent = agentFor(base)
  const place = `the Octez node at ${displayUrl(base)}`
  const request = (
    method: "GET" | "POST",
    path: string,
    body?: string,
    maxAnswerBytes: number = TezosLimits.rpcAnswerBytes
  ): Effect.Effect<RpcAnswer, HttpFault> =>
    exchange({
      method,
      url: new URL(`${base.pathname.replace(/\/$/, "")}${path}`, base),
      ...(body === undefined ? {} : { body }),
      timeoutMillis,
      maxAnswerBytes,
      agent
    })

  const strange = (path: string, { status, text }: RpcAnswer): ApplierFailed => {
    const refusal = refusalOf(status, text)
    const remedy = refusal?.kind === "refused" ? refusal.remedy : "see the node's own log"
    return new ApplierFailed({
      applier: applierName,
      message: `${place} answers ${path} with status ${status}: ${remedy}`
    })
  }

  /** A value that `read` finds in an answer of status 200. */
  const get = <A>(
    path: string,
    read: (answer: RpcAnswer) => A | undefined
  ): Effect.Effect<A, ApplierFailed | HttpFault> =>
    Effect.flatMap(request("GET", path), (answer) => {
      const value = answer.status === 200 ? read(answer) : undefined
      return value === undefined ? Effect.fail(strange(path, answer)) : Effect.succeed(value)
    })

  const blockId = (answer: RpcAnswer): BlockId | undefined => {
    const text = textIn(answer)
    const hash = text === undefined ? undefined : decodeHash("block", text)
    return hash instanceof Uint8Array ? toHex(hash) : undefined
  }

  return {
    place,
    chainId: get("/chains/main/chain_id", textIn),
    // The hash first: a head that moves in between is then above what is told, never below.
    head: Effect.gen(function*() {
      const id = yield* get("/chains/main/blocks/head/hash", blockId)
      const level = yield* get(`/chains/main/blocks/${blockText(id)}/header/shell`, levelIn)
      return { id, level }
    }),
    blockAt: (level) =>
      Effect.flatMap(request("GET", `/chains/main/blocks/${level}/hash`), (answer) => {
        const none: BlockId | undefined = undefined
        if (answer.status === 404) return Effect.succeed(none)
        const id = answer.status === 200 ? blockId(answer) : undefined
        return id === undefined ? Effect.fail(strange(`/chains/main/blocks/${level}/hash`, answer)) : Effect.succeed(id)
      }),
    has: (id, header) => {
      const path = `/chains/main/blocks/${blockText(id)}/header/raw`
      return Effect.flatMap(request("GET", path, undefined, TezosLimits.rpcHeaderTextBytes), (answer) => {
        if (answer.status === 404) return Effect.succeed(false)
        if (answer.status !== 200) return Effect.fail(strange(path, answer))
        return Effect.succeed(header === undefined || textIn(answer)?.toLowerCase() === toHex(header))
      })
    },
    inject: (block, force) =>
      Effect.map(
        request("POST", `/injection/block?chain=main${force ? "&force=true" : ""}`, injectionBody(block)),
        (answer) => classifyInjection(answer, blockText(block.header.id))
      )
  }
}
