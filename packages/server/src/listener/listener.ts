import type { Health } from '@postern/core'
import { type HeldPort, startGateway, type TlsOptions } from '@postern/gateway'
import { type Runtime, recheckOpen, stillHolds } from '@postern/runtime'
import type { GatewayPlan } from '../plan/gateway-plan.ts'

/** What takes requests: one gateway in this thread, or several in threads of their own. */
export interface Listener {
  readonly url: string
  health(): readonly Health[]
  /** Events that threads could not hand over, since the start. */
  lost(): number
  /**
   * Puts the configuration that was just checked into force.
   * @param text of its YAML or JSON file
   * @param certificate to show from now on; undefined where there was none at the start
   * @returns what went wrong, a line each
   */
  reload(text: string | undefined, certificate: TlsOptions | undefined): Promise<readonly string[]>
  /** Asked again, it can only be shorter. @param grace milliseconds for requests under way */
  close(grace: number): Promise<void>
}

/** One gateway in this thread, on a port that is bound already. */
export async function startSingleListener(
  plan: GatewayPlan,
  runtime: Runtime,
  held: HeldPort,
): Promise<Listener> {
  const gateway = await startGateway({
    ...plan,
    listen: { ...plan.listen, held },
    engine: () => runtime.engine,
    recheck: exchange => stillHolds(runtime, exchange),
  })
  recheckOpen(gateway, runtime.resources)
  return {
    url: gateway.url,
    health: () => gateway.health(),
    lost: () => 0,
    reload: async (_text, certificate) => {
      if (certificate !== undefined) gateway.renew(certificate)
      return []
    },
    close: grace => gateway.close({ grace }),
  }
}
