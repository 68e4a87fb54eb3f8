/** What a command prints and how it ends; the same for a person, for `--json` and for a pipeline. */
export interface CommandResult<Data> {
  /** 0 when everything is as it should be, 1 when it is not, as a process would end. */
  readonly exitCode: 0 | 1
  /** For people, ready to print. */
  readonly lines: readonly string[]
  readonly data: Data
}
