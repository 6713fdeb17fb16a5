/** The command under which this program runs a process of embedded peers; people use `chain`. */
import { command } from "@peerstrap/command-line"
import { peersCommand } from "../chains/ChainNetwork.ts"
import { peerProcess } from "../chains/PeerProcess.ts"

export const peersProcessCommand = command({
  name: peersCommand,
  summary: "Serve some peers of a chain; their plan comes on standard input",
  flags: {},
  examples: [{ args: "peers-process", says: "What starts it writes the plan to its standard input" }],
  run: ({ terminal }) => peerProcess(terminal),
  internal: true
})
