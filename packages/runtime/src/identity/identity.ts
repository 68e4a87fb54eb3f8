import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CompiledConfig, LoadedConfig } from '@postern/config'
import {
  ConfigError,
  type Event,
  errorCode,
  FILE_HINT,
  fileProblem,
  type HealthProbe,
  systemRandom,
} from '@postern/core'
import { isCommonPassword } from '@postern/identity'
import type { BuiltInIdentity, BuiltInIdentityOptions, Mailer } from '@postern/identity/built-in'
import { createSecretFile, openSqlite, type RedisConnection } from '@postern/store'
import type { Connections } from '../stores/connections.ts'
import { storeAway, storeBack } from '../stores/store-away.ts'

type Settings = NonNullable<CompiledConfig['identity']>

/** What it is put together over. */
interface IdentityPlaces {
  readonly database: BuiltInIdentityOptions['database']
  readonly redis: RedisConnection | undefined
  /** Path of a file of the data directory; undefined where nothing is kept. */
  readonly file: ((name: string) => string) | undefined
  readonly emit: (event: Event) => void
}

/**
 * Built-in identity as the configuration wants it, in PostgreSQL where there is one, else in the embedded
 * database. Its code, which is much, is loaded only here: most applications have accounts of their own.
 * @returns undefined when the configuration has no `identity`
 * @throws ConfigError for a bad setting or a package that is not installed; StoreError when the store can
 * never be opened: one that is away is waited for
 */
export async function openIdentity(
  loaded: LoadedConfig,
  connections: Connections,
  emit: (event: Event) => void,
): Promise<(BuiltInIdentity & HealthProbe) | undefined> {
  const settings = loaded.config.identity
  if (settings === undefined) return undefined
  const options = await identityOptions(settings, loaded, {
    database: connections.postgres ?? connections.sqlite,
    redis: connections.redis,
    file: name => connections.directory.file(name),
    emit,
  })
  const { laterIdentity } = await import('@postern/identity/built-in')
  return laterIdentity(options, {
    onAway: error => emit(storeAway('identity', error)),
    onBack: () => emit(storeBack('identity')),
  })
}

/**
 * Puts built-in identity together as a start would, over memory.
 * @throws ConfigError for what a start would refuse
 */
export async function rehearseIdentity(loaded: LoadedConfig): Promise<void> {
  const settings = loaded.config.identity
  if (settings === undefined) return
  const database = openSqlite({ path: ':memory:' })
  try {
    const places = { database, redis: undefined, file: undefined, emit: () => undefined }
    const options = await identityOptions(settings, loaded, places)
    const { laterIdentity } = await import('@postern/identity/built-in')
    await (await laterIdentity(options)).close()
  } finally {
    database.close()
  }
}

async function identityOptions(
  settings: Settings,
  { config, file: { folder } }: LoadedConfig,
  { database, redis, file, emit }: IdentityPlaces,
): Promise<BuiltInIdentityOptions> {
  const { origin, siteName, home, signUp, mailedLinks, keys, theme, providers, backend, oauth } = settings
  return {
    origin,
    database,
    secret: secretOf(settings, config, folder, file),
    mailer: await mailerOf(settings, file),
    home,
    signUp,
    mailedLinks,
    sessions: sessionsOf(settings, config, redis),
    keys,
    passwords: { isCommon: isCommonPassword },
    theme,
    providers,
    emit,
    ...(siteName !== undefined && { siteName }),
    ...(backend !== undefined && { backend }),
    ...(oauth !== undefined && { oauth: oauthOf(oauth) }),
  }
}

function sessionsOf(
  { sessions: { store, ...lifetimes } }: Settings,
  { stores }: CompiledConfig,
  redis: RedisConnection | undefined,
): NonNullable<BuiltInIdentityOptions['sessions']> {
  if (store === 'database') return lifetimes
  if (stores.redis === undefined)
    throw new ConfigError({
      place: 'identity.sessions.store',
      problem: 'is "redis", which has no address',
      hint: 'set stores.redis',
    })
  return { ...lifetimes, redis }
}

function secretOf(
  { secretFile }: Settings,
  { stores }: CompiledConfig,
  folder: string,
  file: IdentityPlaces['file'],
): string {
  if (secretFile === undefined && stores.postgres !== undefined)
    throw new ConfigError({
      place: 'identity.secretFile',
      problem: 'is missing: instances that share PostgreSQL must share the secret',
      hint: 'make one with "openssl rand -hex 32 > identity.secret", and give it to every instance',
    })
  const path = secretFile === undefined ? file?.('identity.secret') : resolve(folder, secretFile)
  if (path === undefined) return randomSecret()
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    if (secretFile === undefined && errorCode(cause) === 'ENOENT') return freshSecret(path)
    throw new ConfigError(
      {
        place: 'identity.secretFile',
        problem: `${path} ${fileProblem(cause)}`,
        hint: FILE_HINT,
      },
      { cause },
    )
  }
}

function randomSecret(): string {
  return Buffer.from(systemRandom.bytes(32)).toString('hex')
}

/** Makes the secret; when another thread of this process was quicker, takes that one. */
function freshSecret(path: string): string {
  const secret = randomSecret()
  return createSecretFile(path, `${secret}\n`) ? secret : readFileSync(path, 'utf8').trim()
}

async function mailerOf({ mail }: Settings, file: IdentityPlaces['file']): Promise<Mailer> {
  const { fileOutbox, smtpMailer } = await import('@postern/identity/built-in')
  if (mail === undefined)
    return file === undefined ? { send: async () => undefined } : fileOutbox(file('outbox'))
  return smtpMailer({ url: mail.smtp, from: mail.from })
}

const GRANTS: Readonly<Record<'code' | 'refresh' | 'device' | 'credentials', string>> = {
  code: 'authorization_code',
  refresh: 'refresh_token',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  credentials: 'client_credentials',
}

/** Clients as RFC 7591 names their metadata. */
function oauthOf({
  clients,
  resources,
  metadataDocuments,
  refreshGrace,
}: NonNullable<Settings['oauth']>): NonNullable<BuiltInIdentityOptions['oauth']> {
  return {
    metadataDocuments,
    refreshGraceMs: refreshGrace === false ? 0 : refreshGrace,
    resources: Object.fromEntries(resources.map(({ uri, scopes, tokens }) => [uri, { scopes, tokens }])),
    clients: clients.map(({ id, name, secret, redirectUris, grants }) => ({
      client_id: id,
      client_name: name,
      redirect_uris: [...redirectUris],
      response_types: grants.includes('code') ? ['code' as const] : [],
      grant_types: grants.map(grant => GRANTS[grant]),
      ...(secret === undefined
        ? { token_endpoint_auth_method: 'none' as const, application_type: 'native' as const }
        : { client_secret: secret }),
    })),
  }
}
