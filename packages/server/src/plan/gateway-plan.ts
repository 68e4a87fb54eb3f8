import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { CompiledConfig, Listen, LoadedConfig, TlsConfig } from '@postern/config'
import { ConfigError, fileProblem, socketPath } from '@postern/core'
import type { GatewayLimits, GatewayTimeouts, ListenOptions, TlsOptions } from '@postern/gateway'
import { fittedCaps, openFileLimit } from './open-files.ts'

/** What the package gateway is started with, plain enough to be handed to a worker. */
export interface GatewayPlan {
  readonly upstream: string
  readonly listen: ListenOptions
  readonly timeouts: GatewayTimeouts
  readonly limits: GatewayLimits
  readonly keepHeaders: readonly string[]
  readonly signingKey?: string
}

/**
 * Refuses a configuration whose principals only the application's own code could fill, where no such code
 * runs.
 * @throws ConfigError
 */
export function requireNoApplication({ identify }: CompiledConfig): void {
  if (identify?.by !== 'application') return
  throw new ConfigError({
    place: 'identify',
    problem:
      '"application" is for middleware: in a process of its own Postern has no application that could call setPrincipal',
    hint: 'give a function that reads the credential of the request: identify: exchange => ...',
  })
}

/**
 * The gateway's part of a configuration.
 * @param threads that share what the process may open
 * @throws ConfigError when there is no backend, or a certificate cannot be read
 */
export function gatewayPlan({ config, file }: LoadedConfig, threads: number): GatewayPlan {
  requireNoApplication(config)
  const { upstream } = config
  if (upstream === undefined)
    throw new ConfigError({
      place: 'upstream',
      problem: 'the gateway does not know where the backend is',
      hint: 'postern gateway --to http://127.0.0.1:3000, or set upstream in the configuration',
    })
  const { host, port, path } = config.listen
  if (isListeningPlace(upstream, config.listen))
    throw new ConfigError({
      place: 'upstream',
      problem: `${upstream} is where the gateway itself listens`,
      hint: 'give the backend or the gateway another port',
    })
  const { drain: _, ...timeouts } = config.timeouts
  return {
    upstream,
    listen: {
      host,
      port,
      ...(path !== undefined && { path }),
      ...(config.tls !== undefined && { tls: readCertificate(config.tls, file.folder) }),
    },
    timeouts,
    limits: fittedCaps(config.caps, threads, openFileLimit()),
    keepHeaders: config.keepHeaders,
    ...(config.signingKey !== undefined && { signingKey: config.signingKey }),
  }
}

/**
 * Whether an address leads to the place that something listens on: a gateway in front of itself would ask
 * itself without end.
 */
export function isListeningPlace(address: string, listen: Listen): boolean {
  if (listen.path !== undefined) return socketPath(address) === listen.path
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  if (port !== listen.port) return false
  return host === listen.host || (LOCAL.has(host) && (LOCAL.has(listen.host) || ANY.has(listen.host)))
}

const LOCAL: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])
const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * The certificate of a configuration, if it has one.
 * @throws ConfigError when it cannot be read, or the two files do not fit
 */
export function certificateOf({ config, file }: LoadedConfig): TlsOptions | undefined {
  return config.tls === undefined ? undefined : readCertificate(config.tls, file.folder)
}

/** The certificate of the front. @throws ConfigError when it cannot be read, or the two files do not fit */
export function readCertificate(tls: TlsConfig, folder: string): { cert: Buffer; key: Buffer } {
  const read = (name: 'cert' | 'key'): Buffer => {
    try {
      return readFileSync(resolve(folder, tls[name]))
    } catch (cause) {
      throw new ConfigError(
        {
          place: `tls.${name}`,
          problem: `${tls[name]} ${fileProblem(cause)}`,
          hint: 'give the path of a PEM file',
        },
        { cause },
      )
    }
  }
  const certificate = { cert: read('cert'), key: read('key') }
  try {
    createSecureContext(certificate)
    // OpenSSL compares keys of one kind only: an RSA key beside an EC certificate would fail each handshake.
    if (!isKeyOf(new X509Certificate(certificate.cert), certificate.key))
      throw new Error('key values mismatch')
  } catch (cause) {
    const isMisplaced = pemCertificates(certificate.cert).some(one => isKeyOf(one, certificate.key))
    throw new ConfigError(
      {
        place: 'tls',
        problem: `${tls.cert} and ${tls.key} cannot be used (${reasonOf(cause)})`,
        hint: isMisplaced
          ? `the key fits a certificate further down in ${tls.cert}: put that one first, and those of its authorities after it`
          : 'give the certificate with its chain, and the key that it was made with, both as PEM, the key without a password',
      },
      { cause },
    )
  }
  return certificate
}

/** The certificates of a file after its first. */
function pemCertificates(file: Buffer): readonly X509Certificate[] {
  try {
    const blocks = file.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
    return (blocks ?? []).slice(1, 10).map(block => new X509Certificate(block))
  } catch {
    return []
  }
}

function isKeyOf(certificate: X509Certificate, key: Buffer): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

/** OpenSSL's word without its numbers: `key values mismatch`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'error'
  return 'reason' in error ? String(error.reason) : (error.message.split(':').at(-1) ?? 'error')
}
