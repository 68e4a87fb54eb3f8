import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Downstream, DownstreamOwner } from '../exchange/downstream.ts'

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

/** An HTTP/2 client. */
export class Http2Downstream implements Downstream {
  owner: DownstreamOwner | undefined = undefined
  headSent = false
  /** Whether this side, not the client, broke the stream off. */
  #brokenOff = false
  readonly #stream: ServerHttp2Stream
  #trailers: readonly string[] | undefined = undefined

  /** @param onReset told when the stream ended before its answer did, and not by our wish */
  constructor(stream: ServerHttp2Stream, onReset: () => void) {
    this.#stream = stream
    stream.on('drain', () => this.owner?.drained())
    stream.on('close', () => {
      const complete = this.headSent && stream.rstCode === NGHTTP2_NO_ERROR && stream.writableFinished
      if (!complete && !this.#brokenOff) onReset()
      this.owner?.closed(complete)
    })
    // Told by `close`; without a listener an aborted stream would end the process.
    stream.on('error', () => undefined)
    stream.on('wantTrailers', () => this.#sendTrailers())
  }

  /** Called by the stream, where nobody catches: trailers that HTTP/2 cannot carry are left out. */
  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(toObject(this.#trailers ?? []))
    } catch {
      if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_NO_ERROR)
    }
  }

  get flushed(): boolean {
    return this.#stream.writableFinished
  }

  informational(status: number, headers: readonly string[]): void {
    if (status !== 103 || this.headSent || this.#stream.destroyed) return
    const links = toObject(headers)['link']
    try {
      if (links !== undefined) this.#stream.additionalHeaders({ ':status': status, link: links })
    } catch {
      // A hint that cannot be sent is only a lost hint.
    }
  }

  askForBody(): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  head(status: number, _message: string, headers: string[]): void {
    if (this.#stream.destroyed) return
    this.#stream.respond({ ':status': status, ...toObject(headers) }, { waitForTrailers: true })
    this.headSent = true
  }

  write(chunk: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.writableEnded || this.#stream.write(chunk)
  }

  end(trailers: readonly string[] | undefined): void {
    this.#trailers = trailers
    if (!this.#stream.destroyed) this.#stream.end()
  }

  abort(): void {
    this.#brokenOff = true
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_INTERNAL_ERROR)
  }

  hangUp(): void {
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_NO_ERROR)
  }
}

/** Connection-specific fields do not exist in HTTP/2 (RFC 9113 section 8.2.2). */
function toObject(headers: readonly string[]): OutgoingHttpHeaders {
  const object: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (name === 'connection' || name.startsWith(':')) continue
    const value = headers[i + 1] as string
    const known = object[name]
    if (known === undefined) object[name] = value
    else if (typeof known === 'string') object[name] = [known, value]
    else known.push(value)
  }
  return object
}
