/** How the kit of `HeaderDag` gets header DAGs: a function that makes one of given options. */
import * as Context from "effect/Context"
import type { MakeHeaderDag } from "./Sketch.ts"

/** The service that the suite's layer gives. */
export class HeaderDagMaker
  extends Context.Service<HeaderDagMaker, MakeHeaderDag>()("@peerstrap/header-dag-quorum/testing/HeaderDagMaker")
{}

/** A check of the kit, in plain code: throws what differed. */
export interface HeaderDagCheck {
  readonly name: string
  readonly run: (make: MakeHeaderDag) => void
}
