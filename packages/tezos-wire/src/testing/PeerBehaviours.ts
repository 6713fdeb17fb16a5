/**
 * The scriptable behaviours of a chain peer: one table of what each does and what a client has to do about it, and the text form in which
 * scenarios and command lines name them (`rolling:40+slow:50`).
 */

interface Argument<A> {
  readonly usage: string
  /** Undefined: the argument is required. */
  readonly fallback: A | undefined
  readonly read: (text: string) => A | undefined
}

const integer = (usage: string, minimum: number, fallback?: number): Argument<number> => ({
  usage,
  fallback,
  read: (text) => /^\d{1,12}$/.test(text) && Number(text) >= minimum ? Number(text) : undefined
})

const word = (usage: string, fallback: string): Argument<string> => ({
  usage,
  fallback,
  read: (text) => /^[\w-]{1,40}$/.test(text) ? text : undefined
})

const choice = <const C extends string>(choices: ReadonlyArray<C>, fallback: C): Argument<C> => ({
  usage: choices.join("|"),
  fallback,
  read: (text) => choices.find((one) => one === text)
})

interface Row<A extends Record<string, Argument<unknown>>> {
  readonly does: string
  readonly client: string
  readonly args: A
}

const row = <A extends Record<string, Argument<unknown>>>(args: A, does: string, client: string): Row<A> => ({
  args,
  does,
  client
})

const elsewhere = "ask others; silence is no offence"
const proven = "refuse it with proof, drop the peer"

/** All behaviours; none is an honest archive. */
export const peerBehaviourTable = {
  silent: row({}, "shakes hands, then says nothing", elsewhere),
  "never-branch": row({}, "leaves GetCurrentBranch and GetCurrentHead unanswered", elsewhere),
  "never-headers": row({}, "leaves requests for headers unanswered", elsewhere),
  "never-operations": row({}, "leaves requests for operations unanswered", elsewhere),
  slow: row({ millis: integer("MS", 1) }, "every answer leaves MS later, in order", "go on with others meanwhile"),
  reorder: row({}, "answers to one request come backwards", "match by hash"),
  duplicate: row({}, "every answer twice", "count once"),
  rolling: row({ levels: integer("N", 1) }, "knows only the last N levels", "descend from a recent block"),
  forger: row(
    { at: integer("LEVEL", 0), length: integer("LEN", 0, 0), seed: word("SEED", "a") },
    "its own forged branch above LEVEL, of LEN blocks (0: one longer than the head's); the same for the same arguments",
    "follow the quorum"
  ),
  "bad-header": row(
    { how: choice(["flip", "wrong", "trail"], "flip") },
    "headers with a changed bit, of another block, with a byte too many",
    proven
  ),
  "bad-ops": row(
    { how: choice(["flip", "drop", "add", "path"], "flip"), from: integer("FROM", 0, 0) },
    "operations with a changed bit, one missing, one too many, or a changed path, from level FROM on",
    proven
  ),
  "wrong-pass": row({}, "answers with the operations and the path of the next pass", proven),
  equivocate: row(
    { depth: integer("DEPTH", 1, 2) },
    "two heads that part DEPTH levels below, by connection and by request",
    "believe what was proven, not what was said"
  ),
  "fake-head": row(
    { up: integer("UP", 1, 1_000) },
    "a head UP levels higher with made-up ancestors, never served",
    "wait for a quorum"
  ),
  "future-head": row(
    { seconds: integer("S", 2, 3_600) },
    "one block more, S seconds after its parent",
    "leave it until its time"
  ),
  "bogus-locator": row({}, "locators with wrong distances", proven),
  "wrong-chain": row({}, "branches and heads of another chain id", "ignore them"),
  unsolicited: row({ millis: integer("MS", 1, 200) }, "every MS a header that nobody asked for", "ignore it"),
  stall: row({ replies: integer("N", 0) }, "falls silent on a connection after N answers", elsewhere),
  "close-after": row({ replies: integer("N", 1) }, "closes a connection after N answers", "dial again later"),
  flap: row(
    { up: integer("UP_MS", 1), down: integer("DOWN_MS", 1, 1_000) },
    "reachable for UP_MS, gone for DOWN_MS, and so on",
    "dial again with growing pauses"
  ),
  nack: row(
    { motive: integer("MOTIVE", 0, 1) },
    "refuses every handshake",
    "keep its points, wait before dialling again"
  )
} as const

/** The name of a misbehaviour. */
export type PeerBehaviourName = keyof typeof peerBehaviourTable

/** Arguments of one behaviour by name. */
export type PeerBehaviourArgs<N extends PeerBehaviourName> = {
  readonly [K in keyof typeof peerBehaviourTable[N]["args"]]: typeof peerBehaviourTable[N]["args"][K] extends
    Argument<infer A> ? A
    : never
}

type ArgValues = Record<string, number | string>

/** A set of behaviours, as parsed; `text` is its canonical form. */
export class PeerBehaviours {
  static readonly honest = new PeerBehaviours("", new Map())
  readonly text: string
  private readonly args: ReadonlyMap<PeerBehaviourName, ArgValues>

  constructor(text: string, args: ReadonlyMap<PeerBehaviourName, ArgValues>) {
    this.text = text
    this.args = args
  }

  has(name: PeerBehaviourName): boolean {
    return this.args.has(name)
  }

  get<N extends PeerBehaviourName>(name: N): PeerBehaviourArgs<N> | undefined {
    return this.args.get(name) as PeerBehaviourArgs<N> | undefined
  }
}

/** `NAME:ARG[:ARG]` as a help text prints it. */
export const peerBehaviourUsage = (name: PeerBehaviourName): string =>
  [
    name,
    ...Object.values<Argument<unknown>>(peerBehaviourTable[name].args).map((argument) =>
      argument.fallback === undefined ? `:${argument.usage}` : `[:${argument.usage}]`
    )
  ].join("")

/** All misbehaviours by name, in the order of the table. */
export const peerBehaviourNames = Object.keys(peerBehaviourTable) as ReadonlyArray<PeerBehaviourName>

const readArgs = (name: PeerBehaviourName, given: ReadonlyArray<string>): ArgValues | undefined => {
  const declared = Object.entries<Argument<unknown>>(peerBehaviourTable[name].args)
  if (given.length > declared.length) return undefined
  const args: ArgValues = {}
  for (const [index, [key, argument]] of declared.entries()) {
    const text = given[index]
    const value = text === undefined ? argument.fallback : argument.read(text)
    if (typeof value !== "number" && typeof value !== "string") return undefined
    args[key] = value
  }
  return args
}

/** Reads `NAME[:ARG…]` joined by `+` or `,`; the empty text and `honest` are an honest archive. Throws a `RangeError` that lists what exists. */
export const peerBehavioursOf = (text: string): PeerBehaviours => {
  const parsed = new Map<PeerBehaviourName, ArgValues>()
  for (const item of text.split(/[+,]/).map((one) => one.trim()).filter((one) => one !== "" && one !== "honest")) {
    const [name = "", ...given] = item.split(":")
    if (!Object.hasOwn(peerBehaviourTable, name)) {
      throw new RangeError(
        `no behaviour "${name}"; there are: ${peerBehaviourNames.map(peerBehaviourUsage).join(", ")}`
      )
    }
    const known = name as PeerBehaviourName
    const args = readArgs(known, given)
    if (args === undefined) throw new RangeError(`behaviour "${item}": want ${peerBehaviourUsage(known)}`)
    parsed.set(known, args)
  }
  return new PeerBehaviours(
    [...parsed].map(([name, args]) => [name, ...Object.values(args)].join(":")).join("+"),
    parsed
  )
}
