import type { HolderLink } from './holder-link.ts'
import type { HolderId } from './part.ts'

/** Contributions kept ready per holder, and asked for at once. */
const KEPT = 512
const LOW = 128

interface Pool {
  values: string[]
  epoch: number
  filling: Promise<void> | undefined
}

/** Contributions of the holders towards salts, fetched ahead; and the epoch that each of them reported. */
export class ContributionPool {
  readonly #pools: ReadonlyMap<HolderId, Pool>
  readonly #timeout: number
  readonly #thirdWait: number

  /** Times in milliseconds: see `SplitKeysOptions`. */
  constructor(holders: readonly HolderId[], times: { readonly timeout: number; readonly thirdWait: number }) {
    this.#pools = new Map(holders.map(id => [id, { values: [], epoch: -1, filling: undefined }]))
    this.#timeout = times.timeout
    this.#thirdWait = times.thirdWait
  }

  /** The epoch a holder reported last; -1 before. */
  epochOf(id: HolderId): number {
    return this.#pools.get(id)?.epoch ?? -1
  }

  /** Newest epoch that a holder has reported; -1 before the first seal. */
  get epoch(): number {
    return Math.max(-1, ...[...this.#pools.values()].map(({ epoch }) => epoch))
  }

  /** One contribution, base64url, which is gone with this. */
  take(id: HolderId): string {
    return this.#pools.get(id)?.values.pop() ?? ''
  }

  /** Forgets what a holder gave: it was restarted and does not know them, or an epoch began. */
  clear(id: HolderId): void {
    const pool = this.#pools.get(id)
    if (pool !== undefined) pool.values = []
  }

  /**
   * Those of these holders that have `count` contributions ready. Where some have not, waits until two of
   * them have answered, and a little for the third.
   */
  async ready(links: readonly HolderLink[], count: number): Promise<readonly HolderLink[]> {
    const ready = (): readonly HolderLink[] =>
      links.filter(({ id }) => (this.#pools.get(id)?.values.length ?? 0) >= count)
    for (const link of links)
      if ((this.#pools.get(link.id)?.values.length ?? 0) < count + LOW) this.#fill(link, count)
    if (ready().length < links.length) {
      const filling = links.flatMap(({ id }) => this.#pools.get(id)?.filling ?? [])
      await Promise.race([Promise.allSettled(filling), enough(filling, 2, this.#thirdWait)])
    }
    return ready()
  }

  #fill(link: HolderLink, count: number): void {
    const pool = this.#pools.get(link.id)
    if (pool === undefined || pool.filling !== undefined) return
    pool.filling = (async () => {
      try {
        const answer = (await link.request({ op: 'nonces', count: KEPT + count }, this.#timeout)) as {
          readonly nonces?: readonly string[]
          readonly epoch?: number
        }
        if (answer.nonces === undefined || typeof answer.epoch !== 'number') return
        pool.values = [...answer.nonces]
        pool.epoch = answer.epoch
      } catch {
        // The link is not up any more, and is left out.
      } finally {
        pool.filling = undefined
      }
    })()
  }
}

/** Resolves when `count` of the promises have settled and `grace` more milliseconds have passed. */
function enough(promises: readonly Promise<void>[], count: number, grace: number): Promise<void> {
  return new Promise(resolve => {
    let settled = 0
    for (const promise of promises)
      promise.finally(() => {
        if (++settled === count) setTimeout(resolve, grace)
      })
  })
}
