import {
  CidrSet,
  ConfigError,
  CredentialError,
  type Duration,
  type Principal,
  parseDuration,
} from '@postern/core'

const NAME = /^[^\u0000-\u001f\u007f]{1,100}$/
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** What a new API key may do, from where, how often and for how long. */
export interface NewApiKey {
  readonly name: string
  readonly scopes?: readonly string[]
  /** Default `live`. */
  readonly environment?: string
  /** Addresses and networks the key may be used from. Default: any. */
  readonly networks?: readonly string[]
  readonly limit?: { readonly count: number; readonly window: Duration }
  /** Default: never. */
  readonly expiresIn?: Duration
  /** Who makes it for a service, `user:ann`: they approve nothing asked with it. Default: unknown. */
  readonly createdBy?: string
}

/**
 * Whether somebody may have such a key.
 * @returns the scopes of the key
 * @throws ConfigError, CredentialError
 */
export function checkedWish(wish: NewApiKey, owner: Principal): readonly string[] {
  if (!NAME.test(wish.name))
    throw new ConfigError({ place: 'name', problem: 'is not 1 to 100 printable characters' })
  const scopes = wish.scopes ?? []
  if (scopes.length > 100 || scopes.some(scope => !SCOPE.test(scope)))
    throw new ConfigError({ place: 'scopes', problem: 'are not at most 100 words without spaces or quotes' })
  if (owner.scopes !== undefined && scopes.some(scope => owner.scopes?.includes(scope) !== true))
    throw new CredentialError('a key cannot have wider scopes than its owner')
  if (wish.networks !== undefined) {
    if (wish.networks.length > 100)
      throw new ConfigError({
        place: 'networks',
        problem: 'are more than 100',
        hint: 'give wider networks, or use several keys',
      })
    CidrSet.parse(wish.networks)
  }
  if (wish.environment !== undefined) checkWord('environment', wish.environment)
  if (wish.limit !== undefined) {
    const window = parseDuration(wish.limit.window, 'limit.window')
    if (!(wish.limit.count >= 1 && window >= 1_000 && Number.isFinite(wish.limit.count)))
      throw new ConfigError({
        place: 'limit',
        problem: 'allows less than one use, or its window is shorter than 1s',
      })
  }
  return scopes
}

/** Holds a part of a key's text to its shape. @throws ConfigError */
export function checkWord(place: string, word: string): void {
  if (/^[a-z][a-z0-9]{1,15}$/.test(word)) return
  throw new ConfigError({
    place,
    problem: 'is not 2 to 16 small letters and digits that start with a letter',
  })
}
