import { assert, describe, it } from "@effect/vitest"
import { parseNetwork } from "@peerstrap/tezos-bootstrap"
import {
  type CryptoFunctions,
  decodePeerMessage,
  encodePeerMessage,
  handshake,
  loadCrypto,
  Malformed,
  type PeerMessage
} from "@peerstrap/tezos-wire"
import { Tcp, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { seededIdentity } from "../src/chains/SeededIdentity.ts"
import { type Lab, runLab, startLab } from "./support/LabProcess.ts"

const timeout = 60_000
const proofOfWork = 6

const networkPath = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-lab-test-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  ),
  (directory) => join(directory, "network.json")
)

interface ChainReady {
  readonly network: string
  readonly processes: ReadonlyArray<{ readonly pid: number; readonly peers: string }>
  readonly peers: ReadonlyArray<{ readonly id: number; readonly address: string; readonly peerId: string }>
}

const readyOf = (lab: Lab) =>
  Effect.promise(async (): Promise<ChainReady> =>
    JSON.parse(await lab.out.first((line) => line.startsWith("{\"network")))
  )

const networkOf = (crypto: CryptoFunctions, path: string) => {
  const network = parseNetwork(crypto, readFileSync(path, "utf8"), path)
  assert.isTrue("chainName" in network, "message" in network ? network.message : "")
  if (!("chainName" in network)) throw network
  return network
}

/** A connection to a peer on which its branch was asked for; its messages, those that are waited for. */
const visit = Effect.fnUntraced(function*(crypto: CryptoFunctions, path: string, address: string, seed: string) {
  const { chainIdBytes: chainId, chainName, proofOfWork: powDifficulty } = networkOf(crypto, path)
  const [host = "", port] = address.split(":")
  const connection = yield* (yield* Transport).dial({ host, port: Number(port) })
  const identity = seededIdentity(crypto, seed, proofOfWork)
  const session = yield* handshake(connection, { crypto, identity, chainName, side: "initiator", powDifficulty })
  const messages = yield* Queue.unbounded<PeerMessage>()
  session.receive((body) => {
    const message = decodePeerMessage(body)
    if (!(message instanceof Malformed)) Queue.offerUnsafe(messages, message)
    return true
  })
  yield* session.send([encodePeerMessage({ _tag: "GetCurrentBranch", chainId })])
  const next = (tag: PeerMessage["_tag"]): Effect.Effect<number> =>
    Effect.flatMap(
      Queue.take(messages),
      (message) => message._tag === tag && "header" in message ? Effect.succeed(message.header.level) : next(tag)
    )
  return { closed: session.closed, next }
})

const tell = (lab: Lab, line: string) =>
  Effect.promise(async () => {
    const answer = lab.out.first((each) => each.includes(`"command":${JSON.stringify(line)}`))
    lab.child.stdin.write(`${line}\n`)
    return JSON.parse(await answer)
  })

const small = ["--peers", "4", "--processes", "3", "--levels", "30", "--proof-of-work", String(proofOfWork), "--json"]

describe("peerstrap-lab chain", { concurrent: false }, () => {
  it.live(
    "serves over the real wire, moves heads, kills and revives peers as told, and ends its processes with it",
    () =>
      Effect.gen(function*() {
        const crypto = yield* loadCrypto
        const path = yield* networkPath
        const lab = yield* startLab("chain", ...small, "--fork", "better:28:5", "--network-file", path)
        const ready = yield* readyOf(lab)
        assert.deepEqual(ready.peers.map(({ id }) => id), [1, 2, 3, 4])
        assert.deepEqual(ready.processes.map(({ peers }) => peers), ["1-2", "3", "4"])
        const { peers, proofOfWork: asked } = networkOf(crypto, path)
        assert.deepEqual([peers, asked], [ready.peers.map(({ address }) => address), proofOfWork])

        const { address } = ready.peers[0]!
        const first = yield* visit(crypto, path, address, "a visitor")
        assert.equal(yield* first.next("CurrentBranch"), 30)
        assert.deepInclude(yield* tell(lab, "head 1-2 better@31"), { done: true })
        assert.equal(yield* first.next("CurrentBranch"), 31)
        assert.deepInclude(yield* tell(lab, "head all better@32"), { done: true })
        assert.equal(yield* first.next("CurrentHead"), 32)

        assert.deepInclude(yield* tell(lab, "kill 1"), { done: true })
        yield* first.closed
        yield* Effect.flip(Effect.scoped(visit(crypto, path, address, "too early")))
        assert.deepInclude(yield* tell(lab, "revive 1"), { done: true })
        const second = yield* visit(crypto, path, address, "another")
        assert.equal(yield* second.next("CurrentBranch"), 32)
        const { activity } = yield* tell(lab, "activity 1")
        assert.deepInclude(activity[0], { id: 1, connections: 2, violations: {} })

        for (
          const [line, says] of [
            ["head 1 worse", /no branch worse; there are main, better/],
            ["head 1 better@40", /branch better has levels 1 to 33/],
            ["kill 9", /there is no peer 9, the last one is 4/],
            ["behave 1 lazy", /no behaviour "lazy"; there are: silent/],
            ["dance", /no such command; there are: head, kill/]
          ] as const
        ) {
          const { done, problem } = yield* tell(lab, line)
          assert.isFalse(done)
          assert.match(problem, says)
        }

        process.kill(ready.processes[1]!.pid, "SIGKILL")
        yield* Effect.promise(() => lab.error.first((line) => line.includes("of peers 3 killed by SIGKILL")))
        assert.deepInclude(yield* tell(lab, "head all main"), { done: true })
        lab.child.kill("SIGTERM")
        assert.deepEqual(yield* Effect.promise(() => lab.ended), { code: 143, signal: null })
        yield* second.closed
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)),
    timeout
  )

  it.live(
    "has the same identities for the same seed, leaves no process behind when it is killed, and ends with 3 when all have died",
    () =>
      Effect.gen(function*() {
        const crypto = yield* loadCrypto
        const path = yield* networkPath
        const one = [
          "--peers",
          "2",
          "--processes",
          "1",
          "--levels",
          "20",
          "--proof-of-work",
          "6",
          "--seed",
          "9",
          "--json"
        ]
        const first = yield* startLab("chain", ...one, "--network-file", path)
        const ready = yield* readyOf(first)
        const visitor = yield* visit(crypto, path, ready.peers[1]!.address, "a visitor")
        first.child.kill("SIGKILL")
        yield* visitor.closed
        const second = yield* startLab("chain", ...one, "--network-file", path)
        const again = yield* readyOf(second)
        assert.deepEqual(again.peers.map(({ peerId }) => peerId), ready.peers.map(({ peerId }) => peerId))
        process.kill(again.processes[0]!.pid, "SIGKILL")
        assert.equal((yield* Effect.promise(() => second.ended)).code, 3)
        assert.include(second.error.all.join("\n"), "no process is left")
      }).pipe(Effect.scoped, Effect.provide(Tcp.layer)),
    timeout
  )

  it.live("tells every problem of a command line, and a port that is taken", () =>
    Effect.gen(function*() {
      const path = yield* networkPath
      const wrong = yield* runLab(
        "chain",
        "--peers",
        "3",
        "--fork",
        "a:3000:1",
        "--head",
        "9:main",
        "--head",
        "1:b",
        "--behaviour",
        "1:lazy",
        "--operation-bytes",
        "9-1"
      )
      assert.deepEqual([wrong.code, wrong.out], [2, []])
      const said = wrong.error.join("\n")
      for (
        const each of [
          "a: branch main has levels 1 to 2048, not 3000",
          "there is no peer 9, the last one is 3",
          "no branch b; there are main, a",
          "no behaviour \"lazy\"",
          "--operation-bytes"
        ]
      ) assert.include(said, each)
      const lab = yield* startLab("chain", ...small, "--network-file", path)
      const port = (yield* readyOf(lab)).peers[0]!.address.split(":")[1]!
      const taken = yield* runLab("chain", "--peers", "1", "--levels", "5", "--base-port", port, "--network-file", path)
      assert.equal(taken.code, 4)
      assert.match(taken.error.join("\n"), new RegExp(`peer 1 at 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`))
    }).pipe(Effect.scoped), timeout)
})
