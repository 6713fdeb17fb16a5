/** The command under which this program runs one replica in a process of its own; people use `replicas`. */
import { command } from "@peerstrap/command-line"
import { replicaCommand } from "../replicas/ReplicaCluster.ts"
import { replicaProcess } from "../replicas/ReplicaProcess.ts"

export const replicaProcessCommand = command({
  name: replicaCommand,
  summary: "Serve one replica; its plan comes on standard input",
  flags: {},
  examples: [{ args: "replica-process", says: "What starts it writes the plan to its standard input" }],
  run: ({ terminal }) => replicaProcess(terminal),
  internal: true
})
