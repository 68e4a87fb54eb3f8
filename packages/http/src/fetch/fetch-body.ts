import { type BodyGate, type BodyPrefix, type BodySource, ConfigError } from '@postern/core'

/**
 * Reads the body of a Request ahead. A body shorter than the limit is kept whole; of a longer one the first
 * part is kept and the rest goes on streaming behind it. `replay` gives the Request that the handler sees.
 */
export class FetchBody implements BodySource {
  readonly #request: Request
  #replay: Request
  #rest: ReadableStreamDefaultReader<Uint8Array> | undefined = undefined
  #gate: BodyGate | undefined

  constructor(request: Request) {
    this.#request = request
    this.#replay = request
  }

  /** The request with its body unread, whatever was read of it before. */
  get replay(): Request {
    return this.#replay
  }

  /** @throws ConfigError when something read the body before */
  async read(limit: number): Promise<BodyPrefix> {
    const stream = this.#replay.body
    if (stream === null) return { bytes: new Uint8Array(0), complete: true }
    if (this.#replay.bodyUsed || stream.locked) {
      throw new ConfigError({
        place: 'middleware order',
        problem: 'the body was read before Postern saw the request',
        hint: 'put Postern before whatever reads the body',
      })
    }
    const reader = stream.getReader()
    const chunks: Uint8Array[] = []
    let length = 0
    let end: 'reached' | 'ahead' | 'broken' = 'ahead'
    while (length <= limit && end === 'ahead') {
      try {
        const { done, value } = await reader.read()
        if (done) end = 'reached'
        else {
          chunks.push(value)
          length += value.length
        }
      } catch {
        end = 'broken'
      }
    }
    const bytes = Buffer.concat(chunks, length)
    const isWhole = end === 'reached'
    if (end === 'ahead') this.#rest = reader
    this.#replay = new Request(
      this.#request,
      isWhole ? { body: bytes } : { body: this.#resume(bytes, limit, reader), duplex: 'half' },
    )
    return { bytes: bytes.subarray(0, limit), complete: isWhole && length <= limit }
  }

  watch(gate: BodyGate): boolean {
    if (this.#rest === undefined) return false
    this.#gate = gate
    return true
  }

  /** What was read, then what the reader still has to give; all behind the limit past the gate, if any. */
  #resume(
    head: Uint8Array<ArrayBuffer>,
    limit: number,
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): ReadableStream<Uint8Array> {
    let isHeadGiven = false
    const give = async (
      controller: ReadableStreamDefaultController<Uint8Array>,
      piece: Uint8Array,
      unseen: Uint8Array,
    ): Promise<void> => {
      if (unseen.length === 0 || (await this.#gate?.(unseen)) !== false) {
        controller.enqueue(piece)
        return
      }
      const refused = new Error('the body of this request was refused on its way')
      controller.error(refused)
      await reader.cancel(refused)
    }
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (!isHeadGiven && head.length > 0) {
            isHeadGiven = true
            await give(controller, head, head.subarray(limit))
            return
          }
          const { done, value } = await reader.read()
          if (done) controller.close()
          else await give(controller, value, value)
        },
        cancel: reason => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  /**
   * Reads what is left of a body that nobody took, once it was answered: on a connection that stays open it
   * stands before the next request. Never rejects.
   */
  async forget(): Promise<void> {
    const rest = this.#rest
    this.#rest = undefined
    if (rest === undefined || this.#replay.bodyUsed || this.#replay.body?.locked === true) return
    try {
      while (!(await rest.read()).done);
    } catch {
      // The client left, and the connection with it.
    }
  }
}
