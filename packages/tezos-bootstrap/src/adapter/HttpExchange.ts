/** One HTTP request and its whole answer, bounded in bytes and time, over `node:http` and `node:https`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as Https from "node:https"
import type { RpcAnswer } from "../engine/OctezAnswer.ts"

/** A request without a whole answer. Says nothing about what was asked. */
export class HttpFault extends Schema.TaggedError<HttpFault>()("HttpFault", {
  /** `stale`: cut, but on a connection kept from an earlier request, which the other side may have given up meanwhile. */
  reason: Schema.Literals(["unreachable", "cut", "stale", "timeout", "too-long"]),
  message: Schema.String
}) {}

export interface HttpRequest {
  readonly method: "GET" | "POST"
  readonly url: URL
  /** JSON text. */
  readonly body?: string
  readonly timeoutMillis: number
  readonly maxAnswerBytes: number
  readonly agent: Http.Agent
}

/** A URL for people: without user and password. */
export const displayUrl = (url: URL): string => {
  const shown = new URL(url)
  shown.username = ""
  shown.password = ""
  return shown.href
}

/** An agent for a URL, which keeps connections open between requests. */
export const agentFor = (url: URL): Http.Agent => {
  const options = { keepAlive: true }
  return url.protocol === "https:" ? new Https.Agent(options) : new Http.Agent(options)
}

const collect = (
  response: Http.IncomingMessage,
  maxBytes: number,
  done: (answer: RpcAnswer | HttpFault) => void
): void => {
  const chunks: Array<string> = []
  let length = 0
  response.on("data", (chunk: Buffer) => {
    length += chunk.length
    if (length > maxBytes) {
      done(new HttpFault({ reason: "too-long", message: `an answer of more than ${maxBytes} bytes` }))
      response.destroy()
      return
    }
    chunks.push(chunk.toString("latin1"))
  })
  response.on(
    "end",
    () => done({ status: response.statusCode ?? 0, text: Buffer.from(chunks.join(""), "latin1").toString("utf8") })
  )
  response.on("error", (error) => done(new HttpFault({ reason: "cut", message: error.message })))
  response.on("close", () => done(new HttpFault({ reason: "cut", message: "the connection ended within the answer" })))
}

const start = (
  request: HttpRequest,
  done: (answer: RpcAnswer | HttpFault) => void
): Http.ClientRequest => {
  const body = request.body === undefined ? undefined : Buffer.from(request.body)
  const open = request.url.protocol === "https:" ? Https.request : Http.request
  const client = open(request.url, {
    method: request.method,
    agent: request.agent,
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json", "content-length": body.length })
    }
  }, (response) => collect(response, request.maxAnswerBytes, done))
  client.on("error", (error: NodeJS.ErrnoException) => {
    const unreachable = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/.test(error.code ?? "")
    done(
      new HttpFault({
        reason: unreachable ? "unreachable" : client.reusedSocket ? "stale" : "cut",
        message: error.message === "" ? error.code ?? "unknown error" : error.message
      })
    )
  })
  client.end(body)
  return client
}

const once = (request: HttpRequest): Effect.Effect<RpcAnswer, HttpFault> =>
  Effect.callback<RpcAnswer, HttpFault>((resume) => {
    let isDone = false
    const client = start(request, (answer) => {
      if (isDone) return
      isDone = true
      resume(answer instanceof HttpFault ? Effect.fail(answer) : Effect.succeed(answer))
    })
    return Effect.sync(() => {
      isDone = true
      client.destroy()
    })
  })

/**
 * Sends a request that may be sent twice: when a kept connection turns out to be given up, it goes out again on a new one. Interrupting
 * it, or the end of its time, destroys the connection. Redirections are answers, not followed.
 */
export const exchange = (request: HttpRequest): Effect.Effect<RpcAnswer, HttpFault> =>
  once(request).pipe(
    Effect.catchIf(({ reason }) => reason === "stale", () => once(request)),
    Effect.timeoutOrElse({
      duration: request.timeoutMillis,
      orElse: () =>
        Effect.fail(new HttpFault({ reason: "timeout", message: `no answer within ${request.timeoutMillis} ms` }))
    })
  )
