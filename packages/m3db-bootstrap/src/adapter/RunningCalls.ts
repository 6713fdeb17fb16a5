/**
 * Calls to peers that are under way, each a fiber of its own. A call that is cancelled is interrupted, and nothing of it reaches the engine
 * any more, not even an answer that already waits in the queue of events.
 */
import type { CallError } from "@peerstrap/m3db-wire"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { CancelledCall, StreamEvent } from "../contract/StreamRun.ts"

interface Running {
  fiber: Fiber.Fiber<void> | undefined
  /** What it came to, as long as the engine has not taken it. */
  told: StreamEvent | undefined
  isCancelled: boolean
}

const nameOf = (call: CancelledCall): string =>
  call.kind === "list" ? `list ${call.job} ${call.peer}` : `fetch ${call.batch}`

export class RunningCalls {
  private readonly running = new Map<string, Running>()
  private readonly stale = new Set<StreamEvent>()
  private readonly scope: Scope.Closeable
  private readonly tell: (event: StreamEvent) => void

  /** Fibers belong to `scope`: they end with it. */
  constructor(scope: Scope.Closeable, tell: (event: StreamEvent) => void) {
    this.scope = scope
    this.tell = tell
  }

  /** Forks the call; tells what becomes of it. */
  run<A>(
    name: CancelledCall,
    call: Effect.Effect<A, CallError>,
    succeeded: (value: A) => StreamEvent,
    failed: (error: CallError) => StreamEvent
  ): Effect.Effect<void> {
    const running: Running = { fiber: undefined, told: undefined, isCancelled: false }
    this.running.set(nameOf(name), running)
    const end = (event: StreamEvent): void => {
      if (running.isCancelled) return
      running.told = event
      this.tell(event)
    }
    return call.pipe(
      Effect.match({ onSuccess: (value) => end(succeeded(value)), onFailure: (error) => end(failed(error)) }),
      Effect.forkIn(this.scope),
      Effect.map((fiber) => void (running.fiber = fiber))
    )
  }

  /** Whether the event belongs to a call that was cancelled after it had told it. Called once for each event taken. */
  isStale(event: StreamEvent): boolean {
    if (event._tag === "page" || event._tag === "page-failed") {
      this.forget(nameOf({ kind: "list", job: event.job, peer: event.peer }), event)
    } else if (event._tag === "answer" || event._tag === "answer-failed") {
      this.forget(nameOf({ kind: "fetch", batch: event.batch }), event)
    }
    return this.stale.size > 0 && this.stale.delete(event)
  }

  private forget(name: string, event: StreamEvent): void {
    if (this.running.get(name)?.told === event) this.running.delete(name)
  }

  /** Interrupts without waiting: the call's connection is closed by its own finalizers. */
  cancel(call: CancelledCall): Effect.Effect<unknown> | undefined {
    const name = nameOf(call)
    const running = this.running.get(name)
    if (running === undefined) return undefined
    this.running.delete(name)
    running.isCancelled = true
    if (running.told !== undefined) this.stale.add(running.told)
    return running.fiber === undefined ? undefined : Effect.forkIn(Fiber.interrupt(running.fiber), this.scope)
  }

  get close(): Effect.Effect<void> {
    return Scope.close(this.scope, Exit.void)
  }
}
