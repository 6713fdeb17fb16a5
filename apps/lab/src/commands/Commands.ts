/** All commands of the program. */
import type { Command } from "../cli/Command.ts"
import { replicaProcessCommand } from "./ReplicaProcess.ts"
import { replicas } from "./Replicas.ts"

export const commands: ReadonlyArray<Command> = [replicas, replicaProcessCommand]
