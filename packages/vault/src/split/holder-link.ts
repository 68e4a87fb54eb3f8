import { X509Certificate } from 'node:crypto'
import { connect as connectUnix, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import { StoreError } from '@postern/core'
import { fingerprintOf, type TlsIdentity } from '../primitive/certificate.ts'
import { encodeFrame, FrameReader } from './frame.ts'
import type { HolderId } from './part.ts'

/**
 * Where a holder is reached: over TLS, both ends pinned, or over a unix socket whose permissions say who may.
 */
export type HolderAddress =
  | { readonly host: string; readonly port: number; readonly fingerprint: string }
  | { readonly unix: string }

/** Carries requests to one holder, whatever the transport. */
export interface HolderLink {
  readonly id: HolderId
  /** False while it is known not to answer: ask it only when there is no other. */
  readonly isUp: boolean
  /**
   * Sends one request.
   * @param timeout milliseconds
   * @throws StoreError (retryable) when no answer came in time
   */
  request(body: object, timeout: number): Promise<unknown>
  close(): void
}

/** Requests that may wait for an answer. */
const MAX_PENDING = 10_000
const RECONNECT_MS = [20, 50, 100, 250, 500, 1_000] as const
/** How often a holder that stopped answering is asked whether it is back. */
const PROBE_MS = 500

/** How long a link waits for the other end before it connects again, milliseconds. */
const PATIENCE = {
  /** Until a connection is made, its handshake included. */
  connect: 5_000,
  /**
   * For a holder that stopped answering on an open connection. After a partition, the system sends again what
   * was lost only after minutes, and nothing tells it that the network is back.
   */
  silence: 15_000,
}

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Who connects, and how patiently. */
export interface SocketLinkOptions {
  /** Key and certificate of whoever connects; needed for TLS. */
  readonly identity?: TlsIdentity | undefined
  /** Called whenever a connection was made. */
  readonly onUp?: () => void
  /** Milliseconds until a connection that is not made, or is silent, is made again. Default: 5 s and 15 s. */
  readonly patience?: { readonly connect: number; readonly silence: number }
}

/** A connection to a holder that reconnects by itself and carries many requests at once. */
export class SocketLink implements HolderLink {
  readonly id: HolderId
  readonly #name: string
  readonly #address: HolderAddress
  /**
   * Made once: reading key and certificate took two thirds of an attempt to connect, and while a holder is
   * away every other process makes one each second.
   */
  readonly #credentials: SecureContext | undefined
  readonly #onUp: (() => void) | undefined
  readonly #patience: typeof PATIENCE
  readonly #pending = new Map<number, Pending>()
  #socket: Socket | TLSSocket | undefined
  #isReady = false
  /** An answer is overdue: the process is stopped, or the network is gone. */
  #isSilent = false
  #sequence = 0
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  /** Ends a connection that is not made, or not answered on, in time. */
  #deadline: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(
    id: HolderId,
    address: HolderAddress,
    { identity, onUp, patience = PATIENCE }: SocketLinkOptions = {},
  ) {
    this.id = id
    this.#address = address
    this.#credentials =
      identity &&
      createSecureContext({ key: identity.privateKey, cert: identity.certificate, minVersion: 'TLSv1.3' })
    this.#onUp = onUp
    this.#patience = patience
    this.#name = `holder ${id} at ${'unix' in address ? address.unix : `${address.host}:${address.port}`}`
    this.#connect()
  }

  get isUp(): boolean {
    return this.#isReady && !this.#isSilent
  }

  request(body: object, timeout: number): Promise<unknown> {
    const socket = this.#socket
    if (!this.#isReady || socket === undefined) return Promise.reject(this.#unreachable('is not connected'))
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(this.#unreachable('has too many requests waiting'))
    return new Promise((resolve, reject) => {
      const id = ++this.#sequence
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        this.#fallSilent()
        reject(this.#unreachable(`did not answer within ${timeout} ms`))
      }, timeout)
      this.#pending.set(id, { resolve, reject, timer })
      socket.write(encodeFrame({ id, body }))
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#deadline)
    this.#socket?.destroy()
    this.#drop('was closed')
  }

  #connect(): void {
    if (this.#isClosed) return
    const socket = 'unix' in this.#address ? connectUnix(this.#address.unix) : this.#tlsSocket(this.#address)
    this.#socket = socket
    const reader = new FrameReader()
    socket.setNoDelay(true)
    this.#endAfter(this.#patience.connect)
    socket.once('unix' in this.#address ? 'connect' : 'secureConnect', () => {
      if (!this.#isRightHolder(socket)) {
        socket.destroy()
        return
      }
      clearTimeout(this.#deadline)
      this.#isReady = true
      this.#isSilent = false
      this.#failures = 0
      this.#onUp?.()
    })
    socket.on('data', (chunk: Buffer) => {
      // Nothing is read from a holder that has not shown the right certificate.
      if (!this.#isReady) return
      if (this.#isSilent) {
        clearTimeout(this.#deadline)
        this.#isSilent = false
      }
      try {
        for (const message of reader.push(chunk)) this.#settle(message)
      } catch {
        socket.destroy()
      }
    })
    socket.on('error', () => {})
    socket.once('close', () => {
      if (this.#socket !== socket) return
      clearTimeout(this.#deadline)
      clearTimeout(this.#timer)
      this.#isReady = false
      this.#drop('closed the connection')
      const wait = RECONNECT_MS[Math.min(this.#failures++, RECONNECT_MS.length - 1)] ?? 1_000
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), wait).unref()
    })
  }

  #tlsSocket(address: Extract<HolderAddress, { host: string }>): TLSSocket {
    if (this.#credentials === undefined) throw new TypeError('a TLS link needs an identity')
    return connectTls({
      host: address.host,
      port: address.port,
      secureContext: this.#credentials,
      // Certificates are self-signed; the pinned fingerprint is checked before anything is sent.
      rejectUnauthorized: false,
    })
  }

  #isRightHolder(socket: Socket | TLSSocket): boolean {
    if ('unix' in this.#address) return true
    const certificate = 'getPeerX509Certificate' in socket ? socket.getPeerX509Certificate() : undefined
    return certificate instanceof X509Certificate && fingerprintOf(certificate) === this.#address.fingerprint
  }

  #settle(message: unknown): void {
    const { id, answer } = message as { readonly id?: unknown; readonly answer?: unknown }
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined
    if (pending === undefined) return
    this.#pending.delete(id as number)
    clearTimeout(pending.timer)
    pending.resolve(answer)
  }

  #fallSilent(): void {
    if (this.#isSilent || this.#isClosed) return
    this.#isSilent = true
    this.#endAfter(this.#patience.silence)
    this.#timer = setTimeout(() => this.#probe(), PROBE_MS).unref()
  }

  /** Ends the connection when nothing is heard in so many milliseconds; another one is made then. */
  #endAfter(wait: number): void {
    clearTimeout(this.#deadline)
    const socket = this.#socket
    this.#deadline = setTimeout(() => socket?.destroy(), wait).unref()
  }

  /** Asks a silent holder whether it is back; its answer to anything ends the silence. */
  #probe(): void {
    if (!this.#isSilent || !this.#isReady) return
    this.#socket?.write(encodeFrame({ id: 0, body: { op: 'ping' } }))
    this.#timer = setTimeout(() => this.#probe(), PROBE_MS).unref()
  }

  #drop(reason: string): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(this.#unreachable(reason))
    }
    this.#pending.clear()
  }

  #unreachable(problem: string): StoreError {
    return new StoreError(problem, { store: this.#name, retryable: true })
  }
}
