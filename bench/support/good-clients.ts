import { Agent, request } from 'node:http'

/** Requests that one client sends in a second. */
const RATE = 20
/** Clients by default. */
const CLIENTS = 12
const LONGEST_MS = 10_000

/** What good clients saw. */
export interface GoodClientsSaw {
  /** Milliseconds of every answered request. */
  readonly latencies: readonly number[]
  /** Requests that were refused or got no answer. */
  readonly failed: number
  /** Why they failed, and how many for each reason: `503`, `ECONNRESET`, `no answer in 10 s`. */
  readonly reasons: ReadonlyMap<string, number>
}

/**
 * Clients at addresses of their own, each with a kept connection, ask twenty times a second for some time,
 * whether or not the answer before has come.
 * @param ms how long
 * @param count how many clients
 */
export async function askAsGoodClients(
  port: number,
  ms: number,
  count: number = CLIENTS,
): Promise<GoodClientsSaw> {
  const latencies: number[] = []
  const reasons = new Map<string, number>()
  let failed = 0
  const ask = (agent: Agent, localAddress: string): Promise<void> =>
    new Promise(resolve => {
      const started = performance.now()
      let isOver = false
      const fail = (reason: string): void => {
        if (isOver) return
        isOver = true
        failed++
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        resolve()
      }
      const sent = request(
        { host: '127.0.0.1', port, path: '/hello?name=world', agent, localAddress, timeout: LONGEST_MS },
        response => {
          response.on('error', error => fail(codeOf(error)))
          response.on('end', () => {
            if (response.statusCode !== 200) return fail(String(response.statusCode))
            isOver = true
            latencies.push(performance.now() - started)
            resolve()
          })
          response.resume()
        },
      )
      sent.on('timeout', () => {
        fail(`no answer in ${LONGEST_MS / 1_000} s`)
        sent.destroy()
      })
      sent.on('error', error => fail(codeOf(error))).end()
    })
  const clients = Array.from({ length: count }, async (_, client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const asked: Promise<void>[] = []
    await new Promise(resolve => setTimeout(resolve, (client / count / RATE) * 1_000))
    for (let at = 0; at < ms; at += 1_000 / RATE) {
      asked.push(ask(agent, `127.2.0.${client + 1}`))
      await new Promise(resolve => setTimeout(resolve, 1_000 / RATE))
    }
    await Promise.all(asked)
    agent.destroy()
  })
  await Promise.all(clients)
  return { latencies, failed, reasons }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
