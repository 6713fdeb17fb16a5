export * from "./contract/Columns.ts"
export * from "./contract/NodeClient.ts"
