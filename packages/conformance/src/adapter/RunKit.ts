/** Runs kits: over an implementation, or over their own mutants. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type { Capabilities, Check, Kit, Mutant, RegisterTest } from "../contract/Kit.ts"
import { exitWithin } from "./Turns.ts"

/** One check over an implementation, which is built for it and ends with it. */
export const runCheck = <Services, Capability extends string, E>(
  check: Check<Services, Capability>,
  layer: Layer.Layer<Services, E>
): Effect.Effect<void, unknown> =>
  Effect.provide(Effect.scoped(check.run as Effect.Effect<void, unknown, Services>), layer, { local: true })

/** How one check ended. */
export type Judgement = "passed" | "hung" | { readonly failed: string }

const wordsOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/**
 * One check, for at most `patienceTurns` turns of the scheduler, so that what never answers is found out without waiting for time to pass. For
 * implementations within the process only.
 */
export const judge = Effect.fnUntraced(function*<Services, Capability extends string, E>(
  check: Check<Services, Capability>,
  layer: Layer.Layer<Services, E>,
  patienceTurns?: number
) {
  const exit = yield* exitWithin(runCheck(check, layer), patienceTurns)
  const judgement: Judgement = exit === undefined
    ? "hung"
    : Exit.isSuccess(exit)
    ? "passed"
    : { failed: wordsOf(exit.cause) }
  return judgement
})

/** What the implementation can do, and how checks are registered and run. */
export interface SuiteOptions<Capability extends string> {
  readonly capabilities: Capabilities<Capability>
  readonly test: RegisterTest
  /** How a check is run; default `Effect.runPromise`. A simulator's runner makes the simulated variant. */
  readonly run?: (effect: Effect.Effect<void, unknown>) => Promise<void>
}

/** What was registered, and what was not because of a capability that was declared as lacking. */
export interface SuitePlan {
  readonly asked: ReadonlyArray<string>
  readonly leftOut: ReadonlyArray<{ readonly check: string; readonly lacks: string }>
}

const listed = (what: string, names: ReadonlyArray<string>): string =>
  names.length === 0 ? "" : `; ${what}: ${names.join(", ")}`

/** A kit that asks nothing proves nothing, and of two checks of one name one would be judged in the place of the other. */
const checkKit = <Services, Capability extends string>({ checks, contract }: Kit<Services, Capability>): void => {
  const names = checks.map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) < index)
  if (names.length === 0) throw new TypeError(`the kit ${contract} has no checks`)
  if (twice.length > 0) throw new TypeError(`the kit ${contract} has several checks of one name: ${twice.join(", ")}`)
}

const checkDeclared = <Services, Capability extends string>(
  name: string,
  kit: Kit<Services, Capability>,
  declared: Capabilities<Capability>
): void => {
  const known = Object.keys(kit.capabilities)
  const undeclared = known.filter((each) => typeof declared[each as Capability] !== "boolean")
  const unknown = Object.keys(declared).filter((each) => !known.includes(each))
  if (undeclared.length + unknown.length === 0) return
  throw new TypeError(
    `${name}: every capability of the kit ${kit.contract} must be declared true or false` +
      listed("not declared", undeclared) + listed("not known", unknown)
  )
}

/**
 * Makes the suite of a kit: `transportSuite("Tcp", Tcp.layer, { capabilities: {}, test: it })`. Each check is a test and builds the layer anew.
 * Throws a TypeError when a capability is not declared, or no check is left to ask: nothing is left out in silence.
 */
export const suiteOf = <Services, Capability extends string>(kit: Kit<Services, Capability>) =>
<E>(
  name: string,
  layer: Layer.Layer<Services, E>,
  { capabilities, run = Effect.runPromise, test }: SuiteOptions<Capability>
): SuitePlan => {
  checkKit(kit)
  checkDeclared(name, kit, capabilities)
  const asked: Array<string> = []
  const leftOut: Array<SuitePlan["leftOut"][number]> = []
  for (const check of kit.checks) {
    const lacks = check.needs?.find((need) => !capabilities[need])
    if (lacks === undefined) {
      asked.push(check.name)
      test(`${name} ${check.name}`, () => run(runCheck(check, layer)))
    } else leftOut.push({ check: check.name, lacks })
  }
  if (asked.length === 0) {
    throw new TypeError(`${name}: nothing is left to ask of the kit ${kit.contract}: each check needs what it lacks`)
  }
  return { asked, leftOut }
}

interface Rejection {
  /** Names of the checks that do not pass. */
  readonly rejecting: ReadonlyArray<string>
  readonly problems: ReadonlyArray<string>
}

const rejection = Effect.fnUntraced(function*<Services, Capability extends string>(
  { checks }: Kit<Services, Capability>,
  { because, layer, name, rejectedBy }: Mutant<Services>
) {
  const judged = new Map<string, Judgement>()
  for (const check of checks) judged.set(check.name, yield* judge(check, layer))
  const problems: Array<string> = []
  const by = judged.get(rejectedBy)
  if (by === undefined) problems.push(`there is no check "${rejectedBy}"`)
  else if (by === "passed") problems.push(`"${rejectedBy}" accepts it`)
  else if (by === "hung") {
    if (because !== "hangs") problems.push(`"${rejectedBy}" does not end; expected it to say ${because}`)
  } else if (because === "hangs") problems.push(`"${rejectedBy}" says "${by.failed}"; expected that it does not end`)
  else if (by.failed.search(because) < 0) problems.push(`"${rejectedBy}" says "${by.failed}"; expected ${because}`)
  const rejecting = [...judged].filter(([, each]) => each !== "passed").map(([check]) => check)
  if (rejecting.length === checks.length && checks.length > 1) {
    problems.push("every check rejects it: nothing works with it, which proves no single check")
  }
  const result: Rejection = { rejecting, problems: problems.map((problem) => `a mutant that ${name}: ${problem}`) }
  return result
})

const idleChecks = <Services, Capability extends string>(
  { checks }: Kit<Services, Capability>,
  all: ReadonlyArray<Rejection>
): ReadonlyArray<string> =>
  checks.map(({ name }) => name).filter((name) => !all.some(({ rejecting }) => rejecting.includes(name)))

/** What is wrong with a kit, from its own mutants: those that it accepts, or rejects for another reason, and checks that reject none. */
export const examineKit = Effect.fnUntraced(function*<Services, Capability extends string>(
  kit: Kit<Services, Capability>
) {
  checkKit(kit)
  const all = yield* Effect.forEach(kit.mutants, (mutant) => rejection(kit, mutant))
  return [
    ...all.flatMap(({ problems }) => problems),
    ...idleChecks(kit, all).map((name) => `"${name}" rejects no mutant`)
  ]
})

/** Registers the proof of a kit: a test for each mutant, and one that no check is idle. */
export const mutantSuiteOf = <Services, Capability extends string>(
  kit: Kit<Services, Capability>,
  test: RegisterTest
): void => {
  checkKit(kit)
  const found = new Map<Mutant<Services>, Promise<Rejection>>()
  // Each mutant is judged once, in whatever order the runner takes the tests.
  const judged = (mutant: Mutant<Services>): Promise<Rejection> => {
    const known = found.get(mutant) ?? Effect.runPromise(rejection(kit, mutant))
    found.set(mutant, known)
    return known
  }
  for (const mutant of kit.mutants) {
    test(`the kit ${kit.contract} rejects one that ${mutant.name}`, async () => {
      const { problems } = await judged(mutant)
      if (problems.length > 0) throw new Error(problems.join("\n"))
    })
  }
  test(`each check of the kit ${kit.contract} rejects a mutant`, async () => {
    const all = await Promise.all(kit.mutants.map(judged))
    const idle = idleChecks(kit, all)
    if (idle.length > 0) throw new Error(`idle checks: ${idle.join("; ")}`)
  })
}
