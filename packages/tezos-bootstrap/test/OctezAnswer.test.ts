// What the answers of a node mean, one by one.
import { assert, describe, it } from "@effect/vitest"
import { classifyInjection, type InjectionOutcome, refusalOf } from "@peerstrap/tezos-bootstrap"

const block = "BLKwhMBkngmuZTSX28Vz7DJSRatPbS6S6yLrHsbEvB6aywf5n21"
const other = "BMbNwU8SvH4iQaJu9Xnb4mDC6i1TJm6hrBi6tptg8KtRmrkUMRF"
const of = (status: number, body: unknown): InjectionOutcome =>
  classifyInjection({ status, text: typeof body === "string" ? body : JSON.stringify(body) }, block)
const invalid = (
  named: string
) => [{ kind: "permanent", id: "validator.invalid_block", invalid_block: named, error: "invalid_fitness" }]

describe("answers to an injected block", () => {
  const rows: ReadonlyArray<readonly [string, number, unknown, InjectionOutcome["kind"]]> = [
    ["the hash", 200, `"${block}"\n`, "applied"],
    ["another hash", 200, `"${other}"`, "transient"],
    ["no JSON", 200, "<html>", "transient"],
    ["a verdict", 500, invalid(block), "invalid"],
    [
      "a verdict behind another error",
      500,
      [{ kind: "temporary", id: "failure", msg: "x" }, ...invalid(block)],
      "invalid"
    ],
    ["a verdict over another block", 500, invalid(other), "transient"],
    ["a newer id", 500, [{
      ...invalid(block)[0],
      id: "node.block_validator.invalid_block".replace("block_validator", "validator")
    }], "invalid"],
    [
      "operations of another block",
      500,
      [{ kind: "permanent", id: "validator.inconsistent_operations_hash", block }],
      "invalid"
    ],
    ["unparsable header", 500, [{ kind: "generic", id: "failure", msg: "Cannot parse block header." }], "invalid"],
    [
      "unknown predecessor",
      500,
      [{ id: "failure", msg: "Unknown predecessor (BLK), cannot inject the block." }],
      "unknown-predecessor"
    ],
    ["unfit", 500, [{ id: "failure", msg: "Fitness too low" }], "unfit"],
    ["unfit for its predecessor", 500, [{ ...invalid(block)[0], error: "non_increasing_fitness" }], "invalid"],
    ["against the checkpoint", 500, [{ kind: "branch", id: "node.validator.checkpoint_error", block }], "refused"],
    ["known", 500, [{ id: "node.known_block", msg: "" }], "known"],
    ["already known", 500, [{ id: "failure", msg: "Block already validated" }], "known"],
    ["in the future", 500, [{ id: "failure", msg: "Block in the future." }], "transient"],
    ["protocol not there yet", 500, [{ kind: "temporary", id: "validator.unavailable_protocol", block }], "transient"],
    ["an empty trace", 500, [], "transient"],
    ["a trace of strange things", 500, [5, null, "x"], "transient"],
    ["an object", 500, { error: "x" }, "transient"],
    ["a proxy's page", 502, "Bad gateway", "transient"],
    ["busy", 503, "", "transient"],
    ["too many requests", 429, "", "transient"],
    ["unauthorised", 401, "", "refused"],
    ["forbidden", 403, "", "refused"],
    ["not found", 404, "", "refused"],
    ["too large", 413, "", "refused"],
    ["bad request", 400, "Failed to parse the request body", "refused"],
    ["elsewhere", 302, "", "refused"]
  ]
  for (const [name, status, body, kind] of rows) {
    it(`${status}, ${name}: ${kind}`, () => assert.strictEqual(of(status, body).kind, kind))
  }

  it("keeps reasons short and says what to do", () => {
    const long = of(500, [{ id: "failure", msg: "x ".repeat(10_000) }])
    assert.isTrue(long.kind === "transient" && long.reason.length < 450)
    const refused = refusalOf(403, "no")
    assert.isTrue(refused?.kind === "refused" && /allow-all-rpc/.test(refused.remedy))
    assert.isUndefined(refusalOf(500, ""))
    assert.isUndefined(refusalOf(200, ""))
  })
})
