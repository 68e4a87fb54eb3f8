import { scenariosOf } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/** `postern scenarios list`: what is watched for, and what it does when it fires. */
export const run: Command = async (_args, options, context) => {
  const summaries = scenariosOf(await loadSetup(options, context)).list()
  for (const { id, title, severity, action } of summaries)
    context.output.line(`${id.padEnd(34)} ${severity.padEnd(13)} ${action.padEnd(10)} ${safe(title)}`)
  context.output.result({ scenarios: summaries })
  return EXIT.done
}
