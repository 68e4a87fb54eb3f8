import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isRemovalRecorded, parseVerifierKey, type VerifyReport, verifyStore } from '@postern/audit'
import { openAuditSource } from '@postern/runtime'
import { type Command, listOption, textOption } from './command.ts'
import { counted } from './counted.ts'
import { EXIT } from './exit-code.ts'
import { type Output, safe } from './output.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern audit verify`: every byte that the checkpoint commits to. Exit 4 when something was changed, with
 * the first byte range. Without `--key` the log vouches for itself: enough to find damage, not whoever holds
 * the signing key. A log in PostgreSQL is held against the keys of the configuration then, which who can only
 * write to the database does not have.
 */
export const run: Command = async (_args, options, context) => {
  const { output, folder } = context
  const path = textOption(options, 'remembered')
  const remembered = path === undefined ? undefined : readFileSync(resolve(folder, path), 'utf8')
  const setup = await loadSetup(options, context)
  const given = listOption(options, 'key')
  // A mistyped key says nothing about the log: it must not read as if that had been changed.
  for (const key of given) parseVerifierKey(key, '--key')
  const log = await openAuditSource(setup)
  const keys = given.length > 0 ? given : log.trustedKeys
  let done = 0
  const bar = output.progress('verify', 1)
  let isRecorded = true
  let waiting: number | undefined
  const report = await verifyStore(log.reader.store, {
    ...(keys !== undefined && { verifierKeys: keys }),
    ...(remembered !== undefined && { remembered }),
    signal: context.signal,
    onProgress: (now, total) => {
      bar.advance(total === 0 ? 0 : (now - done) / total)
      done = now
    },
  })
    .then(async verified => {
      if (verified.ok && verified.entries < verified.size) isRecorded = await isRemovalRecorded(log.reader)
      waiting = log.reader.waiting(verified.size)
      return verified
    })
    .catch((error: unknown) => {
      if (context.signal.aborted && error === context.signal.reason) return undefined
      throw error
    })
    .finally(() => log.close())
  bar.end()
  if (report === undefined) return EXIT.interrupted
  const { ok, origin, size, root, problems } = report
  if (ok)
    output.line(
      `${output.paint('green', 'intact')}: ${counted(size, 'entry', 'entries')} of ${safe(origin)}, root ${root}`,
    )
  else output.line(`${output.paint('red', 'CHANGED')}: ${counted(problems.length, 'problem')}`)
  for (const { path: file, from, to, message } of problems)
    output.line(`  ${safe(file)} bytes ${from} to ${to}: ${safe(message)}`)
  if (ok) noteRest(output, report, isRecorded, waiting)
  if (ok && given.length === 0)
    output.note(
      log.trustedKeys === undefined
        ? 'The log vouched for itself; give its key with --key to exclude a forger who holds the directory.'
        : 'Verified with the keys of this configuration; give --key to exclude a forger who holds it.',
    )
  output.result({ ...report, removalRecorded: isRecorded, ...(waiting !== undefined && { waiting }) })
  return ok ? EXIT.done : EXIT.integrity
}

/** What is not in the tree any more, and not yet. */
function noteRest(
  output: Output,
  { size, entries }: VerifyReport,
  isRecorded: boolean,
  waiting: number | undefined,
): void {
  if (waiting !== undefined && waiting > 0)
    output.note(
      `Written and not in the tree yet: ${counted(waiting, 'later entry', 'later entries')}; a running gateway adds them within a second, after a crash the next start does.`,
    )
  if (entries >= size) return
  output.note(
    isRecorded
      ? `Retention removed the first ${counted(size - entries, 'entry', 'entries')}; the hashes are there.`
      : `Missing: the first ${counted(size - entries, 'entry', 'entries')}, and no entry says that retention removed them ("audit.pruned"). ` +
          'Unless it was just stopped while it did, somebody deleted them.',
  )
}
