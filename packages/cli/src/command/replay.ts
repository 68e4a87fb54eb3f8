import { resolve } from 'node:path'
import { loadConfig } from '@postern/config'
import { formatDuration } from '@postern/core'
import { replayEngine } from '@postern/runtime'
import { namedFile } from '../replay/open-text.ts'
import { type ReplaySummary, replay, totalBytes } from '../replay/replay.ts'
import type { ReplayReport } from '../replay/replay-run.ts'
import type { Counted } from '../replay/top-counts.ts'
import { type Command, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'
import { wholeOption } from './whole-option.ts'

/** `postern replay`: what one configuration, or two, would have done with access logs. */
export const run: Command = async (args, options, context) => {
  const { output } = context
  const files = args.map(file => namedFile(context.folder, file))
  const top = wholeOption(options, 'top', 10, { least: 1, most: 1_000 })
  const setup = await loadSetup(options, context)
  const path = textOption(options, 'against')
  const against =
    path === undefined
      ? undefined
      : await loadConfig({
          path: resolve(context.folder, path),
          folder: context.folder,
          environment: context.environment,
        })
  const bar = output.progress('replay', totalBytes(files))
  const started = performance.now()
  const summary = await replay({
    files,
    engine: replayEngine(setup),
    ...(against !== undefined && { against: replayEngine(against) }),
    onProgress: bytes => bar.advance(bytes),
    signal: context.signal,
    top,
  })
  bar.end()
  output.note(`${counted(summary.lines, 'line')} in ${((performance.now() - started) / 1_000).toFixed(1)} s`)
  output.note(shareRead(summary))
  show(output, summary)
  output.result(summary)
  if (context.signal.aborted) return EXIT.interrupted
  return summary.lines > 0 && summary.malformed === summary.lines ? EXIT.no : EXIT.done
}

/**
 * What share of the log was understood: a report over a tenth of the lines looks like one over all of them.
 */
function shareRead({ lines, malformed }: ReplaySummary): string {
  if (lines === 0) return 'the files have no lines'
  const share = ((100 * (lines - malformed)) / lines).toFixed(1)
  return `${lines - malformed} of ${counted(lines, 'line')} read (${share} %)`
}

function show(output: Output, summary: ReplaySummary): void {
  const { from, to, malformed, malformedExamples, report, against } = summary
  if (from !== undefined && to !== undefined)
    output.line(
      `${new Date(from).toISOString()} to ${new Date(to).toISOString()} (${formatDuration(Math.max(0, to - from))})`,
    )
  showReport(output, report, against === undefined ? undefined : 'this configuration')
  if (malformed > 0) {
    output.line(
      output.paint('yellow', `not in an access log format, and skipped: ${counted(malformed, 'line')}`),
    )
    for (const { place, text } of malformedExamples) output.line(`  ${safe(place)}: ${safe(text)}`)
  }
  if (against === undefined) return
  showReport(output, against.report, 'the other configuration')
  const { newlyRefused, newlyAllowed, refusedBy, allowedFrom } = against.difference
  output.line(
    output.paint(
      'bold',
      `difference: the other refuses ${newlyRefused} more and allows ${newlyAllowed} more`,
    ),
  )
  showCounts(output, 'newly refused by', refusedBy)
  showCounts(output, 'newly allowed, refused before by', allowedFrom)
}

function showReport(output: Output, report: ReplayReport, title: string | undefined): void {
  const share = (count: number): string =>
    report.requests === 0 ? '0 %' : `${((100 * count) / report.requests).toFixed(2)} %`
  if (title !== undefined) output.line(output.paint('bold', title))
  output.line(
    `${counted(report.requests, 'request')}: ${output.paint('green', `${report.allowed} allowed`)}, ` +
      `${output.paint('red', `${report.blocked} blocked`)} (${share(report.blocked)}), ` +
      `${output.paint('yellow', `${report.throttled} throttled`)} (${share(report.throttled)}), ${report.challenged} challenged`,
  )
  showCounts(output, 'by rule', report.rules)
  showCounts(output, 'by actor', report.actors)
  showCounts(output, 'by route', report.routes)
  showCounts(output, 'found', report.findings)
}

function showCounts(output: Output, title: string, counts: readonly Counted[]): void {
  if (counts.length === 0) return
  output.line(`  ${title}:`)
  for (const { key, count, examples } of counts) {
    output.line(`  ${String(count).padStart(8)}  ${safe(key)}`)
    for (const example of examples) output.line(output.paint('dim', `            ${safe(example)}`))
  }
}
