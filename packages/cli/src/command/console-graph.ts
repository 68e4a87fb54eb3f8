import type { Json } from '@postern/core'
import { askGateway } from '@postern/server'
import { type Command, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

interface Graph {
  readonly edges: readonly {
    readonly from: string
    readonly to: string
    readonly touches: number
    readonly refused: number
    readonly actions: readonly string[]
  }[]
  readonly left: number
}

/** `postern console graph`: who touched what, from the audit log; most touched first. */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const { dataDirectory } = await loadSetup(options, context)
  const wanted = ['hours', 'principal', 'type', 'id'].flatMap(name => {
    const value = textOption(options, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const answer = await askGateway<Json & Graph>(dataDirectory, 'console/graph', Object.fromEntries(wanted))
  const { edges, left } = answer
  for (const { from, to, touches, refused, actions } of edges.toSorted((a, b) => b.touches - a.touches)) {
    const did = actions.length === 0 ? '' : `: ${actions.map(safe).join(', ')}`
    output.line(`${safe(from)} -> ${safe(to)}  ${touches} times, ${refused} refused${did}`)
  }
  if (edges.length === 0) output.line('nothing was touched in that time')
  if (left > 0) output.line(`${left} more actors and resources found no room`)
  output.result(answer)
  return EXIT.done
}
