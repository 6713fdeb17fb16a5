/** The answer of a bootstrap to "why does it not go on?". */
import { whyTextOf } from "@peerstrap/command-line"

export const whyText = whyTextOf("peerstrap-m3db")
