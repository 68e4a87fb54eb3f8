import type { CommandResult } from '@postern/access'
import type { CommandContext } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { safe } from './output.ts'

/** Prints what a question to policies answered, for people or as JSON. */
export function printResult({ output }: CommandContext, result: CommandResult<unknown>): ExitCode {
  for (const line of result.lines) output.line(safe(line))
  output.result(result.data)
  return result.exitCode === 0 ? EXIT.done : EXIT.no
}
