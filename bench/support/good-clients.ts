import { Agent, request } from 'node:http'

/** Requests that one client sends in a second. */
const RATE = 20
const CLIENTS = 12
const LONGEST_MS = 10_000

/** What good clients saw. */
export interface GoodClientsSaw {
  /** Milliseconds of every answered request. */
  readonly latencies: readonly number[]
  /** Requests that were refused or got no answer. */
  readonly failed: number
}

/**
 * Twelve clients at addresses of their own, each with a kept connection, ask twenty times a second for some
 * time, whether or not the answer before has come.
 * @param ms how long
 */
export async function askAsGoodClients(port: number, ms: number): Promise<GoodClientsSaw> {
  const latencies: number[] = []
  let failed = 0
  const ask = (agent: Agent, localAddress: string): Promise<void> =>
    new Promise(resolve => {
      const started = performance.now()
      const fail = (): void => {
        failed++
        resolve()
      }
      const sent = request(
        { host: '127.0.0.1', port, path: '/hello?name=world', agent, localAddress, timeout: LONGEST_MS },
        response => {
          response.on('error', fail).on('end', () => {
            if (response.statusCode !== 200) return fail()
            latencies.push(performance.now() - started)
            resolve()
          })
          response.resume()
        },
      )
      sent.on('timeout', () => sent.destroy())
      sent.on('error', fail).end()
    })
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const asked: Promise<void>[] = []
    await new Promise(resolve => setTimeout(resolve, (client / CLIENTS / RATE) * 1_000))
    for (let at = 0; at < ms; at += 1_000 / RATE) {
      asked.push(ask(agent, `127.2.0.${client + 1}`))
      await new Promise(resolve => setTimeout(resolve, 1_000 / RATE))
    }
    await Promise.all(asked)
    agent.destroy()
  })
  await Promise.all(clients)
  return { latencies, failed }
}
