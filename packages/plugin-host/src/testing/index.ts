/** The conformance kit of plugins, with its mutants. */
export { CheckedPlugin, type CheckedPluginShape } from "./CheckedPlugin.ts"
export type { PluginCapability } from "./PluginConfigChecks.ts"
export * from "./PluginSuite.ts"
export * from "./ProcessHandles.ts"
