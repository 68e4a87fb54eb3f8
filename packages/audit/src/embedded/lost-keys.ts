import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import { disk } from '../files/file-layer.ts'
import { LogFiles } from '../files/log-files.ts'
import { SIGNING_KEYS } from '../log/signing-keys.ts'

/** The keys of the subjects, beside the signing keys. */
export const SUBJECT_KEYS = 'subjects.db'

/**
 * Refuses a log whose keys are gone, before new ones are created in their place: a directory that was copied
 * or restored without them. With new signing keys it could not be opened, and with new keys of subjects
 * everything that was sealed before would read as erased.
 * @throws IntegrityError naming the file, and what to do
 */
export function refuseLostKeys(directory: string, keyDirectory: string): void {
  if (new LogFiles(disk, directory).checkpoint() === undefined) return
  const signing = join(keyDirectory, SIGNING_KEYS)
  if (!existsSync(signing))
    throw new IntegrityError(
      `the log in ${directory} has no signing keys: ${signing} does not exist. Restore it, or copy it from where the log was; ` +
        'if it is lost, move the directory of the log away, and a new log begins',
    )
  const subjects = join(keyDirectory, SUBJECT_KEYS)
  if (!existsSync(subjects))
    throw new IntegrityError(
      `the log in ${directory} has no keys of subjects: ${subjects} does not exist. Restore it, or copy it from where the log was; ` +
        'if it is lost, create it as an empty file: all personal data so far then reads as erased',
    )
}
