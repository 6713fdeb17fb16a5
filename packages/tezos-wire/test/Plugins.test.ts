import { assert, describe, it } from "@effect/vitest"
import { compose, explainText, fromConfig, Host } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import { Crypto, toHex } from "../src/index.ts"
import { anyCrypto, cryptoKind, cryptoPlugins, nativeCrypto, portableCrypto } from "../src/plugin/index.ts"

/** blake2b-256 of nothing. */
const ofNothing = "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"

const uses = Effect.map(Crypto, (crypto) => [crypto.implementation, toHex(crypto.blake2b(new Uint8Array(0), 32))])

describe("cryptography as plugins", () => {
  it.effect("native and portable start and give the same", () =>
    Effect.gen(function*() {
      const statuses: Array<string> = []
      const run = (part: ReturnType<typeof nativeCrypto>) =>
        Host.run(compose(part), (host) => {
          statuses.push(host.statuses()[0]!.message)
          return uses
        })
      assert.deepStrictEqual(yield* run(nativeCrypto({})), ["native", ofNothing])
      assert.deepStrictEqual(yield* run(portableCrypto({})), ["portable", ofNothing])
      const [chosen, digest] = yield* run(anyCrypto({}))
      assert.include(["native", "portable"], chosen)
      assert.deepStrictEqual([digest, statuses], [ofNothing, ["native", "portable", chosen]])
    }))

  it.effect("a wrong name is told with line and column", () =>
    Effect.gen(function*() {
      const text = "plugins:\n  - use: tezos.crypto.nativ\n"
      const error = yield* Effect.flip(fromConfig(cryptoPlugins, text, { path: "c.yaml", needs: [cryptoKind] }))
      assert.match(error.message, /c\.yaml:2:10: there is no plugin "tezos\.crypto\.nativ".*tezos\.crypto\.native/)
    }))

  it("each explains itself", () => {
    for (const plugin of cryptoPlugins) assert.match(explainText(plugin), /provides\n {2}tezos\.crypto \(one\)/)
  })
})
