// A local HTTP server that answers as an Octez node does; single answers can be replaced.
import { comparePackedFitness, decodeHeader, encodeHash, Malformed, packFitness, toHex } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { bytes, crypto, genesisId } from "./chains.ts"

/** Undefined: as the node would. */
export type Interception = (
  request: { readonly path: string; readonly body: string },
  response: ServerResponse
) => boolean

interface Known {
  readonly level: number
  readonly header: string
}

export interface OctezServer {
  readonly url: string
  readonly port: number
  readonly requests: Array<{ readonly path: string; readonly body: string; readonly authorization: string | undefined }>
  /** By text of the hash. */
  readonly known: Map<string, Known>
  head: string
  chainId: string
  intercept: Interception | undefined
  /** Answers a known block with an error instead of its hash. */
  complainsOfKnown: boolean
}

const genesisText = encodeHash("block", bytes(genesisId))

const readAll = async (request: IncomingMessage): Promise<string> => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  return text
}

/** Packed; genesis, of which there are no bytes here, has none. */
const fitnessOf = (header: Uint8Array): Uint8Array => {
  const fields = header.length === 0 ? undefined : decodeHeader(header)
  return packFitness(fields === undefined || fields instanceof Malformed ? [] : fields.fitness)
}

export const failure = (msg: string) => [{ kind: "generic", id: "failure", msg }]

const answer = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(value === undefined ? "" : JSON.stringify(value))
}

const inject = (server: OctezServer, query: URLSearchParams, body: string, response: ServerResponse): void => {
  const { data, operations } = JSON.parse(body) as { readonly data: string; readonly operations: unknown }
  const header = bytes(data)
  const hash = encodeHash("block", crypto.blake2b(header, 32))
  const predecessor = encodeHash("block", header.slice(5, 37))
  if (!Array.isArray(operations)) return answer(response, 400, "Failed to parse the request body")
  if (server.known.has(hash) && server.complainsOfKnown) {
    return answer(response, 500, failure("Block already validated"))
  }
  if (!server.known.has(predecessor)) {
    return answer(response, 500, failure(`Unknown predecessor (${predecessor.slice(0, 12)}), cannot inject the block.`))
  }
  const fitter = comparePackedFitness(fitnessOf(header), fitnessOf(bytes(server.known.get(server.head)!.header))) > 0
  if (!fitter && query.get("force") !== "true") return answer(response, 500, failure("Fitness too low"))
  const level = new DataView(header.buffer, header.byteOffset).getInt32(0)
  server.known.set(hash, { level, header: toHex(header) })
  if (fitter) server.head = hash
  answer(response, 200, hash)
}

const blockOf = (server: OctezServer, name: string): string | undefined => {
  if (name === "head") return server.head
  if (!/^\d+$/.test(name)) return server.known.has(name) ? name : undefined
  // The chain of the head, downwards.
  let at = server.head
  for (;;) {
    const block = server.known.get(at)
    if (block === undefined || block.level < Number(name)) return undefined
    if (block.level === Number(name)) return at
    at = encodeHash("block", bytes(block.header).slice(5, 37))
  }
}

const serve = async (server: OctezServer, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://node")
  const body = await readAll(request)
  server.requests.push({ path: request.url ?? "", body, authorization: request.headers.authorization })
  if (server.intercept?.({ path: pathname, body }, response) === true) return
  if (pathname === "/injection/block") return inject(server, searchParams, body, response)
  if (pathname === "/chains/main/chain_id") return answer(response, 200, server.chainId)
  const [, name, what] = /^\/chains\/main\/blocks\/([^/]+)\/(.+)$/.exec(pathname) ?? []
  const hash = name === undefined ? undefined : blockOf(server, name)
  const block = hash === undefined ? undefined : server.known.get(hash)
  if (block === undefined) return answer(response, 404, undefined)
  const { header, level } = block
  const views: Record<string, unknown> = {
    hash,
    "header/raw": header,
    "header/shell": { level, proto: 1, predecessor: genesisText, validation_pass: 4 }
  }
  answer(response, Object.hasOwn(views, what!) ? 200 : 404, views[what!])
}

/** Ends, with its connections, with the scope. Knows genesis. */
export const startOctez = Effect.acquireRelease(
  Effect.callback<{ readonly server: OctezServer; readonly close: () => void }>((resume) => {
    const http = createServer((request, response) => void serve(server, request, response))
    const server: OctezServer = {
      url: "",
      port: 0,
      requests: [],
      known: new Map([[genesisText, { level: 0, header: "" }]]),
      head: genesisText,
      chainId: "NetXdQprcVkpaWU",
      intercept: undefined,
      complainsOfKnown: false
    }
    http.listen(0, "127.0.0.1", () => {
      const { port } = http.address() as AddressInfo
      resume(Effect.succeed({
        server: Object.assign(server, { url: `http://127.0.0.1:${port}`, port }),
        close: () => {
          http.close()
          http.closeAllConnections()
        }
      }))
    })
  }),
  ({ close }) => Effect.sync(close)
).pipe(Effect.map(({ server }) => server))
