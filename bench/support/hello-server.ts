import { fork } from 'node:child_process'
import { join } from 'node:path'
import { isQuick } from './harness.ts'
import { KeepAliveLoad } from './keep-alive-load.ts'

/**
 * V8 is done with compiling a bare Express after some 20,000 requests. With a layer it still compiles thirty
 * functions between 20,000 and 40,000, on a thread whose time counts too (`--trace-opt`): the quick form, in
 * which all are sent as many and fewer, shows the layer as a little more expensive.
 */
const WARM_UP = isQuick ? 16_000 : 50_000
/** So many servers are warmed at a time: one loader keeps about two of them busy. */
const AT_A_TIME = 2
const CONNECTIONS = 16

/** What a hello server can be asked; see `layer-server.ts`. */
export type HelloQuestion = 'port' | 'cpu' | 'heap' | 'collections'

/** A hello server in a process of its own. */
export class HelloServer {
  readonly name: string
  readonly #child: ReturnType<typeof fork>
  #load: KeepAliveLoad | undefined

  /**
   * @param name of the variant, which says what stands before the handler
   * @param folder for the data directories
   * @param config of the layer, in place of the default one; and arguments of node
   */
  constructor(
    name: string,
    folder: string,
    { config, node = [] }: { readonly config?: object; readonly node?: readonly string[] } = {},
  ) {
    this.name = name
    const more = config === undefined ? [] : [JSON.stringify(config)]
    this.#child = fork(
      new URL('./layer-server.ts', import.meta.url),
      [name, join(folder, name.replaceAll(/[^a-z+-]+/g, '-')), ...more],
      { execArgv: [...process.execArgv, ...node] },
    )
  }

  /** Connects, and sends requests until V8 has compiled what it will. */
  async start(): Promise<void> {
    this.#load = await KeepAliveLoad.connect(await this.ask('port'), CONNECTIONS)
    await this.run(WARM_UP)
  }

  /** Starts all, two at a time. */
  static async startAll(servers: readonly HelloServer[]): Promise<void> {
    const waiting = [...servers]
    const startNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next.start()
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, startNext))
  }

  /** Sends requests and waits for all answers. */
  async run(requests: number): Promise<void> {
    await this.#load?.run(requests)
  }

  /** Microseconds of CPU, user and system, that the server took for each of `requests`. */
  async cpuPerRequest(requests: number): Promise<number> {
    await this.ask('cpu')
    await this.run(requests)
    return (await this.ask('cpu')) / requests
  }

  /** Asks the server, and waits for its answer. Rejects when it ends. */
  ask(what: HelloQuestion): Promise<number> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`${this.name} ended`))
      this.#child.once('exit', onExit)
      this.#child.once('message', answer => {
        this.#child.off('exit', onExit)
        resolve(Number(answer))
      })
      this.#child.send(what)
    })
  }

  stop(): void {
    this.#load?.close()
    this.#child.kill()
  }
}
