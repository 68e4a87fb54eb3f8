import type { Json } from '@postern/core'
import { askGateway } from '@postern/server'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

interface FalsePositives {
  readonly rules: readonly { readonly rule: string; readonly marked: number; readonly refused: number }[]
  readonly marks: readonly {
    readonly request: string
    readonly rule: string
    readonly operator: string
    readonly note: string
  }[]
}

/** `postern console false-positives`: refusals that operators marked as false positives, counted by rule. */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const { dataDirectory } = await loadSetup(options, context)
  const answer = await askGateway<Json & FalsePositives>(dataDirectory, 'console/false-positives', {})
  const { rules, marks } = answer
  for (const { rule, marked, refused } of rules)
    output.line(`${safe(rule)}  ${marked} marked of ${refused} refused`)
  for (const { request, rule, operator, note } of marks)
    output.line(`  ${safe(request)}  ${safe(rule)}  ${safe(operator)}  ${safe(note)}`.trimEnd())
  if (marks.length === 0) output.line('no refusal is marked')
  output.result(answer)
  return EXIT.done
}
