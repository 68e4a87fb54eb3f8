import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError, type ConfigException } from '@postern/core'
import { readConfigFile } from './config-file.ts'
import { editJson, editYaml } from './edit-config.ts'
import { checkConfig, type LoadedConfig } from './load-config.ts'

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
 * Writes an exception into the file that a configuration was loaded from; without a file, into a new `postern.config.yaml`. The result is checked before it takes the file's
 * place, whole or not at all.
 * @returns the path that was written; undefined for a TypeScript or JavaScript file, which people write
 * @throws ConfigError when the edited configuration would not be one; the file then stays as it is
 */
export async function writeException(
  { file }: LoadedConfig,
  exception: ConfigException,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const edited = editedConfig({ file }, exception)
  if (edited === undefined) return undefined
  const { path, after } = edited
  const draft = join(dirname(path), `.${process.pid}.${basename(path)}`)
  writeFileSync(draft, after, {
    mode: file.path === undefined ? 0o644 : statSync(path).mode & 0o777,
    flag: 'wx',
  })
  try {
    checkConfig(await readConfigFile(draft), environment)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    if (error instanceof ConfigError)
      throw new ConfigError(
        error.issues.map(issue => ({ ...issue, place: `with the exception, ${issue.place}` })),
        { cause: error },
      )
    throw error
  }
  return path
}
