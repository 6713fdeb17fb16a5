/** A TCP proxy in front of a node that does to the node's answers what networks do. */
import { once } from "node:events"
import * as Net from "node:net"
import { setTimeout as after } from "node:timers/promises"

/** Of each connection, counted in bytes of answers; what is absent does not happen. */
export interface Mistreatment {
  readonly bytesPerSecond?: number
  /** The connection is reset after so many bytes. */
  readonly cutAfterBytes?: number
  /** Nothing more comes after so many bytes; the connection stays open. */
  readonly silentAfterBytes?: number
  /** One bit of this byte is turned round. */
  readonly flipBitOfByte?: number
}

export interface Proxy {
  /** `HOST:PORT`. */
  readonly address: string
  /** Connections that were mistreated so far (slow ones: from their first wait on). */
  readonly mistreated: () => number
  readonly close: () => Promise<void>
}

/** How long one piece of a slow connection takes: short, so that it trickles rather than comes in bursts. */
const pieceMillis = 50

async function* answers(upstream: Net.Socket, mistreatment: Mistreatment, mark: () => void): AsyncGenerator<Buffer> {
  const { bytesPerSecond, flipBitOfByte = -1 } = mistreatment
  const pieceBytes = bytesPerSecond === undefined ? 1 << 20 : Math.ceil(bytesPerSecond * pieceMillis / 1000)
  let seen = 0
  for await (const chunk of upstream as AsyncIterable<Buffer>) {
    if (flipBitOfByte >= seen && flipBitOfByte < seen + chunk.length) {
      chunk[flipBitOfByte - seen]! ^= 4
      mark()
    }
    seen += chunk.length
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      yield chunk.subarray(at, at + pieceBytes)
      if (bytesPerSecond === undefined) continue
      mark()
      await after(pieceMillis)
    }
  }
}

const serve = async (
  client: Net.Socket,
  upstream: Net.Socket,
  mistreatment: Mistreatment,
  mark: () => void
): Promise<void> => {
  const { cutAfterBytes = Infinity, silentAfterBytes = Infinity } = mistreatment
  client.pipe(upstream)
  let sent = 0
  for await (const piece of answers(upstream, mistreatment, mark)) {
    if (sent + piece.length > Math.min(silentAfterBytes, cutAfterBytes)) {
      mark()
      if (sent + piece.length > cutAfterBytes) return void client.resetAndDestroy()
      // Silence goes on reading, and keeps both connections open: neither side can notice.
      continue
    }
    sent += piece.length
    if (!client.write(piece)) await once(client, "drain")
  }
  client.end()
}

/** Starts it on a port of its own in front of a port on loopback. */
export const startProxy = async (
  port: number,
  mistreatment: Mistreatment,
  onAnswer: (bytes: number) => void = () => {}
): Promise<Proxy> => {
  const open = new Set<Net.Socket>()
  const mistreated = new Set<Net.Socket>()
  const server = Net.createServer((client) => {
    const upstream = Net.connect({ host: "127.0.0.1", port })
    upstream.on("data", (chunk) => onAnswer(chunk.length))
    const pair = [client, upstream]
    for (const socket of pair) {
      open.add(socket)
      socket.on("error", () => pair.forEach((one) => one.destroy()))
      socket.on("close", () => open.delete(socket))
    }
    client.on("close", () => upstream.destroy())
    // A side that went away in the middle is what `error` has already dealt with.
    serve(client, upstream, mistreatment, () => mistreated.add(client)).catch(() => client.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    address: `127.0.0.1:${(server.address() as Net.AddressInfo).port}`,
    mistreated: () => mistreated.size,
    close: async () => {
      for (const socket of open) socket.destroy()
      await once(server.close(), "close")
    }
  }
}
