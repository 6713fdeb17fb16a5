import { assert, describe, it } from "@effect/vitest"
import { countedPeers } from "../src/engine/connections/CountedPeers.ts"
import { groupOf, reachOf } from "../src/engine/connections/PeerGroup.ts"
import { parseHost, parsePoint } from "../src/engine/connections/PointText.ts"

const reach = (host: string): string => {
  const parsed = parseHost(host)
  return parsed === undefined ? "malformed" : reachOf(parsed)
}

describe("points as text", () => {
  it("equal points have equal texts", () => {
    const texts = [
      ["1.2.3.4:9732", "1.2.3.4:9732"],
      ["[::ffff:1.2.3.4]:9732", "1.2.3.4:9732"],
      ["[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80"],
      ["[2001:db8:0:1:0:0:0:1]:80", "[2001:db8:0:1::1]:80"],
      ["[::]:1", "[::]:1"],
      ["[1:2:3:4:5:6:7:8]:65535", "[1:2:3:4:5:6:7:8]:65535"],
      ["Boot.Example.ORG.:9732", "boot.example.org:9732"]
    ]
    for (const [given, expected] of texts) assert.strictEqual(parsePoint(given!)?.text, expected, given)
  })

  it("a default port serves points without one", () => {
    assert.strictEqual(parsePoint("1.2.3.4"), undefined)
    for (const host of ["1.2.3.4", "boot.example.org"]) assert.strictEqual(parsePoint(host, 9732)?.text, `${host}:9732`)
    assert.strictEqual(parsePoint("2001:db8::1", 9732)?.text, "[2001:db8::1]:9732")
    assert.strictEqual(parsePoint("[2001:db8::1]", 9732)?.text, "[2001:db8::1]:9732")
    assert.strictEqual(parsePoint("1.2.3.4:80", 9732)?.port, 80)
  })

  it("malformed points are none", () => {
    const wrong = [
      "",
      ":",
      ":80",
      "host:",
      "host:0",
      "host:65536",
      "host:-1",
      "host:8o",
      "1.2.3:80",
      "1.2.3.256:80",
      "01.2.3.4:80",
      "[1.2.3.4]:80",
      "[::1:80",
      "::1]:80",
      "[1::2::3]:80",
      "[1:2:3:4:5:6:7]:80",
      "[1:2:3:4:5:6:7:8:9]:80",
      "[12345::]:80",
      "[::1]80",
      "a b:80",
      "-a:80",
      "a..b:80",
      `${"a".repeat(300)}:80`,
      "[[::1]]:80"
    ]
    for (const text of wrong) assert.strictEqual(parsePoint(text), undefined, text)
  })
})

describe("how far an address reaches", () => {
  it("tells loopback, private, public and unusable addresses apart", () => {
    const all: Record<string, ReadonlyArray<string>> = {
      loopback: ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"],
      private: [
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.1.1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fe80::1%eth0",
        "::ffff:10.0.0.1"
      ],
      public: [
        "1.2.3.4",
        "172.15.0.1",
        "172.32.0.1",
        "11.0.0.1",
        "192.169.0.1",
        "2001:db8::1",
        "fe00::1",
        "boot.example"
      ],
      none: ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:224.0.0.1"]
    }
    for (const [expected, hosts] of Object.entries(all)) {
      for (const host of hosts) assert.strictEqual(reach(host), expected, host)
    }
  })
})

describe("A16: groups of peers", () => {
  it("A16: a /16 of IPv4 and a /32 of IPv6 are one group", () => {
    assert.strictEqual(groupOf("1.2.3.4"), "1.2/16")
    assert.strictEqual(groupOf("1.2.200.1"), groupOf("1.2.3.4"))
    assert.strictEqual(groupOf("::ffff:1.2.9.9"), groupOf("1.2.3.4"))
    assert.notStrictEqual(groupOf("1.3.3.4"), groupOf("1.2.3.4"))
    assert.strictEqual(groupOf("2001:db8:1::1"), groupOf("2001:db8:ffff::2"))
    assert.notStrictEqual(groupOf("2001:db9::1"), groupOf("2001:db8::1"))
  })

  it("A16: loopback and private ranges are exempt, what is not known is one group", () => {
    for (const host of ["127.0.0.1", "::1", "10.0.0.1", "192.168.0.1", "fe80::1", "fd00::1", "::ffff:10.0.0.1"]) {
      assert.strictEqual(groupOf(host), undefined, host)
    }
    assert.strictEqual(groupOf(undefined), groupOf("?!"))
    assert.notStrictEqual(groupOf(undefined), undefined)
  })
})

const peer = (peer: number, side: "outgoing" | "incoming", group?: string) => ({ peer, side, group })

describe("A16: peers that count", () => {
  it("A16: at most maxPerGroup of a group, longest connected first", () => {
    const peers = [
      peer(5, "outgoing", "a"),
      peer(1, "outgoing", "a"),
      peer(2, "outgoing", "a"),
      peer(3, "outgoing", "b")
    ]
    assert.deepStrictEqual(countedPeers(peers, 2), [5, 1, 3])
    assert.deepStrictEqual(countedPeers(peers, 1), [5, 3])
    assert.deepStrictEqual(countedPeers(peers.map((one) => ({ ...one, group: undefined })), 1), [5, 1, 2, 3])
  })

  it("A16: incoming ones never outnumber outgoing ones that count", () => {
    const incoming = [peer(1, "incoming"), peer(2, "incoming"), peer(3, "incoming")]
    assert.deepStrictEqual(countedPeers(incoming, 2), [])
    assert.deepStrictEqual(countedPeers([...incoming, peer(9, "outgoing")], 2), [9, 1])
    const same = [...incoming, peer(7, "outgoing", "a"), peer(8, "outgoing", "a"), peer(9, "outgoing", "a")]
    assert.deepStrictEqual(countedPeers(same, 2), [7, 8, 1, 2])
  })

  it("A16: an incoming peer of a group that outgoing ones fill does not count", () => {
    const peers = [
      peer(1, "incoming", "a"),
      peer(2, "outgoing", "a"),
      peer(3, "outgoing", "a"),
      peer(4, "incoming", "b")
    ]
    assert.deepStrictEqual(countedPeers(peers, 2), [2, 3, 4])
  })
})
