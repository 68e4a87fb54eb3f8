import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { verifyDirectory } from '@postern/audit'
import { auditDirectory, readAudit } from '../assembly/audit.ts'
import { requireEmbeddedAudit } from '../assembly/audit-source.ts'
import { type Command, listOption, textOption } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit verify`: every byte that the checkpoint commits to. Exit 4 when something was changed, with the first byte range.
 * Without `--key` the log vouches for itself: enough to find damage, not whoever holds the signing key.
 */
export const run: Command = async (_args, options, context) => {
  const { output, folder } = context
  const setup = await loadSetup(options, context)
  requireEmbeddedAudit(setup, 'audit verify')
  const { dataDirectory } = setup
  const path = textOption(options, 'remembered')
  const keys = listOption(options, 'key')
  readAudit(dataDirectory).close()
  let done = 0
  const bar = output.progress('verify', 1)
  const report = await verifyDirectory(auditDirectory(dataDirectory), {
    ...(keys.length > 0 && { verifierKeys: keys }),
    ...(path !== undefined && { remembered: readFileSync(resolve(folder, path), 'utf8') }),
    onProgress: (now, total) => {
      bar.advance(total === 0 ? 0 : (now - done) / total)
      done = now
    },
  })
  bar.end()
  const { ok, origin, size, root, problems } = report
  if (ok) output.line(`${output.paint('green', 'intact')}: ${size} entries of ${safe(origin)}, root ${root}`)
  else output.line(`${output.paint('red', 'CHANGED')}: ${problems.length} problem(s)`)
  for (const { path: file, from, to, message } of problems)
    output.line(`  ${safe(file)} bytes ${from} to ${to}: ${safe(message)}`)
  if (ok && keys.length === 0)
    output.note(
      'The log vouched for itself; give its key with --key to exclude a forger who holds the directory.',
    )
  output.result(report)
  return ok ? EXIT.done : EXIT.integrity
}
