/** The command under which this program runs one replica in a process of its own; people use `replicas`. */
import { command } from "../cli/Command.ts"
import { replicaCommand } from "../replicas/ReplicaCluster.ts"
import { replicaProcess } from "../replicas/ReplicaProcess.ts"

export const replicaProcessCommand = command({
  name: replicaCommand,
  operands: "",
  summary: "serve one replica; its plan comes on standard input",
  details: [],
  flags: {},
  examples: [{ args: "replicas", says: "what people use" }],
  check: () => [],
  run: ({ terminal }) => replicaProcess(terminal),
  internal: true
})
