/**
 * The scriptable misbehaviours of a replica: one table of what each does and what a client must do about it, and the text form in
 * which scenarios, command lines and running replicas name them (`slow:200000+delay:20`).
 */

/** One argument of a behaviour: `read` gives undefined for a text that it does not accept. */
interface Argument<A> {
  readonly usage: string
  /** Undefined: the argument is required. */
  readonly fallback: A | undefined
  readonly read: (text: string) => A | undefined
}

const number = (usage: string, minimum: number, fallback?: number): Argument<number> => ({
  usage,
  fallback,
  read: (text) => {
    const value = /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN
    return value >= minimum ? value : undefined
  }
})

const integer = (usage: string, minimum: number, fallback?: number): Argument<number> => ({
  usage,
  fallback,
  read: (text) => /^\d{1,15}$/.test(text) && Number(text) >= minimum ? Number(text) : undefined
})

const choice = <const C extends string>(choices: ReadonlyArray<C>, fallback?: C): Argument<C> => ({
  usage: choices.join("|"),
  fallback,
  read: (text) => choices.find((one) => one === text)
})

/** Kinds of `error`: Thrift errors that the node declares, then TChannel error frames. */
export const declaredErrorKinds = [
  "overloaded",
  "internal",
  "not-initialized",
  "not-bootstrapped",
  "not-responsible",
  "deadline",
  "limit",
  "bad-token",
  "unknown-namespace"
] as const

/** The error frames that a replica can be told to answer with, by name. */
export const frameErrorKinds = [
  "timeout",
  "cancelled",
  "busy",
  "declined",
  "unexpected",
  "bad-request",
  "network",
  "fatal"
] as const

/** A declared exception that a replica can be told to answer with, by name. */
export type DeclaredErrorKind = typeof declaredErrorKinds[number]
/** An error frame that a replica can be told to answer with, by name. */
export type FrameErrorKind = typeof frameErrorKinds[number]

const dataMethods = ["fetchBlocksMetadataRawV2", "fetchBlocksRaw"] as const
const methods = ["health", "bootstrapped", ...dataMethods] as const

interface Row<A extends Record<string, Argument<unknown>>> {
  readonly does: string
  /** What a client has to do when it meets this. */
  readonly client: string
  /**
   * `yes`: a real node may do it, and a client must get through with complete data from this replica alone. A condition: only
   * with that argument.
   */
  readonly legal: string
  readonly args: A
}

const row = <A extends Record<string, Argument<unknown>>>(
  args: A,
  does: string,
  client: string,
  legal: string
): Row<A> => ({ args, does, client, legal })

const everySeries = integer("EVERY", 1, 1)
const everyCall = integer("EVERY", 1, 1)
const onlyOthers = "the rest from this peer, these blocks from other replicas; report it"
const endListing = "end this peer's listing with a reason; use what other peers listed"
const endCall = "fail the call by its own timer or check, close the connection, try again or elsewhere"

/**
 * All behaviours. EVERY picks every n-th series by `crc32(id) % EVERY == 0`, or counts data calls where it says calls; data calls
 * are the two streaming calls.
 */
export const behaviourTable = {
  slow: row(
    { bytesPerSecond: integer("BYTES_PER_S", 1) },
    "each connection's output is paced",
    "go on; give work to faster peers",
    "yes"
  ),
  delay: row({ millis: number("MS", 0) }, "waits before each data answer", "go on; overlap calls", "yes"),
  drip: row(
    { millis: number("MS", 0, 0) },
    "writes one byte at a time, MS between",
    "read frames split anywhere",
    "yes"
  ),
  "frame-size": row({ bytes: integer("BYTES", 80) }, "answers in frames of at most BYTES", "reassemble", "yes"),
  "half-open": row(
    { bytes: integer("BYTES", 0) },
    "a connection falls silent after BYTES but stays open",
    endCall,
    "no"
  ),
  cut: row(
    { bytes: integer("BYTES", 0) },
    "a connection is closed after BYTES, also in mid-frame",
    "dial again, repeat the call, keep what it has",
    "no"
  ),
  http: row({}, "answers the first bytes of a connection as an HTTP server", "name it: not a TChannel server", "no"),
  "die-after": row(
    { calls: integer("CALLS", 1) },
    "stops in the middle of the answer to that data call",
    "finish from other replicas",
    "no"
  ),
  error: row(
    { kind: choice([...declaredErrorKinds, ...frameErrorKinds]), every: everyCall },
    "every n-th data call fails (busy, overloaded …; 1: all)",
    "back off when overloaded, poll when not bootstrapped, else retry; stop at bad requests",
    "with EVERY above 1"
  ),
  "rate-limit": row(
    { callsPerSecond: integer("CALLS_PER_S", 1, 5) },
    "data calls above the rate get \"server is overloaded\"",
    "back off without blame",
    "yes"
  ),
  hang: row({ method: choice(methods, "fetchBlocksRaw") }, "calls of METHOD are never answered", endCall, "no"),
  "not-bootstrapped": row(
    { seconds: number("UNTIL_S", 0, 0) },
    "health says so and data calls are refused (0: for ever)",
    "poll slowly, say what it waits for",
    "with UNTIL_S"
  ),
  "bad-crc": row({ every: everyCall }, "every n-th data answer has a wrong frame checksum", endCall, "no"),
  "chunkless-fragment": row(
    { every: everyCall },
    "every n-th data answer ends in a fragment without a chunk",
    endCall,
    "no"
  ),
  "huge-length": row(
    { kind: choice(["binary", "list", "negative"], "binary") },
    "block answers claim a hostile Thrift length",
    "fail the call without allocating",
    "no"
  ),
  "deep-thrift": row({}, "block answers nest 10,000 structs", "fail the call without recursion", "no"),
  missing: row(
    { every: everySeries },
    "block answers lack the elements of these series (short list)",
    onlyOthers,
    "no"
  ),
  hollow: row({ every: everySeries }, "their elements have no block, as with a damaged file", onlyOthers, "no"),
  "block-err": row({ every: everySeries }, "their blocks carry an error instead of segments", onlyOthers, "no"),
  "wrong-id": row({ every: everySeries }, "block elements under another id", onlyOthers, "no"),
  "wrong-start": row({ every: everySeries }, "blocks under the next block's start", onlyOthers, "no"),
  "lie-checksum": row(
    { every: everySeries },
    "listings announce a wrong checksum",
    "notice the difference, fetch all copies",
    "no"
  ),
  "lie-data": row(
    { every: everySeries, mode: choice(["flip", "valid"], "flip") },
    "a bit of the data flipped under the true checksum; valid: other values under their own checksum",
    onlyOthers,
    "no"
  ),
  unmerged: row({ every: everySeries }, "blocks as two streams without a checksum", "merge, fetch all copies", "yes"),
  duplicate: row({ every: everySeries }, "listing elements twice", "count once", "yes"),
  "meta-err": row(
    { every: everySeries },
    "listing elements carry an error instead of size and checksum",
    "fetch from all peers",
    "yes"
  ),
  "no-checksum": row({}, "no checksum in listings and blocks", "fetch all copies, compare", "no"),
  extra: row(
    { kind: choice(["element", "block"], "element") },
    "an element (or block) that nobody asked for at the end of block answers",
    "ignore and report it",
    "no"
  ),
  reorder: row(
    { what: choice(["meta", "blocks", "all"], "all") },
    "listing or block elements shuffled",
    "assume no order of listings; refuse answers out of order",
    "meta"
  ),
  "token-loop": row({}, "the same page and token for ever", endListing, "no"),
  "token-reset": row({}, "once a listing starts its disk phase again", "count once", "yes"),
  "endless-pages": row(
    { perPage: integer("PER_PAGE", 1, 10) },
    "made-up series for ever, always a new token",
    endListing,
    "no"
  ),
  "empty-pages": row(
    { pages: integer("PAGES", 0, 3) },
    "empty pages before each disk page (0: for ever)",
    "go on while it is finite; end a listing that makes no progress",
    "above 0"
  )
} as const

/** The name of a misbehaviour. */
export type BehaviourName = keyof typeof behaviourTable

/** Arguments of one behaviour by name, as numbers and keywords. */
export type BehaviourArgs<N extends BehaviourName> = {
  readonly [K in keyof typeof behaviourTable[N]["args"]]: typeof behaviourTable[N]["args"][K] extends
    Argument<infer A> ? A
    : never
}

/** All misbehaviours by name, in the order of the table. */
export const behaviourNames = Object.keys(behaviourTable) as ReadonlyArray<BehaviourName>

/** A set of behaviours, as parsed; `text` is its canonical form, from which another process makes the same set. */
export class Behaviours {
  static readonly none = new Behaviours("", new Map())
  readonly text: string
  private readonly args: ReadonlyMap<BehaviourName, Record<string, number | string>>

  constructor(text: string, args: ReadonlyMap<BehaviourName, Record<string, number | string>>) {
    this.text = text
    this.args = args
  }

  get names(): ReadonlyArray<BehaviourName> {
    return [...this.args.keys()]
  }

  has(name: BehaviourName): boolean {
    return this.args.has(name)
  }

  get<N extends BehaviourName>(name: N): BehaviourArgs<N> | undefined {
    return this.args.get(name) as BehaviourArgs<N> | undefined
  }
}

/** What is wrong with a text of behaviours; names all that exist, or the usage of the one. */
export interface BehaviourProblem {
  readonly problem: string
}

/** `NAME:ARG:ARG` as the help prints it. */
export const behaviourUsage = (name: BehaviourName): string =>
  [
    name,
    ...Object.values<Argument<unknown>>(behaviourTable[name].args).map((argument) =>
      argument.fallback === undefined ? `:${argument.usage}` : `[:${argument.usage}]`
    )
  ].join("")

const isBehaviourName = (text: string): text is BehaviourName => Object.hasOwn(behaviourTable, text)

const readArgs = (name: BehaviourName, given: ReadonlyArray<string>): Record<string, number | string> | undefined => {
  const declared = Object.entries<Argument<unknown>>(behaviourTable[name].args)
  if (given.length > declared.length) return undefined
  const args: Record<string, number | string> = {}
  for (const [index, [key, argument]] of declared.entries()) {
    const text = given[index]
    const value = text === undefined ? argument.fallback : argument.read(text)
    if (typeof value !== "number" && typeof value !== "string") return undefined
    args[key] = value
  }
  return args
}

/**
 * Reads `NAME[:ARG…]` joined by `+` or `,`; the empty text is a healthy replica. A name given twice keeps the last.
 * Unknown names and wrong arguments come back as a problem that lists what exists.
 */
export const parseBehaviours = (text: string): Behaviours | BehaviourProblem => {
  const parsed = new Map<BehaviourName, Record<string, number | string>>()
  for (const item of text.split(/[+,]/).map((one) => one.trim()).filter((one) => one !== "")) {
    const [name = "", ...given] = item.split(":")
    if (!isBehaviourName(name)) {
      return { problem: `no behaviour "${name}"; there are: ${behaviourNames.map(behaviourUsage).join(", ")}` }
    }
    const args = readArgs(name, given)
    if (args === undefined) {
      return { problem: `behaviour "${item}": want ${behaviourUsage(name)} (${behaviourTable[name].does})` }
    }
    parsed.set(name, args)
  }
  const canonical = [...parsed].map(([name, args]) => [name, ...Object.values(args)].join(":")).join("+")
  return new Behaviours(canonical, parsed)
}

/** For scripts and tests: parses, and throws a `RangeError` on a problem. */
export const behavioursOf = (text: string): Behaviours => {
  const parsed = parseBehaviours(text)
  if ("problem" in parsed) throw new RangeError(parsed.problem)
  return parsed
}

/** The table as Markdown, for help texts. */
export const formatBehaviourTable = (): string =>
  [
    "| behaviour | what the replica does | what a client must do | legal |",
    "| --- | --- | --- | --- |",
    ...behaviourNames.map((name) => {
      const { client, does, legal } = behaviourTable[name]
      return `| \`${behaviourUsage(name).replaceAll("|", "\\|")}\` | ${does} | ${client} | ${legal} |`
    })
  ].join("\n")
