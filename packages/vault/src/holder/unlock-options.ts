import { resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { awsKms } from '../kms/aws-kms.ts'
import { gcpKms } from '../kms/gcp-kms.ts'
import type { KeyService } from '../kms/key-service.ts'
import { vaultTransit } from '../kms/vault-transit.ts'
import type { Unlock } from './unlock.ts'

/** What unlocks a holder, as a command line names it: at most one of them. */
export interface UnlockOptions {
  /** A file with 32 bytes, base64url. */
  readonly keyFile?: string
  /** `REGION/KEY`, e.g. `eu-west-1/alias/holder-1`. */
  readonly awsKms?: string
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`. */
  readonly gcpKms?: string
  /** `ADDRESS/MOUNT/KEY`, e.g. `https://vault.internal:8200/transit/holder-1`. */
  readonly vaultTransit?: string
  /** Address of AWS KMS or Cloud KMS where it is not the public one: a VPC endpoint, a proxy. */
  readonly kmsEndpoint?: string
}

type Environment = Readonly<Record<string, string | undefined>>

const WAYS = ['keyFile', 'awsKms', 'gcpKms', 'vaultTransit'] as const
const FLAGS = '--key-file, --aws-kms, --gcp-kms, --vault-transit, or POSTERN_HOLDER_PASSPHRASE'

/**
 * What unlocks a holder, from options and the environment. Credentials of key services are only in the
 * environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; GOOGLE_OAUTH_ACCESS_TOKEN;
 * VAULT_TOKEN. They are needed while the holder starts, and not after.
 * @throws ConfigError when nothing is named, or more than one, or credentials are missing
 */
export function unlockFrom(options: UnlockOptions, environment: Environment, folder: string): Unlock {
  const named = WAYS.filter(way => options[way] !== undefined)
  if (named.length > 1)
    throw new ConfigError({ place: 'holder unlock', problem: 'is named twice', hint: `one of ${FLAGS}` })
  const { keyFile } = options
  if (keyFile !== undefined) return { kind: 'file', path: resolve(folder, keyFile) }
  const service = serviceFrom(options, environment)
  if (service !== undefined) return { kind: 'service', service }
  const passphrase = environment['POSTERN_HOLDER_PASSPHRASE']
  if (passphrase !== undefined) return { kind: 'passphrase', passphrase }
  throw new ConfigError({ place: 'holder', problem: 'has nothing to unlock with', hint: `give ${FLAGS}` })
}

function serviceFrom(options: UnlockOptions, environment: Environment): KeyService | undefined {
  const endpoint = options.kmsEndpoint === undefined ? {} : { endpoint: options.kmsEndpoint }
  if (options.awsKms !== undefined) {
    const [, region = '', keyId = ''] =
      /^([a-z0-9-]+)\/(.+)$/.exec(options.awsKms) ?? malformed('aws-kms', 'eu-west-1/alias/holder-1')
    const accessKeyId = needed(environment, 'AWS_ACCESS_KEY_ID')
    const secretAccessKey = needed(environment, 'AWS_SECRET_ACCESS_KEY')
    const sessionToken = environment['AWS_SESSION_TOKEN']
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
    return awsKms({ region, keyId, credentials: () => credentials, ...endpoint })
  }
  if (options.gcpKms !== undefined) {
    if (!/^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/.test(options.gcpKms))
      malformed('gcp-kms', 'projects/P/locations/L/keyRings/R/cryptoKeys/K')
    const token = needed(environment, 'GOOGLE_OAUTH_ACCESS_TOKEN')
    return gcpKms({ key: options.gcpKms, token: () => token, ...endpoint })
  }
  if (options.vaultTransit === undefined) return undefined
  const [, address = '', mount = '', key = ''] =
    /^(https?:\/\/[^/]+)\/(.+)\/([^/]+)$/.exec(options.vaultTransit) ??
    malformed('vault-transit', 'https://vault.internal:8200/transit/holder-1')
  const token = needed(environment, 'VAULT_TOKEN')
  return vaultTransit({ address, mount, key, token: () => token })
}

function malformed(flag: string, example: string): never {
  throw new ConfigError({ place: `--${flag}`, problem: 'is malformed', hint: `e.g. ${example}` })
}

function needed(environment: Environment, name: string): string {
  const value = environment[name]
  if (value !== undefined && value !== '') return value
  throw new ConfigError({
    place: `the environment: ${name}`,
    problem: 'is missing',
    hint: 'set the variable for the process of the holder',
  })
}
