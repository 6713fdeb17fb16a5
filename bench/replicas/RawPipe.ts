/** The rival of S1b: a socket between two processes whose bytes are counted and dropped. Usage: RawPipe.ts PORT BYTES COUNT */
import * as Net from "node:net"
import { startTiming, tell } from "../method/Side.ts"

const [port, wantedBytes, items] = process.argv.slice(2).map(Number) as [number, number, number]

let bytes = 0
let finish = (): void => undefined
const socket = Net.connect({
  host: "127.0.0.1",
  port,
  onread: {
    buffer: Buffer.alloc(256 * 1024),
    callback: (length) => {
      bytes += length
      if (bytes === wantedBytes) finish()
      return true
    }
  }
})
socket.on("connect", () => {
  const end = startTiming()
  finish = () => {
    tell(end({ bytes, items }))
    socket.destroy()
  }
  socket.write("F")
})
