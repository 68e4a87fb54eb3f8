import type { ChildProcess } from 'node:child_process'
import { median, quantile } from './harness.ts'
import { KeepAliveLoad } from './keep-alive-load.ts'

const CONNECTIONS = 32
/** Requests of one round: few, so that a slow moment of the machine is slow to neighbours alike. */
const REQUESTS = 500

/** One gateway of `gateway-server.ts`. */
export interface MeasuredGateway {
  readonly process: ChildProcess
  readonly port: number
}

/** CPU per request of one gateway by that of another. */
export interface CostRatio {
  readonly median: number
  /** Half of the rounds lie between these. */
  readonly lower: number
  readonly upper: number
}

export interface ConsoleCost {
  /** Of the gateway that keeps traffic, by the default one. */
  readonly console: CostRatio
  /** Of a second default gateway, by the first: what the measurement itself is worth. */
  readonly control: CostRatio
  readonly rounds: number
}

/**
 * What console and traffic store add to the CPU of a request: three gateways in turn, in short rounds, each
 * round in another order, by what their processes say of themselves (getrusage, microseconds).
 */
export async function consoleCost(
  gateways: {
    readonly plain: MeasuredGateway
    readonly control: MeasuredGateway
    readonly console: MeasuredGateway
  },
  rounds: number,
): Promise<ConsoleCost> {
  const all = [gateways.plain, gateways.control, gateways.console]
  const cpu = new Map(all.map(gateway => [gateway, [] as number[]]))
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const gateway = all[(turn + round + all.length) % all.length] as MeasuredGateway
      const took = await roundOf(gateway)
      if (round >= 0) cpu.get(gateway)?.push(took)
    }
  }
  const against = (gateway: MeasuredGateway): CostRatio => {
    const plain = cpu.get(gateways.plain) ?? []
    const ratios = (cpu.get(gateway) ?? []).map((took, i) => took / (plain[i] ?? Number.NaN))
    return { median: median(ratios), lower: quantile(ratios, 0.25), upper: quantile(ratios, 0.75) }
  }
  return { console: against(gateways.console), control: against(gateways.control), rounds }
}

/** Microseconds of CPU for each request of one round. */
async function roundOf({ process: child, port }: MeasuredGateway): Promise<number> {
  const load = await KeepAliveLoad.connect(port, CONNECTIONS)
  const before = await cpuOf(child)
  await load.run(REQUESTS)
  const took = (await cpuOf(child)) - before
  load.close()
  return took / REQUESTS
}

function cpuOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('a gateway ended'))
    child.once('exit', ended)
    child.once('message', microseconds => {
      child.removeListener('exit', ended)
      resolve(Number(microseconds))
    })
    child.send('cpu')
  })
}
