export type * from "./contract/HeaderDag.ts"
