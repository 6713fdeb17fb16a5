/** The plugins that the host itself brings. */
export * from "./LogLevel.ts"
