/** Random histories: the packed columns against the naive maps, in everything that can be asked. */
import { assert, describe, it } from "@effect/vitest"
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { compareHistory, makeNaiveHeaderDag } from "@peerstrap/header-dag-quorum/testing"

const given = process.env["HEADER_DAG_SEED"]
const batches = given === undefined ? Array.from({ length: 6 }, (_, n) => 1 + 50 * n) : [Number(given)]
const perBatch = given === undefined ? 50 : 1

describe("random histories against the naive header DAG (R85–R90, R43–R48, A8, A11, A12, A14, A16, A34)", () => {
  for (const first of batches) {
    it(`seeds ${first}…${first + perBatch - 1}`, () => {
      for (let seed = first; seed < first + perBatch; seed++) {
        const difference = compareHistory(seed, makeHeaderDag, makeNaiveHeaderDag)
        assert.isUndefined(difference, `replay: HEADER_DAG_SEED=${seed} vitest run HeaderDag.model`)
      }
    }, 60_000)
  }
})
