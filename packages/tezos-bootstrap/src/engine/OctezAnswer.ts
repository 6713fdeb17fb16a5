/**
 * What an Octez node's answer to an injected block means (specs: chain bootstrap 7.2). The node reports failures of its own and verdicts over
 * a block alike as status 500 with a list of errors: only the error that names this very block as invalid is a verdict.
 */

export type InjectionOutcome =
  | { readonly kind: "applied" }
  /** The node says that it has the block, in an error. To be checked. */
  | { readonly kind: "known" }
  /** Not fitter than the node's head: a block of another branch, or one that the node has. */
  | { readonly kind: "unfit"; readonly reason: string }
  | { readonly kind: "unknown-predecessor"; readonly reason: string }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "transient"; readonly reason: string }
  /** Nothing that waiting would cure. `remedy` says what would. */
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string }

/** What a node answered over HTTP. */
export interface RpcAnswer {
  readonly status: number
  readonly text: string
}

interface NodeError {
  readonly id: string
  readonly kind: string
  readonly text: string
  readonly block: string | undefined
}

const shownCharacters = 400
const brief = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim()
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line
}

const textIn = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/** The errors of a trace; undefined when the text is none. */
const traceOf = (text: string): ReadonlyArray<NodeError> | undefined => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(parsed)) return undefined
  return parsed.filter((each): each is Record<string, unknown> => typeof each === "object" && each !== null).map((
    each
  ) => ({
    id: textIn(each["id"]) ?? "",
    kind: textIn(each["kind"]) ?? "",
    text: textIn(each["msg"]) ?? textIn(each["error"]) ?? "",
    block: textIn(each["invalid_block"]) ?? textIn(each["block"])
  }))
}

const describe = (errors: ReadonlyArray<NodeError>): string =>
  brief(errors.map(({ id, text }) => text === "" ? id : `${id}: ${text}`).join("; "))

const isVerdict = ({ id }: NodeError): boolean =>
  id.endsWith("validator.invalid_block") || id.endsWith("validator.inconsistent_operations_hash")

const classifyTrace = (errors: ReadonlyArray<NodeError>, block: string): InjectionOutcome => {
  const verdict = errors.find((each) => isVerdict(each) && each.block === block)
  if (verdict !== undefined) return { kind: "invalid", reason: describe(errors) }
  if (errors.some(({ id, text }) => /unknown[ _]predecessor/i.test(`${id} ${text}`))) {
    return { kind: "unknown-predecessor", reason: describe(errors) }
  }
  if (errors.some(({ text }) => /fitness too low/i.test(text))) return { kind: "unfit", reason: describe(errors) }
  if (errors.some(({ id }) => id.endsWith("checkpoint_error"))) {
    return {
      kind: "refused",
      reason: describe(errors),
      remedy:
        "the block is not on the chain that the node holds for final: check which of the two is right, then start the node from a snapshot of "
        + "that chain, or the run from a trusted block of it"
    }
  }
  if (errors.some(({ id, text }) => /already[ _]|known[ _]block/i.test(`${id} ${text}`))) return { kind: "known" }
  if (errors.some(({ text }) => /cannot parse block header/i.test(text))) {
    return { kind: "invalid", reason: describe(errors) }
  }
  return { kind: "transient", reason: describe(errors) }
}

/** `block`: text of the block's hash. */
export const classifyInjection = ({ status, text }: RpcAnswer, block: string): InjectionOutcome => {
  if (status === 200) {
    return text.trim() === JSON.stringify(block)
      ? { kind: "applied" }
      : { kind: "transient", reason: `the node answered ${brief(text)} instead of the block's hash ${block}` }
  }
  const refusal = refusalOf(status, text)
  if (refusal !== undefined) return refusal
  const errors = traceOf(text)
  return errors === undefined || errors.length === 0
    ? { kind: "transient", reason: `status ${status}: ${brief(text)}` }
    : classifyTrace(errors, block)
}

/** What a status says whatever was asked; undefined: nothing, or that the body decides. */
export const refusalOf = (
  status: number,
  text: string
): (InjectionOutcome & { readonly kind: "refused" | "transient" }) | undefined => {
  const refused = (remedy: string) => ({ kind: "refused", reason: `status ${status}: ${brief(text)}`, remedy }) as const
  switch (status) {
    case 401:
    case 403:
      return refused(
        "let this address use the RPC: start the node with --allow-all-rpc for it, use a local address, or give the URL of the node itself"
      )
    case 404:
    case 405:
    case 410:
      return refused("check the URL: it must be that of an Octez node's RPC (often http://127.0.0.1:8732)")
    case 413:
      return refused(
        "a proxy before the node limits the size of requests: raise it above 16 MiB or go to the node itself"
      )
    case 408:
    case 429:
      return { kind: "transient", reason: `status ${status}: ${brief(text)}` }
    default:
      return status >= 300 && status < 500 ? refused("check the URL and the version of the node") : undefined
  }
}
