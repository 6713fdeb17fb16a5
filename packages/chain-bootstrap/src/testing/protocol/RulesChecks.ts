/** The checks of `ChainRules`, which need no peer: over the headers and bodies of the world's chain. */
import { type CheckFailed, expectSame, expectTrue } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import type { Block } from "../../contract/Block.ts"
import { ChainProtocol } from "../../contract/ChainProtocol.ts"
import type { ChainRules } from "../../contract/ChainRules.ts"
import type { ProtocolCheck } from "./ProtocolChecks.ts"
import { fullBlock } from "./ProtocolProbes.ts"
import { ProtocolWorld } from "./ProtocolWorld.ts"

const rule = (
  name: string,
  run: (rules: ChainRules, blocks: ReadonlyArray<Block>) => Effect.Effect<void, CheckFailed>
): ProtocolCheck => ({
  name,
  run: Effect.gen(function*() {
    const { rules } = yield* ChainProtocol
    yield* run(rules, (yield* ProtocolWorld).blocks)
  })
})

const pairs = (blocks: ReadonlyArray<Block>): ReadonlyArray<readonly [Block, Block]> =>
  blocks.slice(1).map((child, at) => [child, blocks[at]!])

export const rulesChecks: ReadonlyArray<ProtocolCheck> = [
  rule(
    "decodes headers as they are, and owns what it keeps",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const { header } of blocks) {
        const bytes = header.bytes.slice()
        const decoded = rules.decodeHeader(bytes)
        bytes.fill(0)
        yield* expectSame(`header of level ${header.level}`, decoded, header)
        yield* expectSame("bytes of its id", header.id.length, 2 * rules.idBytes)
      }
      const ids = new Set(blocks.map(({ header }) => rules.displayId(header.id)))
      yield* expectSame("different texts of ids", ids.size, blocks.length)
    })
  ),
  rule(
    "takes no header for another one",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const { header } of blocks.slice(2, 4)) {
        const faults: Array<Uint8Array> = [new Uint8Array(0), header.bytes.slice(0, -1), header.bytes.slice(1)]
        faults.push(new Uint8Array([...header.bytes, 0]))
        for (let at = 0; at < header.bytes.length; at++) {
          const changed = header.bytes.slice()
          changed[at]! ^= 1 << (at & 7)
          faults.push(changed)
        }
        for (const [at, bytes] of faults.entries()) {
          const decoded = rules.decodeHeader(bytes)
          const isOther = typeof decoded === "string" || decoded.id !== header.id
          yield* expectTrue(
            `wrong bytes ${at} for the header of level ${header.level} are refused or another id`,
            isOther
          )
        }
      }
    })
  ),
  rule(
    "orders chains by their weight",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const [at, { header }] of blocks.entries()) {
        for (const [other, { header: rival }] of blocks.entries()) {
          const sign = Math.sign(rules.compareWeight(header.weight, rival.weight))
          yield* expectSame(`weight of level ${header.level} beside ${rival.level}`, sign, Math.sign(at - other))
        }
      }
    })
  ),
  rule(
    "links a child to its parent, and to nothing else",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const [child, parent] of pairs(blocks)) {
        yield* expectSame("fault of a link", rules.checkLink(child.header, parent.header), undefined)
        const reversed = rules.checkLink(parent.header, child.header)
        yield* expectTrue("a parent on top of its child is refused", reversed !== undefined)
      }
      for (const [child, parent] of pairs(blocks.filter((_, at) => at % 2 === 0))) {
        yield* expectTrue("a grandchild is refused", rules.checkLink(child.header, parent.header) !== undefined)
        const light = {
          ...child.header,
          parent: parent.header.id,
          level: parent.header.level + 1,
          weight: parent.header.weight
        }
        yield* expectTrue(
          "a child no heavier than its parent is refused",
          rules.checkLink(light, parent.header) !== undefined
        )
      }
    })
  ),
  rule(
    "takes headers of now and of the past, and none of the future",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const { header } of blocks) {
        for (const later of [0, 3600]) {
          yield* expectSame("fault", rules.checkAlone(header, header.timeSeconds + later), undefined)
        }
        const early = rules.checkAlone(header, header.timeSeconds - 3600)
        yield* expectTrue("a header an hour ahead is refused", early !== undefined)
      }
    })
  ),
  rule(
    "takes a whole body, and none that is altered, short or out of order",
    Effect.fnUntraced(function*(rules, blocks) {
      for (const { header, units } of blocks) {
        yield* expectSame(`fault of the body of level ${header.level}`, rules.verifyBody(header, units), undefined)
      }
      const { header, units } = fullBlock(blocks)
      const at = units.findIndex(({ length }) => length > 0)
      const changed = units.map((unit, each) =>
        each === at ? unit.map((byte, i) => i === unit.length - 1 ? byte ^ 1 : byte) : unit
      )
      yield* expectTrue("a changed bit is refused", rules.verifyBody(header, changed) !== undefined)
      yield* expectTrue("a unit too few is refused", rules.verifyBody(header, units.slice(0, -1)) !== undefined)
      yield* expectTrue("a unit too many is refused", rules.verifyBody(header, [...units, units[0]!]) !== undefined)
      const turned = [...units.slice(1), units[0]!]
      yield* expectTrue("another order is refused", rules.verifyBody(header, turned) !== undefined)
    })
  ),
  rule(
    "declares limits that can be kept",
    Effect.fnUntraced(function*(rules, blocks) {
      yield* expectTrue(
        "a request names one item at least",
        rules.itemsPerRequest >= 1 && Number.isInteger(rules.itemsPerRequest)
      )
      yield* expectTrue("finality is a number of levels", rules.finality >= 0 && Number.isInteger(rules.finality))
      for (const [kind, millis] of Object.entries(rules.spacingMillis)) {
        yield* expectTrue(`the spacing of ${kind} is a time`, Number.isFinite(millis) && millis >= 0)
      }
      yield* expectSame(
        "units of a header",
        blocks.map(({ header }) => header.units),
        blocks.map(({ units }) => units.length)
      )
    })
  )
]
