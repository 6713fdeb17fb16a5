// What a header may not say, rule by rule, on headers made for it.
import { assert, describe, it } from "@effect/vitest"
import { makeTezosRules } from "@peerstrap/tezos-bootstrap"
import { encodeHeader, type HeaderContent } from "@peerstrap/tezos-wire"
import { bytes, chainFacts, crypto, facts, genesisId } from "./chains.ts"

const rules = makeTezosRules(crypto, chainFacts)
const zeros = new Uint8Array(32)
const content = (changes: Partial<HeaderContent>): HeaderContent => ({
  level: 7,
  proto: 3,
  predecessor: zeros,
  timestamp: 1_000,
  validationPass: 4,
  operationsHash: zeros,
  fitness: [Uint8Array.of(2), Uint8Array.of(0, 0, 0, 7)],
  context: zeros,
  protocolData: new Uint8Array(20),
  ...changes
})
const header = (changes: Partial<HeaderContent>) => facts(rules, encodeHeader(content(changes)))
const weight = (...elements: ReadonlyArray<ReadonlyArray<number>>) =>
  header({ fitness: elements.map((each) => Uint8Array.from(each)) }).weight
const now = 2_000

describe("TezosRules", () => {
  it("takes what fits", () => {
    assert.isUndefined(rules.checkAlone(header({}), now))
    assert.isUndefined(rules.checkAlone(header({ timestamp: now + 1 }), now))
    assert.isUndefined(rules.checkAlone(header({ level: 1, validationPass: 0 }), now))
    assert.isUndefined(rules.checkAlone(header({ level: 1, validationPass: 4 }), now))
  })

  it("refuses a header that is wrong by itself", () => {
    assert.match(rules.checkAlone(header({ timestamp: now + 2 }), now)!, /2 s ahead/)
    assert.match(rules.checkAlone(header({ validationPass: 0 }), now)!, /0 passes at level 7/)
    assert.match(rules.checkAlone(header({ validationPass: 3 }), now)!, /3 passes/)
    assert.match(rules.checkAlone(header({ level: 1, validationPass: 3 }), now)!, /3 passes/)
    const tight = makeTezosRules(crypto, { ...chainFacts, limits: { ...chainFacts.limits, maxHeaderBytes: 300 } })
    assert.isUndefined(tight.checkAlone(header({ protocolData: new Uint8Array(173) }), now))
    assert.match(tight.checkAlone(header({ protocolData: new Uint8Array(174) }), now)!, /301 bytes/)
  })

  it("refuses links that do not hold", () => {
    const parent = header({})
    const child = (changes: Partial<HeaderContent>) =>
      header({
        level: 8,
        predecessor: bytes(parent.id),
        timestamp: 1_001,
        fitness: [Uint8Array.of(2), Uint8Array.of(0, 0, 0, 8)],
        ...changes
      })
    assert.isUndefined(rules.checkLink(child({}), parent))
    assert.isUndefined(rules.checkLink(child({ proto: 4 }), parent))
    assert.match(rules.checkLink(child({ proto: 2 }), parent)!, /protocol counter 2 after 3/)
    assert.match(rules.checkLink(child({ proto: 5 }), parent)!, /protocol counter 5 after 3/)
    assert.match(rules.checkLink(child({ predecessor: zeros }), parent)!, /predecessor/)
    assert.match(rules.checkLink(child({ level: 9 }), parent)!, /level 9 on level 7/)
    assert.match(rules.checkLink(child({ timestamp: 1_000 }), parent)!, /not after/)
    assert.match(rules.checkLink(child({ fitness: content({}).fitness }), parent)!, /fitness/)
    const last = header({ proto: 255 })
    assert.isUndefined(rules.checkLink(child({ predecessor: bytes(last.id), proto: 0 }), last))
  })

  it("orders fitness by count, then length, then bytes", () => {
    const rising = [weight(), weight([9]), weight([0, 1]), weight([0, 2]), weight([0], [0]), weight([0], [0, 0])]
    for (const [i, lower] of rising.entries()) {
      for (const [j, higher] of rising.entries()) {
        assert.strictEqual(Math.sign(rules.compareWeight(lower, higher)), Math.sign(i - j), `${i} ${j}`)
      }
    }
  })

  it("takes genesis as a constant, and nothing else at level 0", () => {
    const genesis = { level: 0, proto: 0, predecessor: bytes(genesisId), validationPass: 0, fitness: [] } as const
    assert.strictEqual(header(genesis).id, genesisId)
    assert.strictEqual(header({ ...genesis, context: new Uint8Array(32).fill(7) }).id, genesisId)
    const refused = (changes: Partial<HeaderContent>) =>
      rules.decodeHeader(encodeHeader(content({ ...genesis, ...changes }))) as string
    assert.match(refused({ predecessor: zeros }), /level 0 of a chain that begins with/)
    assert.match(refused({ fitness: [Uint8Array.of(9)] }), /fitness/)
    assert.match(refused({ validationPass: 4 }), /operations/)
    assert.match(refused({ level: -1 }), /level -1/)
  })

  it("says what cannot be decoded, and where", () => {
    assert.match(rules.decodeHeader(new Uint8Array(113)) as string, /113 bytes.*offset 0/)
    const good = encodeHeader(content({}))
    good[81] = 0xff
    assert.match(rules.decodeHeader(good) as string, /offset 78/)
  })

  it("refuses bodies that are no lists of operations", () => {
    assert.match(rules.verifyUnit(header({}), 0, new Uint8Array(3), Uint8Array.of(0))!, /offset 0/)
    assert.match(rules.verifyBody(header({}), [zeros, zeros, zeros, zeros])!, /pass 0/)
    assert.match(rules.verifyBody(header({}), [])!, /0 passes/)
    assert.match(rules.verifyUnit(header({}), 0, new Uint8Array(0), Uint8Array.of(1))!, /path is malformed/)
  })
})
