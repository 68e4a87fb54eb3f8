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
import {
  type BuiltInIdentity,
  type BuiltInIdentityOptions,
  fileOutbox,
  laterIdentity,
  type Mailer,
  smtpMailer,
} from '@postern/identity/built-in'
import { createSecretFile } from '@postern/store'
import type { Connections } from './connections.ts'
import { storeAway, storeBack } from './store-away.ts'

type Settings = NonNullable<CompiledConfig['identity']>

/**
 * Built-in identity as the configuration wants it, in PostgreSQL where there is one, else in the embedded
 * database.
 * @returns undefined when the configuration has no `identity`
 * @throws ConfigError for a bad setting or a package that is not installed; StoreError when the store can
 * never be opened: one that is away is waited for
 */
export async function openIdentity(
  { config, file }: LoadedConfig,
  connections: Connections,
  emit: (event: Event) => void,
): Promise<(BuiltInIdentity & HealthProbe) | undefined> {
  const settings = config.identity
  if (settings === undefined) return undefined
  const { origin, siteName, home, signUp, mailedLinks, keys, theme, providers, backend, oauth } = settings
  const options: BuiltInIdentityOptions = {
    origin,
    database: connections.postgres ?? connections.sqlite,
    secret: secretOf(settings, config, file.folder, connections),
    mailer: await mailerOf(settings, connections),
    home,
    signUp,
    mailedLinks,
    sessions: sessionsOf(settings, connections),
    keys,
    passwords: { isCommon: isCommonPassword },
    theme,
    providers,
    emit,
    ...(siteName !== undefined && { siteName }),
    ...(backend !== undefined && { backend }),
    ...(oauth !== undefined && { oauth: oauthOf(oauth) }),
  }
  return laterIdentity(options, {
    onAway: error => emit(storeAway('identity', error)),
    onBack: () => emit(storeBack('identity')),
  })
}

function sessionsOf(
  { sessions: { store, ...lifetimes } }: Settings,
  { redis }: Connections,
): NonNullable<BuiltInIdentityOptions['sessions']> {
  if (store === 'database') return lifetimes
  if (redis === undefined)
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
  connections: Connections,
): string {
  if (secretFile === undefined && stores.postgres !== undefined)
    throw new ConfigError({
      place: 'identity.secretFile',
      problem: 'is missing: instances that share PostgreSQL must share the secret',
      hint: 'make one with "openssl rand -hex 32 > identity.secret", and give it to every instance',
    })
  const path =
    secretFile === undefined ? connections.directory.file('identity.secret') : resolve(folder, secretFile)
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

/** Makes the secret; when another thread of this process was quicker, takes that one. */
function freshSecret(path: string): string {
  const secret = Buffer.from(systemRandom.bytes(32)).toString('hex')
  return createSecretFile(path, `${secret}\n`) ? secret : readFileSync(path, 'utf8').trim()
}

async function mailerOf({ mail }: Settings, connections: Connections): Promise<Mailer> {
  if (mail === undefined) return fileOutbox(connections.directory.file('outbox'))
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
}: NonNullable<Settings['oauth']>): NonNullable<BuiltInIdentityOptions['oauth']> {
  return {
    metadataDocuments,
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
