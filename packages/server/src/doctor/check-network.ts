import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import type { CompiledConfig, Listen } from '@postern/config'
import { ConfigError, parseAddress } from '@postern/core'
import { holdPort } from '@postern/gateway'
import { PortInUse } from '@postern/runtime'
import { checkedOnce } from '../backend/backend-check.ts'
import { isListeningPlace, readCertificate } from '../plan/gateway-plan.ts'
import { fewFilesSentence, MORE_FILES_HINT, openFileLimit } from '../plan/open-files.ts'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

const DAY_MS = 86_400_000

/** Whether the backend is up, as `backendCheck` looks at it, and is not the gateway itself. */
export async function checkBackend(config: CompiledConfig, listen: Listen): Promise<DoctorFinding> {
  if (config.upstream === undefined)
    return warn(
      'backend',
      'no backend is configured',
      'fine for middleware; a gateway needs upstream or --to',
    )
  if (isListeningPlace(config.upstream, listen))
    return bad(
      'backend',
      `${config.upstream} is where the gateway itself listens`,
      'give the backend or the gateway another port',
    )
  const path = config.backendCheck === false ? undefined : config.backendCheck.path
  const problem = await checkedOnce(config.upstream, path)
  if (problem === undefined)
    return ok('backend', `${config.upstream} ${path === undefined ? 'accepts connections' : 'answers'}`)
  return bad(
    'backend',
    `${config.upstream} does not answer (${problem})`,
    'start the backend, or correct upstream',
  )
}

/** Whether the operating system lets the gateway open as many connections as its configuration. */
export function checkOpenFiles({ caps, workers }: CompiledConfig): DoctorFinding {
  const threads = workers === 'auto' ? availableParallelism() : workers
  const files = openFileLimit()
  const few = fewFilesSentence(caps, threads, files)
  if (few !== undefined) return warn('open files', few, MORE_FILES_HINT)
  return ok('open files', files === undefined ? 'no limit is known' : `this process may open ${files}`)
}

/** Whether the gateway could listen where it should. */
export function checkPort(listen: Listen, isRunning: boolean): Promise<DoctorFinding> {
  return checkListen('gateway port', listen, isRunning, '--listen')
}

/**
 * Whether the admin listener could listen where it should.
 * @param isAsked whether the configuration names the place; else a free port is used instead of a taken one
 */
export async function checkAdminPort(
  listen: Listen,
  isRunning: boolean,
  isAsked: boolean,
): Promise<DoctorFinding> {
  const check = 'admin port'
  const finding = await checkListen(check, listen, isRunning, '--admin')
  if (finding.state !== 'bad' || isAsked) return finding
  return ok(check, `${listen.host}:${listen.port} is taken, a free port will be used`)
}

async function checkListen(
  check: string,
  listen: Listen,
  isRunning: boolean,
  option: '--listen' | '--admin',
): Promise<DoctorFinding> {
  const place = listen.path === undefined ? `${listen.host}:${listen.port}` : listen.host
  const error = await bind(listen)
  if (error === undefined) return ok(check, `${place} is free`)
  const explained = PortInUse.explain(error, listen.host, listen.port, option)
  if (!(explained instanceof PortInUse))
    return bad(check, `cannot listen on ${place} (${error.message})`, 'listen elsewhere')
  if (explained.code === 'EADDRINUSE' && isRunning)
    return ok(check, `${place} is used by the running gateway`)
  return bad(check, explained.message, explained.hint)
}

function bind({ host, port, path }: Listen): Promise<Error | undefined> {
  if (path !== undefined)
    return holdPort({ port, path }).then(
      held => held.close().then(() => undefined),
      (error: unknown) => (error instanceof Error ? error : new Error('cannot be used')),
    )
  return new Promise(done => {
    const server = createServer()
    server.once('error', done)
    server.listen(port, host, () => server.close(() => done(undefined)))
  })
}

/** Whether the trusted proxies are few enough to be trusted. */
export function checkTrustedProxies(config: CompiledConfig, listen: Listen): DoctorFinding {
  const trusted = config.trustProxies
  const ranges = trusted.entries
  const strangers = ['1.1.1.1', '8.8.8.8', '2606:4700::1111'].filter(text => {
    const address = parseAddress(text)
    return address !== undefined && trusted.has(address)
  })
  if (strangers.length > 0)
    return bad(
      'trusted proxies',
      `${ranges.join(', ')} covers the whole internet: anyone may claim any address`,
      'list only the addresses of your own proxies',
    )
  if (ranges.includes('private') && listen.host !== '127.0.0.1' && listen.path === undefined)
    return warn(
      'trusted proxies',
      'every private address is trusted to name the client',
      'list only the addresses of your own proxies',
    )
  if (ranges.length === 0)
    return ok(
      'trusted proxies',
      'none: the address of the connection is the client (behind a proxy, name it in trustProxies)',
    )
  return ok('trusted proxies', ranges.join(', '))
}

/** Whether the certificate can be read and is not about to expire. */
export function checkCertificate(
  config: CompiledConfig,
  folder: string,
  now: number,
): DoctorFinding | undefined {
  if (config.tls === undefined) return undefined
  try {
    const certificate = new X509Certificate(readCertificate(config.tls, folder).cert)
    const left = Date.parse(certificate.validTo) - now
    if (left <= 0) return bad('certificate', `expired on ${certificate.validTo}`, 'renew it')
    if (left < 14 * DAY_MS) return warn('certificate', `expires on ${certificate.validTo}`, 'renew it')
    return ok('certificate', `valid until ${certificate.validTo}`)
  } catch (error) {
    const [issue] = error instanceof ConfigError ? error.issues : []
    return bad('certificate', issue?.problem ?? 'cannot be read', issue?.hint)
  }
}

/** Where the gateway and its admin page listen. */
export function listenPlaces(config: CompiledConfig): {
  readonly gateway: Listen
  readonly admin: Listen | undefined
} {
  return { gateway: config.listen, admin: config.admin === false ? undefined : config.admin.listen }
}
