/** All commands of the program. */
import type { Command } from "../cli/Command.ts"
import { demo } from "./Demo.ts"
import { replicaProcessCommand } from "./ReplicaProcess.ts"
import { replicas } from "./Replicas.ts"

export const commands: ReadonlyArray<Command> = [demo, replicas, replicaProcessCommand]
