import { connect, type Socket } from 'node:net'

/** How many people there are. Each has a session, and asks for one of 1,000 things. */
const CLIENTS = 50_000

/** The requests of a browser, as a proxy in front of the application sends them on. */
const REQUESTS: readonly Buffer[] = Array.from({ length: CLIENTS }, (_, client) =>
  Buffer.from(
    [
      `GET /hello?name=world&item=${(client * 7_919) % 1_000} HTTP/1.1`,
      'Host: 127.0.0.1',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
      'Accept-Language: en-US,en;q=0.5',
      'Accept-Encoding: gzip, deflate, br',
      `Cookie: session=${client.toString(16).padStart(32, '0123456789abcdef')}; theme=dark`,
      `X-Forwarded-For: 10.${(client >> 16) & 255}.${(client >> 8) & 255}.${client & 255}`,
      'Connection: keep-alive',
      '\r\n',
    ].join('\r\n'),
  ),
)

/**
 * A load of small requests of 50,000 clients over connections that stay open, one request at a time on
 * each; every answer must be a 200.
 */
export class KeepAliveLoad {
  readonly #sockets: readonly Socket[]
  #left = 0
  #sent = 0
  #open = 0
  #isClosed = false
  #done: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} }

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets
    for (const socket of sockets) {
      socket.on('data', chunk => this.#onData(socket, chunk))
      socket.on('close', () => {
        this.#isClosed = true
        this.#done.reject(new Error('the server closed a connection'))
      })
    }
  }

  static async connect(port: number, connections: number): Promise<KeepAliveLoad> {
    const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').setNoDelay(true))
    for (const socket of sockets) await new Promise(resolve => socket.once('connect', resolve))
    return new KeepAliveLoad(sockets)
  }

  /** Sends `requests` requests and waits for all answers. */
  run(requests: number): Promise<void> {
    // Nothing would ever answer: a server closes connections that were idle for some seconds.
    if (this.#isClosed) return Promise.reject(new Error('the server closed a connection meanwhile'))
    this.#left = requests
    this.#open = 0
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject }
      for (const socket of this.#sockets) this.#next(socket)
    })
  }

  /** The servers answer a hello in one packet. */
  #onData(socket: Socket, chunk: Buffer): void {
    if (chunk.toString('latin1', 9, 12) !== '200') {
      this.#done.reject(new Error(`answered ${chunk.toString('latin1', 0, 200)}`))
      return
    }
    this.#open--
    this.#next(socket)
  }

  #next(socket: Socket): void {
    if (this.#left > 0) {
      this.#left--
      this.#open++
      this.#sent++
      // A prime step: neighbours in time are not neighbours in the network.
      socket.write(REQUESTS[(this.#sent * 7_919) % CLIENTS] as Buffer)
    } else if (this.#open === 0) this.#done.resolve()
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy()
  }
}
