/** What is wrong with the command line or the config file: collected, then told all at once. */
export interface Problem {
  /** `--num-shards`, `config.yaml:4:3 num-shards`, `argument 2`. */
  readonly where: string
  /** What was given and what is expected instead. */
  readonly message: string
}
