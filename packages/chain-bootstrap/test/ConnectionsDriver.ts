/** Connections of a test: how they begin, what is said to them. */
import { assert } from "@effect/vitest"
import { Random } from "@peerstrap/simulator"
import type { ConnectionOptions, Connections, ConnectionSeeds, ConnectionWish } from "../src/contract/Connections.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { makeConnections } from "../src/engine/connections/Connections.ts"

export const begin = (
  named: ReadonlyArray<string> = [],
  options: Partial<ConnectionOptions> = {},
  seeds: Partial<ConnectionSeeds> = {}
): Connections => {
  const random = Random.make(1)
  return makeConnections(connectionOptions({ maxPeers: 8, minPeers: 1, ...options }), {
    random: () => random.float(),
    ownId: "me",
    named,
    ...seeds
  })
}

export const dialsOf = (wishes: ReadonlyArray<ConnectionWish>): ReadonlyArray<string> =>
  wishes.flatMap((wish) => wish.kind === "dial" ? [wish.point] : [])
export const kindsOf = (wishes: ReadonlyArray<ConnectionWish>): ReadonlyArray<string> => wishes.map((wish) => wish.kind)

/** A public address that shares its group with no other number. */
export const far = (i: number): string => `${20 + i}.1.1.1:9732`

let nextPeer = 1
export const connect = (
  connections: Connections,
  id: string,
  point: string | undefined,
  now: number,
  side: "outgoing" | "incoming" = "outgoing"
): number => {
  const peer = nextPeer++
  assert.isTrue(connections.connected({ peer, id, point, side, named: false, score: 100 }, now), `${id} at ${point}`)
  return peer
}
export const lost = { kind: "lost", message: "reset" } as const
export const failed = { kind: "dial-failed", message: "refused" } as const
export const expected = { kind: "expected", message: "nacked" } as const
export const greylisted = { kind: "greylisted", message: "proof", longest: false } as const

export const statusOf = (connections: Connections, point: string, now: number) =>
  connections.known(now).find((known) => known.point === point || known.id === point)
