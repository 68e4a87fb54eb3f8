import type { PagedRequest, PageHead } from './request-page.ts'
import type { Gap } from './uncovered.ts'

/** Some kept requests, of which those that are asked for can be opened. */
export interface RequestPage {
  readonly head: PageHead
  /**
   * The requests of the rows that are wanted, one for each row: undefined for others and for what was erased.
   * @throws IntegrityError when what was sealed was changed; StoreError when it cannot be read
   */
  open(isWanted: (row: number) => boolean): Promise<readonly (PagedRequest | undefined)[]>
}

/** Gives the next page of something; undefined after the last. */
export type NextPage = () => Promise<RequestPage | undefined>

/**
 * Pages of a store and requests that are on none, in the order of their first numbers. A gap is read only
 * once the pages reach it.
 * @param inGap gives the pages of a gap
 */
export async function* mergedPages(
  stored: NextPage,
  gaps: readonly Gap[],
  inGap: (gap: Gap) => NextPage,
): AsyncGenerator<RequestPage> {
  const waiting = [...gaps].sort((a, b) => a.low - b.low)
  const sources: { readonly next: NextPage; readonly page: RequestPage }[] = []
  const add = async (next: NextPage): Promise<void> => {
    const page = await next()
    if (page !== undefined) sources.push({ next, page })
  }
  await add(stored)
  for (;;) {
    let nearest = nearestOf(sources)
    while (waiting.length > 0 && (nearest === undefined || (waiting[0] as Gap).low < firstOf(nearest.page))) {
      await add(inGap(waiting.shift() as Gap))
      nearest = nearestOf(sources)
    }
    if (nearest === undefined) return
    yield nearest.page
    sources.splice(sources.indexOf(nearest), 1)
    await add(nearest.next)
  }
}

function nearestOf<Source extends { readonly page: RequestPage }>(
  sources: readonly Source[],
): Source | undefined {
  return sources.reduce<Source | undefined>(
    (best, one) => (best === undefined || firstOf(one.page) < firstOf(best.page) ? one : best),
    undefined,
  )
}

function firstOf({ head }: RequestPage): number {
  return head.ids[0] ?? 0
}
