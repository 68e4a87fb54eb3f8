import type { HolderLink } from './holder-link.ts'
import type { HolderId } from './part.ts'

/** Contributions kept ready per holder, and asked for at once. */
const KEPT = 512
/** Most that a holder gives at once. */
const MOST = 4_096
const LOW = 128
/** Times that one seal waits for more because others took what came. */
const MAX_ATTEMPTS = 64

interface Pool {
  values: string[]
  epoch: number
  /** True when the holder gave some; never rejects. */
  filling: Promise<boolean> | undefined
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

  /** Newest epoch that two holders have reported; -1 before the first seal. */
  get epoch(): number {
    return this.agreed([...this.#pools.keys()])
  }

  /**
   * Newest epoch that two of these holders have reported: one that lies can neither name an epoch that nobody
   * has nor keep new records in one that is over. -1 when there is none.
   */
  agreed(ids: readonly HolderId[]): number {
    return ids.map(id => this.epochOf(id)).sort((x, y) => y - x)[1] ?? -1
  }

  /** Forgets what a holder gave: it was restarted and does not know them, or an epoch began. */
  clear(id: HolderId): void {
    const pool = this.#pools.get(id)
    if (pool !== undefined) pool.values = []
  }

  /**
   * `count` contributions, base64url, of each of these holders that has them, which are gone with this. Where
   * some have not, waits until two of them have answered, and a little for the third. They are taken in one
   * step, so that seals at the same time never share what was enough for one of them.
   */
  async take(
    links: readonly HolderLink[],
    count: number,
  ): Promise<ReadonlyMap<HolderLink, readonly string[]>> {
    const ready = (): readonly HolderLink[] => links.filter(({ id }) => this.#left(id) >= count)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      for (const link of links) if (this.#left(link.id) < count + LOW) this.#fill(link, count)
      if (ready().length === links.length || (attempt > 0 && ready().length >= 2)) break
      const filling = links.flatMap(({ id }) => this.#pools.get(id)?.filling ?? [])
      const filled = await Promise.race([Promise.all(filling), enough(filling, 2, this.#thirdWait)])
      // Nobody gave any: asking again at once would not change it.
      if (!filled.includes(true)) break
    }
    return new Map(ready().map(link => [link, this.#pools.get(link.id)?.values.splice(-count) ?? []]))
  }

  #left(id: HolderId): number {
    return this.#pools.get(id)?.values.length ?? 0
  }

  #fill(link: HolderLink, count: number): void {
    const pool = this.#pools.get(link.id)
    if (pool === undefined || pool.filling !== undefined) return
    pool.filling = (async () => {
      try {
        const answer = ((await link.request(
          { op: 'nonces', count: Math.min(MOST, KEPT + count) },
          this.#timeout,
        )) ?? {}) as { readonly nonces?: unknown; readonly epoch?: unknown }
        const { nonces, epoch } = answer
        if (!Array.isArray(nonces) || !nonces.every(isContribution) || !isEpochOrNone(epoch)) return false
        pool.values = [...nonces]
        pool.epoch = epoch
        return true
      } catch {
        // The link is not up any more, and is left out.
        return false
      } finally {
        pool.filling = undefined
      }
    })()
  }
}

/** What a holder may answer: anything else is as good as no answer. */
function isContribution(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{22}$/.test(value)
}

function isEpochOrNone(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -1 && (value as number) <= 255
}

/** What the promises said once `count` of them have settled and `grace` more milliseconds have passed. */
function enough(
  promises: readonly Promise<boolean>[],
  count: number,
  grace: number,
): Promise<readonly boolean[]> {
  return new Promise(resolve => {
    const settled: boolean[] = []
    for (const promise of promises)
      void promise.then(value => {
        if (settled.push(value) === count) setTimeout(() => resolve(settled), grace)
      })
  })
}
