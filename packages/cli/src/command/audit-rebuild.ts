import { type RebuildOptions, type Rebuilt, rebuildIndex, rebuildPostgresIndex } from '@postern/audit'
import { auditDirectory, Connections, isAuditInPostgres, readAudit, requirePostgres } from '@postern/runtime'
import type { Command } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup, type Setup } from './setup.ts'

/**
 * `postern audit rebuild`: rebuilds the search index from the log and compares it with the one that is
 * there; with `--replace` it takes its place, which in the data directory needs the gateway stopped. Exit 4
 * when they differ.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const setup = await loadSetup(options, context)
  const isReplacing = options['replace'] === true
  const bar = output.progress('rebuild', 1)
  let done = 0
  const { size, identical } = await rebuild(setup, {
    mode: isReplacing ? 'replace' : 'compare',
    onProgress: (now, total) => {
      bar.advance(total === 0 ? 0 : (now - done) / total)
      done = now
    },
  })
  bar.end()
  output.line(
    identical
      ? `the index says exactly what the ${counted(size, 'entry', 'entries')} of the log say`
      : output.paint(
          'red',
          `the index did not say what the ${counted(size, 'entry', 'entries')} of the log say`,
        ),
  )
  if (!identical && !isReplacing)
    output.note(
      isAuditInPostgres(setup)
        ? 'hint: postern audit rebuild --replace'
        : 'hint: stop the gateway, then postern audit rebuild --replace',
    )
  output.result({ size, identical, replaced: isReplacing })
  return identical || isReplacing ? EXIT.done : EXIT.integrity
}

async function rebuild(setup: Setup, options: RebuildOptions): Promise<Rebuilt> {
  const { config, dataDirectory } = setup
  if (!isAuditInPostgres(setup)) {
    readAudit(dataDirectory).close()
    return rebuildIndex(auditDirectory(dataDirectory), options)
  }
  const connections = new Connections(config, dataDirectory, 'existing')
  try {
    return await rebuildPostgresIndex(requirePostgres(connections), options)
  } finally {
    await connections.close()
  }
}
