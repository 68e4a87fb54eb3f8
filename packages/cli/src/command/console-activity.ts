import type { Json } from '@postern/core'
import { askGateway } from '@postern/server'
import { type Command, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

interface Activity {
  readonly hours: readonly { readonly time: number; readonly requests: number; readonly refused: number }[]
  readonly countries: readonly {
    readonly country: string
    readonly requests: number
    readonly refused: number
  }[]
}

/** `postern console activity`: requests and refused attempts by day, and by country where a proxy says it. */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const { dataDirectory } = await loadSetup(options, context)
  const days = textOption(options, 'days')
  const answer = await askGateway<Json & Activity>(
    dataDirectory,
    'console/activity',
    days === undefined ? {} : { days },
  )
  const { hours, countries } = answer
  const byDay = new Map<string, { requests: number; refused: number }>()
  for (const { time, requests, refused } of hours) {
    const day = new Date(time).toISOString().slice(0, 10)
    const sum = byDay.get(day) ?? { requests: 0, refused: 0 }
    byDay.set(day, { requests: sum.requests + requests, refused: sum.refused + refused })
  }
  for (const [day, { requests, refused }] of byDay)
    output.line(`${day}  ${counted(requests, 'request')}, ${refused} refused`)
  for (const { country, requests, refused } of countries)
    output.line(`${safe(country).padEnd(10)}  ${counted(requests, 'request')}, ${refused} refused`)
  output.result(answer)
  return EXIT.done
}
