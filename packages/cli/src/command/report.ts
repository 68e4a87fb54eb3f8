import { ConfigError } from '@postern/core'
import type { Counted } from '../replay/top-counts.ts'
import { ObserveCounts, type ObserveReport } from '../report/observe-report.ts'
import { reportHtml } from '../report/report-html.ts'
import { auditFilter, filteredEntries } from './audit-filter.ts'
import { type Command, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { openWithWaiting } from './open-with-waiting.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { wholeOption } from './whole-option.ts'

const DEFAULT_TOP = 10
const FORMATS: readonly string[] = ['text', 'json', 'html']

/**
 * `postern report`: what observe mode would have refused, by rule, route and actor, and the exceptions that
 * would let it pass.
 */
export const run: Command = async (_args, options, { output, signal, ...context }) => {
  const format = textOption(options, 'format') ?? (output.json ? 'json' : 'text')
  if (!FORMATS.includes(format))
    throw new ConfigError({
      place: '--format',
      problem: `"${format.slice(0, 20)}" is not a format`,
      hint: 'text, json or html',
    })
  const top = wholeOption(options, 'top', DEFAULT_TOP, { least: 1, most: 1_000 })
  const setup = await loadSetup(options, { output, signal, ...context })
  const { query } = auditFilter({ since: textOption(options, 'since') ?? '7d' }, Date.now())
  const log = await openWithWaiting(setup, output)
  const counts = new ObserveCounts(setup.file)
  try {
    for await (const { event } of filteredEntries(log, {
      query,
      limit: undefined,
      matches: event => event.observed !== undefined,
    })) {
      counts.take(event)
      if (signal.aborted) return EXIT.interrupted
    }
  } finally {
    await log.close()
  }
  const report = counts.report(top)
  if (format === 'html') await output.data(reportHtml(report))
  else if (format === 'json') await output.data(JSON.stringify(report))
  else print(report, output)
  return EXIT.done
}

function print(report: ObserveReport, output: Output): void {
  const { requests, denied, throttled, challenged, first, last } = report
  if (requests === 0) {
    output.line('nothing would have been refused')
    output.note(
      "The report counts requests that mode: 'observe' let pass. What was refused: postern audit search --decision deny",
    )
    return
  }
  output.line(
    `${counted(requests, 'request')} would have been refused: ${denied} denied, ${throttled} throttled, ${challenged} challenged`,
  )
  output.line(`from ${first ?? ''} to ${last ?? ''}`)
  section('rules', report.rules, output, 'postern explain ')
  section('routes', report.routes, output)
  section('actors', report.actors, output)
  section('exceptions that would let them pass', report.exceptions, output, 'postern explain ')
}

function section(title: string, rows: readonly Counted[], output: Output, before = ''): void {
  if (rows.length === 0) return
  output.line()
  output.line(output.paint('bold', title))
  for (const { key, count, examples } of rows) {
    const [head = '', ...rest] = key.split('\n')
    output.line(`${String(count).padStart(7)}  ${safe(head)}`)
    for (const line of rest) output.line(`         ${safe(line)}`)
    const [example] = examples
    if (example !== undefined) output.line(output.paint('dim', `         ${safe(before + example)}`))
  }
}
