import { assert, describe, it } from "@effect/vitest"
import { decodeInit, initValue, isWireFault, notListening } from "@peerstrap/m3db-wire"

const frame = Buffer.from(
  "003f0100000000010000000000000000000200020009686f73745f706f72740009302e302e302e303a30000c70726f636573735f6e616d65000574735b315d",
  "hex"
)

const pair = (key: string, value: string) => {
  const bytes = Buffer.alloc(4 + key.length + value.length)
  bytes.writeUInt16BE(key.length, 0)
  bytes.write(key, 2)
  bytes.writeUInt16BE(value.length, 2 + key.length)
  bytes.write(value, 4 + key.length)
  return bytes
}

describe("init", () => {
  it("reads the smallest message that a real server accepts", () => {
    const init = decodeInit(frame, 16)
    if (isWireFault(init)) throw new Error(init.message)
    assert.strictEqual(init.version, 2)
    assert.strictEqual(initValue(init, "host_port"), notListening)
    assert.strictEqual(initValue(init, "process_name"), "ts[1]")
  })

  it("takes keys that it does not know", () => {
    const count = Buffer.from([0, 2, 0, 4])
    const pairs = [
      pair("tchannel_language", "go"),
      pair("host_port", "a:1"),
      pair("no such key", ""),
      pair("process_name", "p")
    ]
    const init = decodeInit(Buffer.concat([count, ...pairs]))
    if (isWireFault(init)) throw new Error(init.message)
    assert.strictEqual(initValue(init, "host_port"), "a:1")
    assert.strictEqual(initValue(init, "process_name"), "p")
    assert.strictEqual(initValue(init, "tchannel_language"), "go")
    assert.isUndefined(initValue(init, "tchannel_version"))
  })
})
