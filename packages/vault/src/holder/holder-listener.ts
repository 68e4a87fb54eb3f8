import { X509Certificate } from 'node:crypto'
import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { ConfigError, StoreError } from '@postern/core'
import { fingerprintOf, type TlsIdentity } from '../primitive/certificate.ts'
import { encodeFrame, FrameReader } from '../split/frame.ts'
import { ConnectionShares, Share } from './connection-shares.ts'

/**
 * Answers the messages of one connection. A promise is waited for; what it throws ends the connection, and
 * is for whoever made the answerer to tell.
 */
export type Answerer = (body: unknown) => unknown

/** Connections one listener holds at once, those that are being ended included. */
const MAX_CONNECTIONS = 4_096
/** A connection that waits this long for its answers to be read is ended, bytes. */
const MAX_UNREAD = 16 * 1_024 * 1_024
const HANDSHAKE_MS = 5_000

/** Something that accepts connections until it is closed. */
export interface Listening {
  /** The port, 0 for a unix socket. */
  readonly port: number
  close(): Promise<void>
}

/**
 * Accepts TLS connections from those whose certificate is known.
 * @param answererOf what a fingerprint may ask; undefined ends the connection before a byte of it is read
 */
export async function listenTls(
  { host, port }: { readonly host: string; readonly port: number },
  identity: TlsIdentity,
  answererOf: (fingerprint: string) => Answerer | undefined,
): Promise<Listening> {
  const place = `${host}:${port}`
  const shares = new ConnectionShares()
  const server = createTlsServer(
    {
      key: identity.privateKey,
      cert: identity.certificate,
      requestCert: true,
      // Certificates are self-signed: TLS proves that the peer has the key, and the
      // fingerprint says who that is.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      handshakeTimeout: HANDSHAKE_MS,
      // A resumed session carries no certificate of its own; connections here last for days.
      sessionTimeout: 1,
    },
    (socket: TLSSocket) => {
      const certificate = socket.getPeerX509Certificate()
      const fingerprint =
        certificate instanceof X509Certificate && !socket.isSessionReused()
          ? fingerprintOf(certificate)
          : undefined
      const answerer = fingerprint === undefined ? undefined : answererOf(fingerprint)
      const share =
        fingerprint === undefined || answerer === undefined ? undefined : shares.proves(socket, fingerprint)
      if (answerer === undefined || share === undefined) socket.destroy()
      else serve(socket, answerer, share)
    },
  )
  server.on('connection', (socket: Socket) => shares.arrives(socket))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return listening(server, place, () => server.listen(port, host))
}

/**
 * Accepts connections on a unix socket; who may open it is decided by its mode.
 * @throws ConfigError when others could put a socket of their own in its place, or something else is there
 * @throws StoreError when the socket cannot be made, or another process listens on it
 */
export async function listenUnix(path: string, mode: number, answerer: Answerer): Promise<Listening> {
  const server = createServer(socket => serve(socket, answerer, new Share()))
  removeOldSocket(path)
  const before = process.umask(0o777 & ~mode)
  try {
    const result = await listening(server, path, () => server.listen(path))
    chmodSync(path, mode)
    return result
  } finally {
    process.umask(before)
  }
}

/**
 * Removes the socket of a process that was killed, and nothing else. Its folder must be one in which other
 * users
 * cannot replace a file: whoever does that is the holder for those who connect, since a unix socket carries
 * no certificate.
 */
function removeOldSocket(path: string): void {
  const folder = statSync(dirname(path), { throwIfNoEntry: false })
  if (folder !== undefined && (folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0)
    throw new ConfigError({
      place: path,
      problem: 'is in a folder that other users can write to, who could put a socket of their own there',
      hint: `chmod o-w ${dirname(path)}`,
    })
  const old = lstatSync(path, { throwIfNoEntry: false })
  if (old !== undefined && !old.isSocket())
    throw new ConfigError({
      place: path,
      problem: 'already exists and is not a socket',
      hint: 'use another path',
    })
  rmSync(path, { force: true })
}

function serve(socket: Socket, answerer: Answerer, share: Share): void {
  const reader = new FrameReader()
  let incomplete = 0
  const holds = (bytes: number): boolean => {
    const change = bytes - incomplete
    incomplete = bytes
    return share.holds(change)
  }
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.once('close', () => holds(0))
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) void reply(socket, answerer, message)
      if (!holds(reader.incomplete)) socket.destroy()
    } catch {
      socket.destroy()
    }
  })
}

async function reply(socket: Socket, answerer: Answerer, message: unknown): Promise<void> {
  const { id, body } = (typeof message === 'object' && message !== null ? message : {}) as Record<
    string,
    unknown
  >
  try {
    const made = answerer(body)
    const answer = made instanceof Promise ? await made : made
    if (socket.destroyed) return
    socket.write(encodeFrame({ id: typeof id === 'number' ? id : 0, answer }))
    if (socket.writableLength > MAX_UNREAD) socket.destroy()
  } catch {
    // What could not be written down was not done; the caller sees a lost connection and asks another holder.
    socket.destroy()
  }
}

/** What to do where a holder cannot listen, by the code of the system. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there; stop it, or give this holder another port in "tls"',
  EACCES: 'this user may not; use a port from 1024 on, or a folder that the user may write to',
  EADDRNOTAVAIL: 'this machine does not have that address; correct "tls"',
}

async function listening(server: Server, place: string, listen: () => void): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      const { code = 'unknown' } = error as NodeJS.ErrnoException
      const remedy = REMEDIES[code] ?? 'see "tls" and "operator" of its configuration'
      reject(
        new StoreError(`cannot listen on ${place} (${code}): ${remedy}`, {
          store: 'holder',
          retryable: false,
        }),
      )
    })
    server.once('listening', resolve)
    listen()
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
