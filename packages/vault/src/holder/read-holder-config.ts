import { readFileSync } from 'node:fs'
import { ConfigError, fileProblem } from '@postern/core'
import { type HolderConfig, parseHolderConfig } from './holder-config.ts'

/**
 * The configuration of a holder in a file.
 * @throws ConfigError when it cannot be read, is not JSON, or as `parseHolderConfig`
 */
export function readHolderConfig(path: string): HolderConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError({ place: path, problem: fileProblem(error) })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new ConfigError({
      place: path,
      problem: 'is not JSON',
      hint: 'correct the file, or restore it from a backup',
    })
  }
  return parseHolderConfig(json, path)
}
