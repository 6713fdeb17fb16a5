/** `decode`: JSON of what is well formed, exit code 2 and the byte offset of what is not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryDirectory } from "./support/Directories.ts"
import { runHere } from "./support/InProcess.ts"

/** specs: chain bootstrap 2.2; the genesis header of mainnet. */
const genesisHeader = "00000000008fcf233671b6a04fcf679d2a381c2544ea6c1ea29ba6157776ed8424c7ccd00b000000005b37aac400" +
  "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a800000000" +
  "3fdf8e76abec28f333dca1964e86404e455f5fc7838012558d9e43e23937ea88"

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

describe("decode", () => {
  it.live("takes hex of a message, a frame and a header, and says which it is", () =>
    Effect.gen(function*() {
      const message = yield* runHere("decode", "00107a06a770")
      assert.deepStrictEqual([message.code, message.err], [0, ""])
      assert.deepStrictEqual(JSON.parse(message.out), { message: "GetCurrentBranch", chain_id: "NetXdQprcVkpaWU" })
      const frame = JSON.parse((yield* runHere("decode", "0000000600107a06a770", "--json")).out)
      assert.deepStrictEqual([frame.command, frame.exitCode, frame.kind, frame.bytes], ["decode", 0, "frame", 10])
      const header = JSON.parse((yield* runHere("decode", "--kind", "header", genesisHeader, "--json")).out)
      assert.deepStrictEqual(
        [header.value.level, header.value.predecessor, header.value.time],
        [0, "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2", "2018-06-30T16:07:32.000Z"]
      )
      assert.match(header.value.hash, /^B[1-9A-HJ-NP-Za-km-z]{50}$/)
    }))

  it.live("takes files of hex text and of bytes", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const asText = join(directory, "header.hex")
      const asBytes = join(directory, "header.bin")
      writeFileSync(asText, `0x${genesisHeader.slice(0, 100)}\n${genesisHeader.slice(100)}\n`)
      writeFileSync(asBytes, bytesOf(genesisHeader))
      const values = []
      for (const argv of [["--file", asText], ["--file", asBytes], [asBytes]]) {
        const { code, err, out } = yield* runHere("decode", "--kind", "header", ...argv)
        assert.deepStrictEqual([code, err], [0, ""])
        values.push(JSON.parse(out))
      }
      assert.deepStrictEqual(values[0], values[1])
      assert.deepStrictEqual(values[0], values[2])
    }))

  it.live("names the byte offset of malformed input, with exit code 2", () =>
    Effect.gen(function*() {
      for (
        const [argv, offset] of [
          [["--kind", "message", "00107a06a7"], 2],
          [["--kind", "frame", "0000000600107a06a7"], 0],
          [["--kind", "frame", "0000000500107a06a7"], 6],
          [["--kind", "message", "00107a06a77000"], 6],
          [["--kind", "header", genesisHeader.slice(0, 60)], 0],
          [["--kind", "message", "ffff"], 0]
        ] as const
      ) {
        const text = yield* runHere("decode", ...argv)
        assert.deepStrictEqual([text.code, text.out], [2, ""], text.err)
        assert.match(text.err, new RegExp(`malformed at byte ${offset} of \\d+: `), argv.join(" "))
        const json = yield* runHere("decode", ...argv, "--json")
        const document = JSON.parse(json.out)
        assert.deepStrictEqual([json.code, document.exitCode, document.offset], [2, 2, offset])
        assert.match(document.error.message, /malformed/)
      }
    }))

  it.live("names the offset also of what is no hex, and says when nothing or too much is given", () =>
    Effect.gen(function*() {
      const strange = yield* runHere("decode", "00107g06")
      assert.strictEqual(strange.code, 2)
      assert.match(strange.err, /no hex text \(byte offset 2: .*"g"/)
      const odd = yield* runHere("decode", "00107")
      assert.strictEqual(odd.code, 2)
      assert.match(odd.err, /odd number of digits/)
      assert.match((yield* runHere("decode")).err, /HEX: is missing/)
      assert.match((yield* runHere("decode", "00", "--file", "x")).err, /not both/)
      assert.match((yield* runHere("decode", "--file", "/nowhere/x")).err, /cannot be read/)
    }))
})
