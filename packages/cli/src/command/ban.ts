import { ConfigError, formatDuration, type Measure, parseDuration, shellWord } from '@postern/core'
import { formatActor, parseActor } from '@postern/remediate'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { withRemediations } from './with-remediations.ts'

const MEASURES: readonly Measure[] = ['block', 'throttle', 'challenge']

/** `postern ban`: sets a remediation that every instance on the same store obeys within a second. */
export const run: Command = async ([text = ''], options, context) => {
  const request = {
    actor: parseActor(text),
    measure: parseMeasure(textOption(options, 'measure') ?? 'block'),
    for: textOption(options, 'for') ?? '4h',
    reason: textOption(options, 'reason') ?? 'set by hand',
  }
  // Before anything is opened, and by the name of the option.
  parseDuration(request.for, '--for')
  const act = {
    action: 'ban',
    resource: { type: 'actor' },
    data: {
      actor: formatActor(request.actor),
      measure: request.measure,
      for: request.for,
      reason: request.reason,
    },
  }
  const taken = await withRemediations(options, context, store => store.add(request), act)
  const actor = formatActor(taken.actor)
  context.output.line(
    `${safe(actor)}: ${taken.measure} until ${new Date(taken.expiresAt).toISOString()} (${safe(taken.reason)})`,
  )
  context.output.line(`end it with: postern unban ${shellWord(actor)}`)
  context.output.result({ ...taken, left: formatDuration(taken.expiresAt - Date.now()) })
  return EXIT.done
}

function parseMeasure(text: string): Measure {
  const measure = MEASURES.find(known => known === text)
  if (measure !== undefined) return measure
  throw new ConfigError({
    place: '--measure',
    problem: `"${text.slice(0, 40)}" is not a measure`,
    hint: MEASURES.join(', '),
  })
}
