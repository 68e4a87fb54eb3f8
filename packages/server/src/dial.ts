import { connect, type NetConnectOpts } from 'node:net'
import { errorCode, socketPath } from '@postern/core'

const DIAL_MS = 2_000

/** Opens a connection to a backend and closes it. @returns why it could not; undefined when it could */
export function dial(upstream: string): Promise<string | undefined> {
  return new Promise(done => {
    // Nothing of it keeps a process that ends.
    const socket = connect(placeOf(upstream)).unref()
    const end = (problem: string | undefined): void => {
      socket.destroy()
      done(problem)
    }
    // A name that is still being looked up has no socket yet whose timeout could run.
    const timer = setTimeout(() => end(`no answer within ${DIAL_MS / 1_000} s`), DIAL_MS)
    socket.once('close', () => clearTimeout(timer))
    socket.once('connect', () => end(undefined))
    socket.on('error', error => end(errorCode(error) ?? error.message))
  })
}

function placeOf(upstream: string): NetConnectOpts {
  const path = socketPath(upstream)
  if (path !== undefined) return { path }
  const url = new URL(upstream)
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port }
}
