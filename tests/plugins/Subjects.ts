/** What each plugin of this repository is checked with: a config as in a file, who provides what it requires, values for its live settings. */
import { fixedBase, memoryStore, simulatorApplier } from "@peerstrap/chain-bootstrap/plugin"
import type { AnyPart } from "@peerstrap/plugin-host"
import type { PluginSubject } from "@peerstrap/plugin-host/testing"
import { filesJournal, memoryFiles, memoryKeyValue, nodeFiles } from "@peerstrap/storage/plugin"
import { tezosProtocol } from "@peerstrap/tezos-bootstrap/plugin"
import { portableCrypto } from "@peerstrap/tezos-wire/plugin"
import { boundedMemory, memory } from "@peerstrap/transport/plugin"
import { join } from "node:path"

/** By the plugin's id. Files go into `folder`. */
export const subjectsIn = (folder: string): Readonly<Record<string, PluginSubject>> => {
  const path = (name: string): string => join(folder, name)
  const genesis = "ab".repeat(32)
  const protocol: ReadonlyArray<AnyPart> = [
    portableCrypto({}),
    memoryFiles({}),
    boundedMemory({}),
    tezosProtocol({ network: "sandbox", identity: path("provider.json") })
  ]
  const based: ReadonlyArray<AnyPart> = [...protocol, fixedBase({ id: genesis })]
  const stored: ReadonlyArray<AnyPart> = [...based, memoryStore({})]
  return {
    "chain.applier.archive": {},
    "chain.applier.command": {
      config: { command: `echo '{"protocol":"peerstrap-applier/1","name":"sponge"}'; exec cat > /dev/null` }
    },
    "chain.applier.index": { providers: [memoryKeyValue({}), ...stored] },
    "chain.applier.octez-rpc": { config: { url: "http://127.0.0.1:8732", timeout: "1m" }, providers: protocol },
    "chain.applier.simulator": { config: { branches: "one", cost: "5ms" }, providers: stored },
    "chain.base.fixed": { config: { id: genesis, level: 7 } },
    "chain.base.stored": {},
    "chain.base.tezos": { config: { peers: ["127.0.0.1:9732"], timeout: "3s" }, providers: [...protocol, memory({})] },
    "memory.bounded": { config: { bytes: "128MiB" }, settings: { bytes: "64MiB" } },
    "chain.protocol.tezos": {
      config: { network: "sandbox", identity: path("identity.json"), port: 9732, handshakeTimeout: "4s" },
      providers: [portableCrypto({}), nodeFiles({}), boundedMemory({})]
    },
    "chain.store.files": {
      config: { directory: path("chain"), index: "disk" },
      providers: [nodeFiles({}), ...based.filter(({ plugin }) => plugin.id !== "files.memory")]
    },
    "chain.store.memory": { providers: based },
    "chain.strategy.applied-branches": { providers: [...stored, simulatorApplier({})] },
    "chain.strategy.cached-tail": {},
    "consistency.fixed": { config: { level: "all" } },
    "consistency.settable": { config: { level: "one" }, settings: { level: "none" } },
    "consistency.watched-file": { config: { path: path("level.txt"), otherwise: "one" }, settings: { level: "none" } },
    "chain.protocol.toy": { config: { id: "me" } },
    "files.memory": {},
    "files.node": {},
    "hoard.peer.http": { config: { id: "C", url: "http://127.0.0.1:8080" } },
    "journal.files": { config: { directory: path("journal"), segmentBytes: "1MiB" }, providers: [nodeFiles({})] },
    "kv.journal": {
      config: { capacityBytes: "1MiB", compactionBytes: "64KiB" },
      providers: [nodeFiles({}), filesJournal({ directory: path("kv-journal") })]
    },
    "kv.memory": { config: { capacityBytes: "1MiB" } },
    "kv.sqlite": { config: { path: path("store.db") } },
    "log.settable": { config: { level: "warn" }, settings: { level: "debug" } },
    "m3db.merge.highest-peer": {},
    "m3db.merge.most-replicas": {},
    "m3db.peers.tchannel": {
      config: {
        peers: [{ id: "m3db-a", host: "127.0.0.1", port: 9000 }],
        connections: 2,
        idleTimeout: "1s",
        callTimeout: "2s"
      },
      providers: [memory({})]
    },
    "m3db.sink.discard": {},
    "m3db.sink.filesets": {
      config: { out: path("m3"), namespace: "metrics", blockSize: "2h", overwrite: true },
      providers: [nodeFiles({})]
    },
    "m3db.sink.lines": { config: { out: path("lines"), maxPoints: 100 }, providers: [nodeFiles({})] },
    "m3db.sink.list": { config: { file: path("list.txt") } },
    "rate.settable": { config: { bytesPerSecond: "1MB" }, settings: { "bytes-per-second": "5MB" } },
    "selection.least-loaded": {},
    "selection.zone-first": { config: { zone: "eu-" } },
    "selection.throughput-weighted": { config: { batchBytes: "1MiB" } },
    "tezos.crypto.any": {},
    "tezos.crypto.native": {},
    "tezos.crypto.portable": {},
    "transport.faulty": { config: { inbound: { latency: "20ms" }, outbound: { chopBytes: "1KiB" }, seed: 7 } },
    "transport.memory": {},
    "transport.websocket": { config: { handshake: "3s" } },
    "transport.tcp": {}
  }
}
