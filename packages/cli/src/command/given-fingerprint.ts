import { ConfigError } from '@postern/core'
import { type CommandOptions, textOption } from './command.ts'

/** SHA-256 in base64url. */
const FINGERPRINT = /^[A-Za-z0-9_-]{43}$/

/**
 * The fingerprint that a command was given: as an argument, or as `--fingerprint=...`, which also takes one
 * that begins with a hyphen, as one in 64 of earlier releases does.
 * @throws ConfigError when there is none, or two, or when it is not a fingerprint
 */
export function givenFingerprint(argument: string | undefined, options: CommandOptions): string {
  const option = textOption(options, 'fingerprint')
  if (argument !== undefined && argument !== '' && option !== undefined && argument !== option)
    throw new ConfigError({ place: 'fingerprint', problem: 'is given twice', hint: 'leave one of them out' })
  const fingerprint = option ?? argument ?? ''
  if (FINGERPRINT.test(fingerprint)) return fingerprint
  throw new ConfigError({
    place: 'fingerprint',
    problem: fingerprint === '' ? 'is missing' : 'is not 43 characters of base64url',
    hint: 'what `postern holder fingerprint CONFIG` or `postern vault fingerprint` prints; one that begins with a hyphen as --fingerprint=-abc, or after --',
  })
}
