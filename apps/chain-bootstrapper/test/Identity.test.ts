/** `identity generate` and the file it leaves: mode 600, never replaced, judged when it is read. */
import { assert, describe, it } from "@effect/vitest"
import { PluginStartError } from "@peerstrap/plugin-host"
import { NodeFileSystem } from "@peerstrap/storage"
import { loadIdentity } from "@peerstrap/tezos-bootstrap"
import { checkProofOfWork, loadCrypto, parseIdentity, proofOfWorkTarget } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { loadedCryptoLayer } from "../src/LoadedCrypto.ts"
import { partFault } from "../src/sync/StartFaults.ts"
import { temporaryDirectory } from "./support/Directories.ts"
import { runHere } from "./support/InProcess.ts"

const local = Effect.provide(Layer.merge(NodeFileSystem.layer, loadedCryptoLayer))

describe("identity", () => {
  it.live("makes a file of mode 600 that proves the work, and never replaces one", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "deep", "identity.json")
      const { code, err, out } = yield* runHere("identity", "generate", "--difficulty", "8", "--out", path, "--json")
      assert.strictEqual(code, 0, err)
      const document = JSON.parse(out)
      assert.match(document.peerId, /^id[1-9A-HJ-NP-Za-km-z]{28}$/)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      const text = readFileSync(path, "utf8")
      assert.strictEqual(JSON.parse(text).peer_id, document.peerId)
      const crypto = yield* loadCrypto
      const identity = parseIdentity(crypto, text)
      assert.isTrue("publicKey" in identity)
      if (!("publicKey" in identity)) return
      assert.isTrue(checkProofOfWork(crypto, identity.publicKey, identity.proofOfWorkStamp, proofOfWorkTarget(8)))
      const again = yield* runHere("identity", "generate", "--difficulty", "0", "--out", path)
      assert.deepStrictEqual([again.code, again.out], [4, ""])
      assert.match(again.err, /is there already[\s\S]*--out/)
      assert.strictEqual(readFileSync(path, "utf8"), text)
    }))

  it.live("knows generate alone, and tells a place that cannot be written to before it searches", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      assert.strictEqual((yield* runHere("identity", "delete")).code, 2)
      assert.match((yield* runHere("identity")).err, /generate: missing; The word itself, as in: identity generate$/m)
      writeFileSync(join(directory, "file"), "")
      const below = yield* runHere("identity", "generate", "--out", join(directory, "file", "identity.json"))
      assert.strictEqual(below.code, 4, below.err)
      assert.match(below.err, /a part of the path is a file/)
    }))

  it.live("refuses a file that is none or proves too little, and warns of one that others can read", () =>
    Effect.gen(function*() {
      const path = join(yield* temporaryDirectory, "identity.json")
      assert.strictEqual(yield* loadIdentity(path, 0), undefined)
      yield* runHere("identity", "generate", "--difficulty", "0", "--out", path)
      const cause = yield* Effect.flip(loadIdentity(path, 60))
      const weak = partFault(new PluginStartError({ plugin: "chain.protocol.tezos", message: "", cause }))
      assert.deepStrictEqual([weak.exitCode, weak.remedy.includes("identity generate")], [2, true])
      assert.match(weak.message, /less work than the network asks for \(difficulty 60\)/)
      assert.strictEqual((yield* loadIdentity(path, 0))?.warning, undefined)
      chmodSync(path, 0o644)
      assert.match((yield* loadIdentity(path, 0))?.warning ?? "", /can be read by others.*chmod 600/)
      writeFileSync(path, "{}")
      const none = yield* Effect.flip(loadIdentity(path, 0))
      assert.match(none.message, /is no identity file: public_key: missing.*secret_key: missing/)
    }).pipe(local))
})
