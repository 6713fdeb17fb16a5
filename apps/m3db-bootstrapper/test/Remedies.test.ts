/** Commands in remedies: pasted into a shell they reach this run and change what the wait is about. */
import { assert, describe, it } from "@effect/vitest"
import { consistencyPlugins, fixedLevel, settableLevel } from "@peerstrap/consistency-policy/plugin"
import { settableRate } from "@peerstrap/peer-selection/plugin"
import type { AnyPlugin, RunningHost } from "@peerstrap/plugin-host"
import type { Wait, WaitChange } from "@peerstrap/progress"
import { boundedMemory } from "@peerstrap/transport/plugin"
import { execFileSync } from "node:child_process"
import { placeFlag, withCommand } from "../src/bootstrap/Remedies.ts"

const place = { outPath: "/var/lib/m3db", controlPath: "/var/lib/m3db/control.sock" }

const wait = (change: WaitChange): Wait => ({
  subject: "shard 0",
  waitingFor: "x",
  cause: "y",
  peers: [],
  remedy: "do this",
  change,
  sinceMillis: 0
})

const rowsOf: Readonly<Record<string, string>> = {
  [settableLevel.id]: "level",
  [boundedMemory.id]: "bytes",
  [settableRate.id]: "bytes-per-second"
}

const hostOf = (...plugins: ReadonlyArray<AnyPlugin>) => {
  const rows = plugins.flatMap(({ id }) => {
    const setting = rowsOf[id]
    return setting === undefined ? [] : [{ plugin: id, setting, summary: "", current: 0 }]
  })
  const nodes = plugins.map((plugin) => ({ name: plugin.id, plugin }))
  return { graph: { nodes }, settings: { rows } } as unknown as Pick<RunningHost<never>, "graph" | "settings">
}

const remedy = (change: WaitChange, host: ReturnType<typeof hostOf> | undefined, at = place) =>
  withCommand(wait(change), at, host).remedy

describe("a remedy", () => {
  const whole = hostOf(settableLevel, boundedMemory, settableRate)

  it("ends with the command that does it", () => {
    assert.strictEqual(
      remedy({ setting: "level", value: "none" }, whole),
      "do this: peerstrap-m3db set-level none --out /var/lib/m3db"
    )
    assert.strictEqual(
      remedy({ setting: "memory", value: "1MiB" }, whole),
      "do this (at the next start --memory 1MiB): peerstrap-m3db set memory.bounded bytes 1MiB --out /var/lib/m3db"
    )
    assert.strictEqual(
      remedy({ setting: "peer-rate", value: "2000" }, whole),
      "do this (at the next start --peer-bytes-per-second 2000): " +
        "peerstrap-m3db set rate.settable bytes-per-second 2000 --out /var/lib/m3db"
    )
  })

  it("says so where the run's part does not change, and nothing before there are parts", () => {
    const change = { setting: "level", value: "none" } as const
    assert.strictEqual(remedy(change, hostOf(fixedLevel)), "do this; consistency.fixed cannot change it now")
    assert.strictEqual(remedy(change, undefined), "do this")
    assert.include(consistencyPlugins, fixedLevel)
  })

  it("finds the run by what was given, as a shell reads it", () => {
    const odd = "/tmp/it's $HOME; a b"
    const flags = [
      placeFlag({ outPath: odd, controlPath: `${odd}/control.sock` }),
      placeFlag({ ...place, controlPath: odd })
    ]
    assert.deepStrictEqual(
      flags.map((flag) => execFileSync("/bin/sh", ["-c", `printf '%s|' ${flag}`], { encoding: "utf8" })),
      [`--out|${odd}|`, `--control|${odd}|`]
    )
  })
})
