import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError, type ConfigException } from '@postern/core'
import { configOfText } from '../file/config-file.ts'
import { checkConfig, type LoadedConfig } from '../load/load-config.ts'
import { editJson, editYaml } from './edit-config.ts'

/** What an exception makes of the configuration's file. */
export interface EditedConfig {
  readonly path: string
  readonly before: string
  readonly after: string
}

/**
 * The file that a configuration was loaded from with an exception in it, written nowhere; without a file, a
 * new
 * `postern.config.yaml`.
 * @returns undefined for a TypeScript or JavaScript file, which people write
 * @throws ConfigError where the place cannot be edited
 */
export function editedConfig(
  { file }: Pick<LoadedConfig, 'file'>,
  exception: ConfigException,
): EditedConfig | undefined {
  const path = file.path ?? join(file.folder, 'postern.config.yaml')
  if (/\.[cm]?[jt]s$/.test(path)) return undefined
  const before = file.path === undefined ? '' : readFileSync(path, 'utf8')
  const after = path.endsWith('.json') ? editJson(before, exception) : editYaml(before, exception)
  return { path, before, after }
}

/**
 * Puts a changed configuration into its file's place, whole or not at all; the result is checked before.
 * @throws ConfigError when it would not be a configuration; the file then stays as it is
 */
export function writeConfig(
  { path, before, after }: EditedConfig,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  checkConfig(configOfText(path, after), environment)
  const stat = statSync(path, { throwIfNoEntry: false })
  const now = stat === undefined ? '' : readFileSync(path, 'utf8')
  if (now !== before)
    throw new ConfigError({
      place: basename(path),
      problem: 'was changed by someone else in the meantime',
      hint: 'look at it again, then repeat the change',
    })
  // Behind a link: replacing that would leave the file that others read, or a mount brings, as it was.
  const target = stat === undefined ? path : realpathSync(path)
  const draft = join(dirname(target), `.${process.pid}.${basename(target)}`)
  try {
    writeDraft(draft, after, stat)
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** @param stat of the file that it takes the place of: who could read that must be able to read this one */
function writeDraft(draft: string, text: string, stat: Stats | undefined): void {
  const handle = openSync(draft, 'wx', stat === undefined ? 0o644 : stat.mode & 0o777)
  try {
    if (stat !== undefined && process.geteuid?.() === 0) fchownSync(handle, stat.uid, stat.gid)
    writeFileSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Writes an exception into the file that a configuration was loaded from; without a file, into a new
 * `postern.config.yaml`. The result is checked before it takes the file's place, whole or not at all.
 * @returns the path that was written; undefined for a TypeScript or JavaScript file, which people write
 * @throws ConfigError when the edited configuration would not be one; the file then stays as it is
 */
export async function writeException(
  loaded: Pick<LoadedConfig, 'file'>,
  exception: ConfigException,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const edited = editedConfig(loaded, exception)
  if (edited === undefined) return undefined
  try {
    writeConfig(edited, environment)
  } catch (error) {
    if (error instanceof ConfigError)
      throw new ConfigError(
        error.issues.map(issue => ({ ...issue, place: `with the exception, ${issue.place}` })),
        { cause: error },
      )
    throw error
  }
  return edited.path
}
