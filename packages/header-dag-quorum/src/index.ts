export type * from "./contract/HeaderDag.ts"
export * from "./contract/HeaderDagLimits.ts"
export { checkEvidence } from "./engine/CheckEvidence.ts"
export { makeHeaderDag } from "./engine/HeaderDag.ts"
