import { connect, isIP, type Socket } from 'node:net'
import { errorCode, socketPath } from '@postern/core'

const DIAL_MS = 2_000

/**
 * Opens a connection to a backend and closes it; of an `https:` one, also its certificate is checked, as of
 * each connection that carries requests.
 * @returns why it could not; undefined when it could
 */
export function dial(upstream: string): Promise<string | undefined> {
  return new Promise(done => {
    // Nothing of it keeps a process that ends.
    const socket = open(upstream).unref()
    const end = (problem: string | undefined): void => {
      socket.destroy()
      done(problem)
    }
    // A name that is still being looked up has no socket yet whose timeout could run.
    const timer = setTimeout(() => end(`no answer within ${DIAL_MS / 1_000} s`), DIAL_MS)
    socket.once('close', () => clearTimeout(timer))
    socket.once(isSecure(upstream) ? 'secureConnect' : 'connect', () => end(undefined))
    socket.on('error', error => end(errorCode(error) ?? error.message))
  })
}

function open(upstream: string): Socket {
  const place = placeOf(upstream)
  if ('path' in place || !isSecure(upstream)) return connect(place)
  // Loaded here: most backends need no TLS.
  const { connect: connectSecurely } = process.getBuiltinModule('node:tls')
  return connectSecurely({ ...place, ...(isIP(place.host) === 0 && { servername: place.host }) })
}

function isSecure(upstream: string): boolean {
  return upstream.startsWith('https:')
}

/**
 * Asks a backend for a path, on a connection of its own. Any answer below 500 is one: a path that needs a
 * session answers 401, and is there.
 * @returns why it is not well; undefined when it is
 */
export function askBackend(upstream: string, path: string): Promise<string | undefined> {
  const { request } = process.getBuiltinModule(isSecure(upstream) ? 'node:https' : 'node:http')
  return new Promise(done => {
    const place = placeOf(upstream)
    const end = (problem: string | undefined): void => {
      clearTimeout(timer)
      done(problem)
      asked.destroy()
    }
    const target = 'path' in place ? { socketPath: place.path } : place
    const host = 'path' in place ? 'localhost' : new URL(upstream).host
    const headers = { host, 'user-agent': 'postern-backend-check' }
    const asked = request({ ...target, path, headers, agent: false })
    const timer = setTimeout(() => end(`no answer within ${DIAL_MS / 1_000} s`), DIAL_MS)
    asked.once('socket', socket => socket.unref())
    asked.once('response', ({ statusCode = 0 }) =>
      end(statusCode < 500 ? undefined : `answered ${statusCode}`),
    )
    asked.on('error', error => end(errorCode(error) ?? error.message))
    asked.end()
  })
}

function placeOf(
  upstream: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  const path = socketPath(upstream)
  if (path !== undefined) return { path }
  const url = new URL(upstream)
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port }
}
