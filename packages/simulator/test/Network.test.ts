import { assert, describe, it } from "@effect/vitest"
import { type Endpoint, type LinkShape, Network, Random, Scheduler } from "@peerstrap/simulator"

const world = (link: LinkShape = { latencyMillis: 10 }, seed = 1, windowBytes?: number) => {
  const random = Random.make(seed)
  const scheduler = new Scheduler({ random })
  const network = new Network({ scheduler, random, link, ...(windowBytes === undefined ? {} : { windowBytes }) })
  return { scheduler, network }
}

/** Connects `a` to a listener on `b`, and runs until that is done. */
const connect = ({ network, scheduler }: ReturnType<typeof world>) => {
  const ends: { near?: Endpoint; far?: Endpoint } = {}
  const address = network.listen("b", 0, (endpoint) => {
    ends.far = endpoint
  })!
  network.dial("a", address, {
    connected: (endpoint) => {
      ends.near = endpoint
    },
    failed: (reason, message) => assert.fail(`${reason}: ${message}`)
  })
  scheduler.runUntilCondition(() => ends.near !== undefined)
  return { near: ends.near!, far: ends.far! }
}

const ignore = () => {}

/** Notes what arrives and when. */
const record = (scheduler: Scheduler, endpoint: Endpoint) => {
  const seen: Array<readonly [number, string]> = []
  endpoint.receive((chunk) => {
    seen.push([scheduler.now, Buffer.from(chunk).toString()])
    return true
  })
  return seen
}

const bytes = (text: string) => [Buffer.from(text)]

/** Fifty small writes under jitter; returns the hash of the run. */
const jittered = (seed: number) => {
  const it = world({ latencyMillis: 5, jitterMillis: 50 }, seed)
  const { far, near } = connect(it)
  const seen = record(it.scheduler, far)
  for (let i = 0; i < 50; i++) it.scheduler.after(i, () => near.write(bytes(`${i},`), ignore))
  it.scheduler.runUntilIdle()
  assert.strictEqual(seen.map(([, text]) => text).join(""), Array.from({ length: 50 }, (_, i) => `${i},`).join(""))
  return it.scheduler.hash
}

describe("Network", () => {
  it("connects after one round trip and carries bytes after one way", () => {
    const it = world()
    const { far, near } = connect(it)
    assert.strictEqual(it.scheduler.now, 20)
    const seen = record(it.scheduler, far)
    near.write(bytes("one"), ignore)
    near.write(bytes("two"), ignore)
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual(seen, [[30, "one"], [30, "two"]])
  })

  it("keeps order under jitter, by the seed", () => {
    assert.strictEqual(jittered(1), jittered(1))
    assert.notStrictEqual(jittered(1), jittered(2))
  })

  it("limits bandwidth, and makes writers wait for the window", () => {
    const it = world({ bytesPerSecond: 1_000 }, 1, 500)
    const { far, near } = connect(it)
    let received = 0
    far.receive((chunk) => {
      received += chunk.length
      return true
    })
    const start = it.scheduler.now
    let settledAt = 0
    near.write([new Uint8Array(2_000)], () => {
      settledAt = it.scheduler.now - start
    })
    it.scheduler.runUntil(start + 1_000)
    assert.strictEqual(received, 1_000)
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual([received, it.scheduler.now - start], [2_000, 2_000])
    assert.approximately(settledAt, 1_500, 20)
  })

  it("a paused receiver stops the writer; nothing is lost", () => {
    const it = world({ latencyMillis: 1 }, 1, 100)
    const { far, near } = connect(it)
    let settled = false
    let received = 0
    far.receive((chunk) => {
      received += chunk.length
      return false
    })
    near.write([new Uint8Array(1_000)], () => {
      settled = true
    })
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual([settled, received], [false, 100])
    for (let round = 0; round < 9; round++) {
      far.resume()
      it.scheduler.runUntilIdle()
    }
    assert.deepStrictEqual([settled, received], [true, 1_000])
  })

  it("refuses where nobody listens, where it is told to, and knows no strangers", () => {
    const { network, scheduler } = world()
    const address = network.listen("b", 9_000, ignore)!
    network.refuse("b")
    const reasons: Array<string> = []
    const callbacks = { connected: ignore, failed: (reason: string) => reasons.push(reason) }
    network.dial("a", address, callbacks)
    network.dial("a", { host: "b", port: 1 }, callbacks)
    network.dial("a", { host: "nobody", port: 1 }, callbacks)
    scheduler.runUntilIdle()
    assert.deepStrictEqual(reasons.toSorted(), ["refused", "refused", "unknown-host"])
    assert.isUndefined(network.listen("b", 9_000, ignore))
  })

  it("partitions delay, both ways or one, until healed", () => {
    for (const oneWay of [false, true]) {
      const it = world()
      const { far, near } = connect(it)
      const atFar = record(it.scheduler, far)
      const atNear = record(it.scheduler, near)
      it.network.partition(["a"], ["b"], { oneWay })
      near.write(bytes("to b"), ignore)
      far.write(bytes("to a"), ignore)
      it.scheduler.runUntil(5_000)
      assert.deepStrictEqual(atFar, [])
      assert.deepStrictEqual(atNear, oneWay ? [[30, "to a"]] : [])
      it.network.heal()
      it.scheduler.runUntilIdle()
      assert.deepStrictEqual(atFar, [[5_000, "to b"]])
      assert.strictEqual(atNear.length, 1)
    }
  })

  it("a dial across a partition waits until it is healed, or is given up", () => {
    const { network, scheduler } = world()
    const address = network.listen("b", 0, ignore)!
    // The way back is enough: the answer cannot come.
    network.partition(["b"], ["a"], { oneWay: true })
    let connected = 0
    const callbacks = { connected: () => connected++, failed: () => assert.fail("the dial failed") }
    network.dial("a", address, callbacks)
    const giveUp = network.dial("a", address, callbacks)
    scheduler.runUntil(1_000)
    giveUp()
    network.heal()
    scheduler.runUntilIdle()
    assert.deepStrictEqual([connected, scheduler.now], [1, 1_020])
  })

  it("a silent link swallows bytes and the end, for good", () => {
    const it = world()
    const { far, near } = connect(it)
    const seen = record(it.scheduler, far)
    near.write(bytes("before"), ignore)
    it.scheduler.runUntilIdle()
    it.network.silence("a", "b")
    let settled = 0
    near.write(bytes("lost"), () => settled++)
    it.scheduler.runUntilIdle()
    it.network.heal()
    near.write(bytes("after a hole"), () => settled++)
    near.close("unheard")
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual(seen.map(([, text]) => text), ["before"])
    assert.deepStrictEqual([settled, far.reason], [2, undefined])
  })

  it("a cut resets both ends and fails writes that wait", () => {
    const it = world({ latencyMillis: 10 }, 1, 10)
    const { far, near } = connect(it)
    let failure: string | undefined
    near.write([new Uint8Array(100)], (ended) => {
      failure = ended?.kind
    })
    assert.strictEqual(it.network.connections, 1)
    assert.strictEqual(it.network.cut("b"), 1)
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual([near.reason?.kind, far.reason?.kind, failure], ["error", "error", "error"])
    assert.strictEqual(it.network.connections, 0)
    assert.strictEqual(it.network.cut("b"), 0)
  })

  it("ends in order: what was written before a close arrives first", () => {
    const it = world()
    const { far, near } = connect(it)
    const seen = record(it.scheduler, far)
    near.receive(() => true)
    near.write(bytes("last words"), ignore)
    near.close("done")
    it.scheduler.runUntilIdle()
    assert.deepStrictEqual(seen, [[30, "last words"]])
    assert.deepStrictEqual([near.reason?.kind, far.reason?.kind, it.network.connections], ["local", "end", 0])
  })
})
