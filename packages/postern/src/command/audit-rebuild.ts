import { rebuildIndex } from '@postern/audit'
import { auditDirectory, readAudit } from '../assembly/audit.ts'
import { requireEmbeddedAudit } from '../assembly/audit-source.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit rebuild`: builds the search index anew out of the log and compares it with the one that is there; with `--replace` it
 * takes its place, which needs the gateway stopped. Exit 4 when they differ.
 */
export const run: Command = async (_args, options, context) => {
  const { output } = context
  const setup = await loadSetup(options, context)
  requireEmbeddedAudit(setup, 'audit rebuild')
  const { dataDirectory } = setup
  readAudit(dataDirectory).close()
  const isReplacing = options['replace'] === true
  const bar = output.progress('rebuild', 1)
  let done = 0
  const { size, identical } = rebuildIndex(auditDirectory(dataDirectory), {
    mode: isReplacing ? 'replace' : 'compare',
    onProgress: (now, total) => {
      bar.advance(total === 0 ? 0 : (now - done) / total)
      done = now
    },
  })
  bar.end()
  output.line(
    identical
      ? `the index says exactly what the ${size} entries of the log say`
      : output.paint('red', `the index did not say what the ${size} entries of the log say`),
  )
  if (!identical && !isReplacing) output.note('mend: stop the gateway, then postern audit rebuild --replace')
  output.result({ size, identical, replaced: isReplacing })
  return identical || isReplacing ? EXIT.done : EXIT.integrity
}
