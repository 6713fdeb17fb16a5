/** One line of a bounded size from a socket, and what both ends of the control socket know about paths. */
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { ControlSocketError } from "../contract/Control.ts"
import { progressLimits } from "../contract/Limits.ts"

export type LineEnd = "too-large" | "ended" | { readonly error: Error }

const newline = 10

/** Completes with the text before the first newline. Reads no more than `maxBytes`; bytes after the newline are ignored. */
export const readLine = (socket: Socket, maxBytes: number): Effect.Effect<string, LineEnd> =>
  Effect.callback<string, LineEnd>((resume) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const finish = (result: Effect.Effect<string, LineEnd>): void => {
      socket.off("data", onData)
      socket.off("end", onEnd)
      socket.off("close", onEnd)
      socket.off("error", onError)
      socket.pause()
      resume(result)
    }
    const onData = (chunk: Uint8Array): void => {
      const end = chunk.indexOf(newline)
      const part = end < 0 ? chunk : chunk.subarray(0, end)
      size += part.length
      if (size > maxBytes) return finish(Effect.fail("too-large"))
      chunks.push(part)
      if (end >= 0) finish(Effect.succeed(decode(chunks, size)))
    }
    const onEnd = (): void => finish(Effect.fail("ended"))
    const onError = (error: Error): void => finish(Effect.fail({ error }))
    socket.on("data", onData)
    socket.on("end", onEnd)
    socket.on("close", onEnd)
    socket.on("error", onError)
    return Effect.sync(() => finish(Effect.fail("ended")))
  })

const decode = (chunks: ReadonlyArray<Uint8Array>, size: number): string => {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return new TextDecoder().decode(bytes)
}

/** The code that the operating system gave, e.g. `ENOENT`. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""

/** Fails when the operating system would cut or refuse the path. */
export const checkPath = (path: string): Effect.Effect<void, ControlSocketError> => {
  const { linux, other } = progressLimits.maxSocketPathBytes
  const most = process.platform === "linux" ? linux : other
  const bytes = new TextEncoder().encode(path).length
  if (bytes <= most) return Effect.void
  const message =
    `the control socket's path has ${bytes} bytes, the system allows ${most}: give a shorter one with --control`
  return Effect.fail(new ControlSocketError({ reason: "path-too-long", path, message }))
}
