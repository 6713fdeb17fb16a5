/** The answer of a sync to "why does it not go on?". */
import { whyTextOf } from "@peerstrap/command-line"

export const whyText = whyTextOf("peerstrap-chain")
