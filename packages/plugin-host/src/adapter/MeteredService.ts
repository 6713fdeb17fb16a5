/**
 * A service as one of its users sees it: members that are Effects or return one are counted, everything else is what it is. Members are
 * read, and wrapped, when they are used: a service that changes is seen as it is now, and a call allocates nothing but the count.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { EdgeCounts, EdgeMeter } from "../engine/EdgeMeter.ts"

type Method = (...args: ReadonlyArray<unknown>) => unknown

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Errors and tags (functions) can be yielded, and are values all the same: no calls. */
const isCall = (value: unknown): value is Effect.Effect<unknown, unknown, unknown> =>
  Effect.isEffect(value) && typeof value === "object" && !(value instanceof Error)

const isClass = (value: Method): boolean => Object.getOwnPropertyDescriptor(value, "prototype")?.writable === false

/** The view of one user on the service of one provider. */
class Metered {
  private readonly service: object
  private readonly meter: EdgeMeter
  private readonly edge: EdgeCounts

  constructor(service: object, meter: EdgeMeter, edge: EdgeCounts) {
    this.service = service
    this.meter = meter
    this.edge = edge
  }

  count(exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isSuccess(exit)) this.edge.success++
    else if (Cause.hasInterruptsOnly(exit.cause)) this.edge.interrupted++
    else this.meter.failed(this.edge, Cause.squash(exit.cause))
  }

  private readonly ended = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
    Effect.sync(() => this.count(exit))

  counted(call: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<unknown, unknown, unknown> {
    return Effect.onExit(call, this.ended)
  }

  /** A method may answer at once with an Exit, which is an Effect, too: it is counted, and stays an Exit. */
  private answered(result: unknown): unknown {
    if (!isCall(result)) return result
    if (!Exit.isExit(result)) return this.counted(result)
    this.count(result)
    return result
  }

  private method(value: Method): Method {
    const bound: Method = (...args) => {
      let result: unknown
      try {
        result = Reflect.apply(value, this.service, args)
      } catch (error) {
        this.meter.failed(this.edge, error)
        throw error
      }
      return this.answered(result)
    }
    // A function may have members of its own.
    if (Object.keys(value).length > 0) Object.setPrototypeOf(bound, value)
    return bound
  }

  private seen(value: unknown): unknown {
    if (typeof value === "function") return isClass(value as Method) ? value : this.method(value as Method)
    return isCall(value) ? this.counted(value) : value
  }

  /** Wraps a value once, however often it is read. */
  member(name: PropertyKey): PropertyDescriptor {
    const service = this.service as Record<PropertyKey, unknown>
    let value: unknown
    let seen: unknown
    return {
      configurable: true,
      enumerable: true,
      get: () => {
        const now = service[name]
        if (now !== value) {
          seen = this.seen(now)
          value = now
        }
        return seen
      },
      set: (next) => {
        service[name] = next
      }
    }
  }
}

/** Own members and those of its classes, up to Object. */
const membersOf = (service: object): ReadonlySet<PropertyKey> => {
  const names = new Set<PropertyKey>()
  for (let at: object | null = service; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Reflect.ownKeys(at)) if (name !== "constructor") names.add(name)
  }
  return names
}

/** Methods keep their `this`, members stay live, classes stay classes. What is no object, and a list, is passed on as it is. */
export const meteredService = (service: unknown, meter: EdgeMeter, edge: EdgeCounts): unknown => {
  if (!isObject(service) || Array.isArray(service)) return service
  const metered = new Metered(service, meter, edge)
  if (isCall(service)) return metered.counted(service)
  const seen: object = Object.create(Object.getPrototypeOf(service))
  for (const name of membersOf(service)) Object.defineProperty(seen, name, metered.member(name))
  return seen
}
