import { shellWord } from '@postern/core'
import { accountName } from '@postern/runtime'
import { askGateway } from '@postern/server'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { requestIdIn } from './request-id-in.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern console false-positive ID`: marks a refusal as a false positive; `--undo` takes the mark away.
 * Nothing is let through by it: `postern explain ID --apply` does that. Exit 1 where there was no mark to
 * take away.
 */
export const run: Command = async (words, options, context) => {
  const { output } = context
  const request = requestIdIn(words.join(' '))
  const { dataDirectory } = await loadSetup(options, context)
  const operator = accountName()
  if (options['undo'] === true) {
    const answer = await askGateway(dataDirectory, 'console/no-false-positive', { request, operator })
    const { removed } = answer as { readonly removed: boolean }
    output.line(removed ? `${request}: is not marked any more` : `${request}: was not marked`)
    output.result(answer)
    return removed ? EXIT.done : EXIT.no
  }
  const note = textOption(options, 'note') ?? ''
  const answer = await askGateway(dataDirectory, 'console/false-positive', { request, note, operator })
  const { rule, marked } = answer as { readonly rule: string; readonly marked: number }
  output.line(`${request}: marked as a false positive; marks of ${safe(rule)}: ${marked}`)
  output.line(`to let it pass: postern explain ${shellWord(request)} --apply`)
  output.result(answer)
  return EXIT.done
}
