/** How every plugin starts, runs, changes, drains and stops, through the host as in a program. */
import { atEachStep, expectSame, expectTrue, fail, turns } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RunningHost } from "../adapter/Host.ts"
import { decodeConfig } from "../engine/DecodeConfig.ts"
import { answered, CheckedPlugin, type CheckedPluginShape, placed, startObserved } from "./CheckedPlugin.ts"
import type { PluginCapability, PluginCheck } from "./PluginConfigChecks.ts"

const check = (
  name: string,
  needs: ReadonlyArray<PluginCapability>,
  body: (subject: CheckedPluginShape) => Effect.Effect<unknown, unknown, Scope.Scope>
): PluginCheck => ({ name, needs, run: Effect.asVoid(CheckedPlugin.use(body)) })

/** Turns in which what goes on behind a plugin's back would show itself, and in which what is closed may vanish. */
const behindTurns = 50
/** Turns within which what is closed has vanished. */
const closingTurns = 5_000

const handlesOf = ({ handles }: CheckedPluginShape) =>
  handles ?? fail("no handles are counted, though the capability counts-handles is declared true")

/** Closing a socket takes a few turns of the event loop. Fewer are no fault of the plugin: what stood open before may close meanwhile. */
const expectHandles = Effect.fnUntraced(function*(subject: CheckedPluginShape, when: string, before: number) {
  let open = yield* handlesOf(subject)
  for (let turn = 0; turn < closingTurns && open > before; turn += behindTurns) {
    yield* turns(behindTurns)
    open = yield* handlesOf(subject)
  }
  yield* expectSame(`open ${when}`, Math.max(open, before), before)
})

/** Runs a plugin from start to stop. */
const once = (subject: CheckedPluginShape) => Effect.scoped(startObserved(subject))

const starting: ReadonlyArray<PluginCheck> = [
  check(
    "does nothing before it is built",
    ["counts-handles"],
    Effect.fnUntraced(function*(subject) {
      const before = yield* handlesOf(subject)
      const decoded = decodeConfig(placed(subject.plugin, subject.config))
      if (!("config" in decoded)) return yield* fail("the config is refused")
      subject.plugin.layer(decoded.config as never)
      yield* turns(behindTurns)
      yield* expectHandles(subject, "after the layer was made", before)
    })
  ),
  check(
    "starts, and works",
    [],
    Effect.fnUntraced(function*(subject) {
      const { status } = yield* startObserved(subject)
      const { message = "", status: now } = status() ?? {}
      yield* expectTrue(
        `it is ok or recoverable once started; it is ${now} ${message}`,
        now === "ok" || now === "recoverable"
      )
    })
  ),
  check(
    "provides what it says, and nothing else",
    [],
    Effect.fnUntraced(function*(subject) {
      const { observed } = yield* startObserved(subject)
      const { provides } = subject.plugin
      yield* expectSame(
        "services provided",
        [...observed.provided.keys()].filter((key) => !key.startsWith("effect/")).toSorted(),
        provides.map(({ tag }) => tag.key).toSorted()
      )
    })
  ),
  check(
    "starts again after it has stopped",
    [],
    Effect.fnUntraced(function*(subject) {
      yield* once(subject)
      yield* once(subject)
    })
  ),
  check(
    "starts after starts that were interrupted at each step",
    [],
    Effect.fnUntraced(function*(subject) {
      yield* atEachStep(once(subject), () => Effect.void)
      yield* once(subject)
    })
  )
]

/** Bad for any setting with a type. */
const badValue = { "no such": ["value"] }

const change = Effect.fnUntraced(function*(host: RunningHost<never>, setting: string, value: unknown) {
  const row = () => host.settings.rows.findLast((one) => one.setting === setting)!
  const request = { plugin: row().plugin, setting, origin: "kit" }
  const before = row().current
  const refused = yield* Effect.exit(host.settings.change({ ...request, value: badValue }))
  yield* expectTrue(`${setting}: ${JSON.stringify(badValue)} is refused`, Exit.isFailure(refused))
  yield* expectSame(`${setting} after a value was refused`, row().current, before)
  const { from, to } = yield* host.settings.change({ ...request, value })
  yield* expectSame(`${setting} before it was changed`, from, before)
  yield* expectSame(`${setting} as it can be read once it was changed`, row().current, to)
  yield* expectTrue(
    `${setting} is changed by ${JSON.stringify(value)}: it was ${String(before)}`,
    String(before) !== String(to)
  )
})

const running: ReadonlyArray<PluginCheck> = [
  check(
    "declares its live settings, each of which takes effect and can be read",
    [],
    Effect.fnUntraced(function*(subject) {
      const { host, observed } = yield* startObserved(subject)
      yield* expectSame("live settings", observed.settings.toSorted(), Object.keys(subject.settings).toSorted())
      for (const [setting, value] of Object.entries(subject.settings)) yield* change(host, setting, value)
    })
  ),
  check(
    "reports what a plugin may report, with words when it is not well",
    [],
    Effect.fnUntraced(function*(subject) {
      const { observed } = yield* startObserved(subject)
      yield* turns(behindTurns)
      for (const { message, status } of observed.reports) {
        const may = ["ok", "recoverable", "permanent", "fatal"].includes(status)
        yield* expectTrue(`it reports ok, recoverable, permanent or fatal, not ${status}`, may)
        yield* expectTrue(`it says why it is ${status}`, status === "ok" || message.trim() !== "")
      }
    })
  ),
  check(
    "says of what it waits for whom, why, and what to do",
    [],
    Effect.fnUntraced(function*(subject) {
      const { observed } = yield* startObserved(subject)
      const waits = yield* answered("it says what it waits for", () => observed.waits())
      for (const { cause, remedy, subject: waiting, waitingFor } of waits) {
        const isWhole = [waiting, waitingFor, cause, remedy].every((words) => words.trim() !== "")
        yield* expectTrue(`a wait has a subject, what it waits for, a cause and a remedy: ${waiting}`, isWhole)
      }
    })
  )
]

const stopping: ReadonlyArray<PluginCheck> = [
  check(
    "drains and stops in bounded time",
    [],
    Effect.fnUntraced(function*(subject) {
      const scope = yield* Scope.make()
      const { observed } = yield* Scope.provide(startObserved(subject), scope)
      // The host's own times bound this; a process or a socket may need some of it.
      yield* Scope.close(scope, Exit.void)
      yield* expectSame("drains that ended", observed.drains.ended, observed.drains.declared)
      yield* expectTrue("it has stopped, rather than been left behind", observed.isClosed)
    })
  ),
  check(
    "says nothing once it has stopped",
    [],
    Effect.fnUntraced(function*(subject) {
      const { observed } = yield* once(subject)
      yield* turns(behindTurns)
      yield* expectSame("said after the stop", observed.late, [])
    })
  ),
  check(
    "leaves nothing open when it stops",
    ["counts-handles"],
    Effect.fnUntraced(function*(subject) {
      const before = yield* handlesOf(subject)
      yield* once(subject)
      yield* expectHandles(subject, "after the stop", before)
      yield* once(subject)
      yield* expectHandles(subject, "after the second stop", before)
    })
  ),
  check(
    "leaves nothing open when its start is interrupted at any step",
    ["counts-handles"],
    Effect.fnUntraced(function*(subject) {
      const before = yield* handlesOf(subject)
      yield* atEachStep(
        once(subject),
        (step) => expectHandles(subject, `after an interruption at turn ${step}`, before)
      )
    })
  )
]

export const pluginRunChecks: ReadonlyArray<PluginCheck> = [...starting, ...running, ...stopping]
