import { describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { headerDagKit, HeaderDagMaker, headerDagSuite, makeNaiveHeaderDag } from "@peerstrap/header-dag-quorum/testing"
import * as Layer from "effect/Layer"

describe("HeaderDag", () => {
  headerDagSuite("packed:", Layer.succeed(HeaderDagMaker)(makeHeaderDag), { capabilities: {}, test: it })
  headerDagSuite("naive:", Layer.succeed(HeaderDagMaker)(makeNaiveHeaderDag), { capabilities: {}, test: it })

  mutantSuiteOf(headerDagKit, it)
})
