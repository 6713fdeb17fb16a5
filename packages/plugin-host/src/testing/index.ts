/** The conformance kit of plugins, with its mutants; and whether a program's table of flags and parts is true. */
export { CheckedPlugin, type CheckedPluginShape } from "./CheckedPlugin.ts"
export * from "./FlagTargetChecks.ts"
export type { PluginCapability } from "./PluginConfigChecks.ts"
export * from "./PluginSuite.ts"
export * from "./ProcessHandles.ts"
