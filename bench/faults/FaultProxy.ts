/**
 * A TCP proxy in a process of its own that does one thing wrong with what comes back from the target. Usage:
 * `node FaultProxy.ts PORT FAULT`, the faults being `rate:BYTES_PER_S`, `cut:BYTES`, `silence:BYTES`, `flip:BYTES` (one bit of each
 * connection, at a place below BYTES that depends on its number). It prints its port and ends with its standard input.
 */
import { connect, createServer, type Socket } from "node:net"
import type { AddressInfo } from "node:net"

const sliceMillis = 20

/** Takes what came; done when the next may be read. */
type Passing = (chunk: Buffer, client: Socket, done: () => void) => void

const rated = (bytesPerSecond: number): Passing => {
  const slice = Math.max(1, Math.floor((bytesPerSecond * sliceMillis) / 1000))
  return (chunk, client, done) => {
    let at = 0
    const timer = setInterval(() => {
      client.write(chunk.subarray(at, at + slice))
      at += slice
      if (at < chunk.length && !client.destroyed) return
      clearInterval(timer)
      done()
    }, sliceMillis)
  }
}

/** What comes within the first `bytes` goes through; then `after` says what becomes of the connection. */
const limited = (bytes: number, after: (client: Socket) => void): Passing => {
  let left = bytes
  return (chunk, client, done) => {
    const taken = chunk.subarray(0, left)
    left -= taken.length
    if (taken.length > 0) client.write(taken)
    if (left === 0 && taken.length < chunk.length) after(client)
    done()
  }
}

/** The first bytes of a connection are its handshake: a bit of them would say less. */
const firstFlip = 1_000

const flipping = (below: number, connection: number): Passing => {
  const place = firstFlip + (connection * 7_919_933) % (below - firstFlip)
  let position = 0
  return (chunk, client, done) => {
    const at = place - position
    position += chunk.length
    if (at >= 0 && at < chunk.length) chunk[at] = chunk[at]! ^ (1 << connection % 8)
    client.write(chunk)
    done()
  }
}

const passingOf = (fault: string, connection: number): Passing => {
  const [kind, amount = ""] = fault.split(":")
  const value = Number(amount)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${fault}: want KIND:NUMBER`)
  switch (kind) {
    case "rate":
      return rated(value)
    case "cut":
      return limited(value, (client) => client.destroy())
    case "silence":
      return limited(value, () => undefined)
    case "flip":
      return flipping(value, connection)
    default:
      throw new RangeError(`no fault ${kind}; there are: rate, cut, silence, flip`)
  }
}

const [target, fault] = [Number(process.argv[2]), process.argv[3]!]
passingOf(fault, 0)
let connections = 0

const server = createServer((client) => {
  const passing = passingOf(fault, connections++)
  const upstream = connect({ host: "127.0.0.1", port: target })
  const end = (): void => {
    client.destroy()
    upstream.destroy()
  }
  client.on("error", end).on("close", end)
  upstream.on("error", end).on("close", end)
  client.setNoDelay(true)
  upstream.setNoDelay(true)
  client.pipe(upstream)
  upstream.on("data", (chunk) => {
    upstream.pause()
    passing(chunk, client, () => upstream.resume())
  })
})
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port))
process.stdin.on("end", () => process.exit()).resume()
