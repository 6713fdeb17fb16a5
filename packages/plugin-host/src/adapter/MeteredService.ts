/** A service as one of its users sees it: members that are Effects or return one are counted, everything else is passed on as it is. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { EdgeCounts, EdgeMeter } from "../engine/EdgeMeter.ts"

type Method = (...args: ReadonlyArray<unknown>) => unknown

const counted = (meter: EdgeMeter, edge: EdgeCounts, call: Effect.Effect<unknown, unknown, unknown>) =>
  Effect.onExit(call, (exit) =>
    Effect.sync(() => {
      if (Exit.isSuccess(exit)) edge.success++
      else if (Cause.hasInterruptsOnly(exit.cause)) edge.interrupted++
      else meter.failed(edge, Cause.squash(exit.cause))
    }))

/** Own members and those of its classes, up to Object. */
const membersOf = (service: object): ReadonlyArray<string> => {
  const names = new Set<string>()
  for (let at: object | null = service; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== "constructor") names.add(name)
  }
  return [...names]
}

const isMethod = (value: unknown): value is Method => typeof value === "function"

/** Methods keep their `this`, getters stay live. What is no object is passed on as it is. */
export const meteredService = (
  service: unknown,
  meter: EdgeMeter,
  edge: EdgeCounts
): unknown => {
  if (typeof service !== "object" || service === null) return service
  const seen = {}
  for (const name of membersOf(service)) {
    const value: unknown = Reflect.get(service, name)
    if (Effect.isEffect(value)) {
      Object.defineProperty(seen, name, { enumerable: true, value: counted(meter, edge, value) })
      continue
    }
    if (!isMethod(value)) {
      Object.defineProperty(seen, name, { enumerable: true, get: () => Reflect.get(service, name) })
      continue
    }
    const bound: Method = (...args) => {
      const result = Reflect.apply(value, service, args)
      return Effect.isEffect(result) ? counted(meter, edge, result) : result
    }
    Object.defineProperty(seen, name, { enumerable: true, value: bound })
  }
  return seen
}
