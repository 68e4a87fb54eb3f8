import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { type AuditLogReader, Shipper, type Sink, SyslogSink, WebhookSink } from '@postern/audit'
import type { CompiledShip, LoadedConfig } from '@postern/config'
import { ConfigError, FILE_HINT, fileProblem } from '@postern/core'
import type { OpenedAudit } from './audit.ts'

/**
 * A shipper for every `audit.ship`, not started yet. Each has a cursor named after its target, so that
 * instances of one log share it.
 * @param reader theirs alone
 * @throws ConfigError for a secret or certificate that cannot be read
 */
export function auditShippers(
  { config, file }: LoadedConfig,
  { cursor }: OpenedAudit,
  reader: AuditLogReader,
): readonly Shipper[] {
  const ships = config.audit === false ? [] : config.audit.ship
  return ships.map((ship, index) => {
    const target = 'syslog' in ship ? ship.syslog : ship.webhook
    const name = createHash('sha256').update(target).digest('hex').slice(0, 16)
    return new Shipper({
      reader,
      sink: openSink(ship, index, file.folder),
      cursor: cursor(`ship-${name}`),
      intent: cursor(`ship-${name}-end`),
    })
  })
}

/**
 * Where one of `audit.ship` sends to. Connects with its first batch.
 * @throws ConfigError for a secret or certificate that cannot be read
 */
export function openSink(ship: CompiledShip, index: number, folder: string): Sink {
  const place = `audit.ship[${index}]`
  if ('webhook' in ship) {
    const { webhook, secret, secretFile = '', format, plain } = ship
    const secretPlace = `${place}.${secret === undefined ? 'secretFile' : 'secret'}`
    const key = secret ?? readText(secretFile, secretPlace, folder).trim()
    try {
      return new WebhookSink({ url: webhook, secret: key, format, plain })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      throw new ConfigError(
        error.issues.map(issue => ({
          ...issue,
          place: issue.place === 'sink.url' ? `${place}.webhook` : secretPlace,
        })),
        { cause: error },
      )
    }
  }
  const { protocol, hostname: host, port } = new URL(ship.syslog)
  const ca = ship.ca === undefined ? undefined : readText(ship.ca, `${place}.ca`, folder)
  return new SyslogSink({
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    hostname: hostname(),
    ...(protocol === 'tls:' && { tls: ca === undefined ? {} : { ca } }),
  })
}

function readText(path: string, place: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, path), 'utf8')
  } catch (cause) {
    throw new ConfigError({ place, problem: `${path} ${fileProblem(cause)}`, hint: FILE_HINT }, { cause })
  }
}
