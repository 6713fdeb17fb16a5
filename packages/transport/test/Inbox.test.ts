// The receiving half of a connection against a naive reference: a list of bytes, delivered whenever nothing is in the way.
import { assert, describe, it } from "@effect/vitest"
import { type CloseReason, Inbox } from "@peerstrap/transport"
import * as fc from "fast-check"

const end: CloseReason = { kind: "end", message: "over" }

describe("Inbox", () => {
  it("delivers every byte once and in order, under any mix of pauses, early bytes and ends", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant("offer" as const), length: fc.nat(5) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("receive" as const) }) }
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        (steps, answers) => {
          const got: Array<number> = []
          const finished: Array<CloseReason> = []
          let calls = 0
          let paused = false
          let installed = false
          const inbox = new Inbox({
            wanted: () => assert.isTrue(inbox.wants),
            finished: (reason) => finished.push(reason)
          })
          const consumer = (chunk: Uint8Array) => {
            assert.isFalse(paused, "delivered during a pause")
            got.push(...chunk)
            paused = !answers[calls++ % answers.length]!
            return !paused
          }
          const sent: Array<number> = []
          const resume = () => {
            paused = false
            inbox.resume()
          }
          for (const action of steps) {
            if (action.do === "offer") {
              const chunk = Uint8Array.from({ length: action.length }, () => sent.push(sent.length & 0xff) & 0xff)
              inbox.offer(chunk)
              chunk.fill(0xee)
            } else if (action.do === "resume") resume()
            else if (!installed) {
              installed = true
              inbox.receive(consumer)
            }
            assert.strictEqual(inbox.heldBytes, sent.length - got.length)
          }
          inbox.end(end)
          if (!installed) inbox.receive(consumer)
          for (let i = 0; i <= sent.length; i++) resume()
          assert.deepStrictEqual(got, sent.map((_, i) => (i + 1) & 0xff))
          assert.deepStrictEqual(finished, [end])
        }
      ),
      { seed: 90_125, numRuns: 500 }
    )
  })

  it("keeps bytes that are offered from within the consumer's own call, in order and without recursion", () => {
    const got: Array<number> = []
    const inbox = new Inbox({ wanted: () => {}, finished: () => {} })
    inbox.receive((chunk) => {
      if (chunk[0] === 1) {
        assert.isFalse(inbox.offer(Uint8Array.of(2)))
        assert.isFalse(inbox.offer(Uint8Array.of(3)))
      }
      got.push(...chunk)
      return true
    })
    assert.isTrue(inbox.offer(Uint8Array.of(1)))
    assert.deepStrictEqual(got, [1, 2, 3])
  })

  it("drops what is held when it is aborted, and never calls the consumer again", () => {
    const finished: Array<string> = []
    const inbox = new Inbox({ wanted: () => {}, finished: (reason) => finished.push(reason.message) })
    let calls = 0
    inbox.receive(() => {
      calls++
      return false
    })
    inbox.offer(Uint8Array.of(1))
    inbox.offer(Uint8Array.of(2))
    inbox.abort({ kind: "local", message: "stop" })
    inbox.abort({ kind: "local", message: "again" })
    inbox.resume()
    inbox.end(end)
    assert.isFalse(inbox.offer(Uint8Array.of(3)))
    assert.deepStrictEqual([calls, inbox.heldBytes, finished], [1, 0, ["stop"]])
  })
})
