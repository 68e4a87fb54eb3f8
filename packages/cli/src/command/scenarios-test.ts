import type { CompiledRoutes } from '@postern/config'
import { RouteTable } from '@postern/core'
import { replayEngine } from '@postern/runtime'
import { namedFile } from '../replay/open-text.ts'
import { replay, totalBytes } from '../replay/replay.ts'
import type { Command } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern scenarios test`: what the scenarios alone would have found in a log, with every guard switched off
 * so that what the log says happened is what they see. Exit 1 when nothing was found.
 */
export const run: Command = async (args, options, context) => {
  const { output } = context
  const setup = await loadSetup(options, context)
  const config = {
    ...setup.config,
    inspect: false,
    protocol: false,
    remediations: false,
    limits: [],
    routes: NO_ROUTES,
  } as const
  const files = args.map(file => namedFile(context.folder, file))
  const bar = output.progress('scenarios', totalBytes(files))
  const { report, malformed } = await replay({
    files,
    engine: replayEngine({ ...setup, config }),
    onProgress: bytes => bar.advance(bytes),
    signal: context.signal,
    top: 100,
  })
  bar.end()
  for (const { key, count, examples } of report.findings)
    output.line(`${String(count).padStart(6)}  ${safe(key)}  ${safe(examples.join(', '))}`)
  if (report.findings.length === 0) output.line('nothing was found')
  if (malformed > 0) output.note(`not in an access log format: ${counted(malformed, 'line')}`)
  output.result({ requests: report.requests, malformed, findings: report.findings })
  return report.findings.length === 0 ? EXIT.no : EXIT.done
}

const NO_ROUTES: CompiledRoutes = {
  table: new RouteTable(),
  traps: [],
  limits: new Map(),
  guarded: new Map(),
  parameters: new Map(),
  methods: new Map(),
  dependOnMethod: false,
  haveClients: false,
  haveCors: false,
}
