/** The program: all of its commands. */
import { type Command, type Program, versionOfPackage } from "@peerstrap/command-line"
import { chain } from "./Chain.ts"
import { demo } from "./Demo.ts"
import { peersProcessCommand } from "./PeersProcess.ts"
import { replicaProcessCommand } from "./ReplicaProcess.ts"
import { replicas } from "./Replicas.ts"

export const commands: ReadonlyArray<Command> = [
  demo,
  replicas,
  chain,
  replicaProcessCommand,
  peersProcessCommand
]

export const program: Program = {
  name: "peerstrap-lab",
  summary: "embedded clusters by seed, and demonstrations on them",
  version: versionOfPackage(import.meta.url),
  commands
}
