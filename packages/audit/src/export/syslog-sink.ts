import { connect, type Socket } from 'node:net'
import { StoreError, timeText } from '@postern/core'
import type { Entry } from '../entry/entry.ts'
import { toCef } from './cef.ts'
import type { Sink } from './sink.ts'

/** The collector, and whether it is reached by TCP or TLS. */
export interface SyslogSinkOptions {
  readonly host: string
  readonly port: number
  /** TLS (RFC 5425); plain TCP (RFC 6587) without. The certificate is always checked. */
  readonly tls?: {
    /** Certificates to trust instead of the system's, PEM. */
    readonly ca?: string
    /** Name in the certificate, when it is not the host. */
    readonly servername?: string
    readonly cert?: string
    readonly key?: string
  }
  /** Name of this machine in the messages. */
  readonly hostname?: string
}

/**
 * Facility 13, "log audit" (RFC 5424 section 6.2.1); severity 5 for refusals and findings, 6 for the rest.
 */
function priority({ event }: Entry): number {
  const notable = event.type === 'finding' || (event.decision !== undefined && event.decision !== 'allow')
  return 13 * 8 + (notable ? 5 : 6)
}

/** One message of RFC 5424 with the entry in CEF. */
function syslogMessage(entry: Entry, hostname: string): string {
  const time = timeText(entry.event.time)
  const host = hostname.replace(/[^\u0021-\u007e]/g, '').slice(0, 255) || '-'
  const id = entry.event.type.replace(/[^\u0021-\u007e]/g, '').slice(0, 32) || '-'
  return `<${priority(entry)}>1 ${time} ${host} postern ${process.pid} ${id} - \ufeff${toCef(entry)}`
}

/**
 * Sends entries as CEF over syslog, TCP or TLS, with octet counting. TCP syslog has no receipt: what the peer
 * had in its buffers when it died may be lost there.
 */
export class SyslogSink implements Sink {
  readonly name: string
  readonly #options: SyslogSinkOptions
  #socket: Promise<Socket> | undefined = undefined

  constructor(options: SyslogSinkOptions) {
    this.#options = options
    this.name = `syslog ${options.host}:${options.port}`
  }

  async send(entries: readonly Entry[], signal: AbortSignal): Promise<'taken'> {
    const socket = await this.#connected(signal)
    const host = this.#options.hostname ?? '-'
    const frames = entries.map(entry => {
      const message = syslogMessage(entry, host)
      return `${Buffer.byteLength(message)} ${message}`
    })
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => {
        socket.destroy()
        reject(this.#error('does not take messages'))
      }
      signal.addEventListener('abort', fail, { once: true })
      socket.once('close', fail)
      // The callback comes when the kernel took all of it: a peer that stops reading stops us here.
      socket.write(frames.join(''), error => {
        signal.removeEventListener('abort', fail)
        socket.removeListener('close', fail)
        if (error) fail()
        else resolve()
      })
    })
    return 'taken'
  }

  #connected(signal: AbortSignal): Promise<Socket> {
    if (this.#socket !== undefined) return this.#socket
    const connecting = new Promise<Socket>((resolve, reject) => {
      const { host, port, tls } = this.#options
      const ready = (): void => resolve(socket)
      const socket: Socket =
        tls === undefined
          ? connect({ host, port }, ready)
          : process.getBuiltinModule('node:tls').connect(
              {
                host,
                port,
                servername: tls.servername ?? host,
                ...tls,
                rejectUnauthorized: true,
                minVersion: 'TLSv1.2',
              },
              ready,
            )
      socket.on('error', () => reject(this.#error('cannot be reached')))
      socket.on('close', () => {
        // Another one may have been made meanwhile.
        if (this.#socket === connecting) this.#socket = undefined
        reject(this.#error('closed the connection'))
      })
      // Answers of a collector are ignored, but must be read or they would fill the buffers.
      socket.resume()
      const tooLate = (): void => {
        socket.destroy()
        reject(this.#error('does not answer'))
      }
      signal.addEventListener('abort', tooLate, { once: true })
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        signal.removeEventListener('abort', tooLate)
      })
    })
    this.#socket = connecting
    connecting.catch(() => {
      if (this.#socket === connecting) this.#socket = undefined
    })
    return connecting
  }

  #error(message: string): StoreError {
    return new StoreError(message, { store: this.name, retryable: true })
  }

  close(): void {
    void this.#socket?.then(
      socket => socket.end(),
      () => {},
    )
  }
}
