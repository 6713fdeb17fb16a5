/** The plugin of ZoneFirst.ts three times: in code, from a config file, and in a config with a mistake. */
import { best, makePeerQueues, PeerRanking } from "@peerstrap/peer-selection"
import { leastLoadedPlugin, selectionKind } from "@peerstrap/peer-selection/plugin"
import { rankingSuite } from "@peerstrap/peer-selection/testing"
import { compose, fromConfig, Host } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { zoneFirst } from "./ZoneFirst.ts"

const ids = ["ap-1/a", "eu-1/b", "eu-1/c"]
const queues = makePeerQueues({ peers: ids, random: () => 0.5 })

/** What a program does with the service: it neither knows nor cares which plugin gives it. */
const choose = () =>
  PeerRanking.useSync((ranking) =>
    `${best(ranking, [0, 1, 2].map((peer) => queues.candidate(peer, 0)))?.id} by ${ranking.name}`
  )

const path = fileURLToPath(new URL("selection.yaml", import.meta.url))
const text = readFileSync(path, "utf8")
const configured = (config: string) => fromConfig([leastLoadedPlugin], config, { path, needs: [selectionKind] })

const chosen = await Effect.runPromise(Effect.all({
  inCode: Host.run(compose(zoneFirst({ zone: "eu-1/" })), choose),
  fromConfig: Effect.flatMap(configured(text), (parts) => Host.run(parts, choose)),
  swapped: Host.run(compose(leastLoadedPlugin({})), choose),
  mistake: Effect.map(Effect.flip(configured(text.replace("zone:", "zonne:"))), ({ message }) => message)
}))

assert.equal(chosen.inCode, "eu-1/b by zone-first")
assert.equal(chosen.fromConfig, chosen.inCode)
assert.equal(chosen.swapped, "ap-1/a by least-loaded")
const unknownKey = chosen.mistake.split("\n").find((line) => line.includes("no key"))
assert.match(unknownKey ?? "", /selection\.yaml:4:13: .*"zonne"; did you mean zone\?/)

// The kit of the contract says whether a ranking is fit for use: a total order, failed peers last, idle ones first.
const checks: Array<() => Promise<void>> = []
rankingSuite("zone-first", Host.layer(compose(zoneFirst({ zone: "eu-1/" }))), {
  capabilities: {},
  ids, // near and far ones: those of its own all are far
  test: (_name, run) => checks.push(run)
})
for (const check of checks) await check()

console.log(`in code: ${chosen.inCode}\nfrom selection.yaml: ${chosen.fromConfig}\nanother plugin: ${chosen.swapped}`)
console.log(`a mistake: ${unknownKey?.replace(/\S*\//, "").trim()}`)
