import type { PagedRequest, RequestPage } from '@postern/console'

/** Opens the rows of a page that are wanted. */
export type OpenPage = (page: RequestPage) => Promise<readonly PagedRequest[]>

/**
 * Requests of pages in the order of their numbers. Pages of several instances overlap: those of one are held
 * back until no other can have an earlier one.
 */
export async function* inOrder(
  pages: AsyncIterable<RequestPage>,
  open: OpenPage,
): AsyncGenerator<readonly PagedRequest[]> {
  let held: readonly PagedRequest[] = []
  for await (const page of pages) {
    const first = page.head.ids[0] ?? 0
    const isBefore = held.length > 0 && (held.at(-1) as PagedRequest).id < first
    const ready = isBefore ? held : held.filter(({ id }) => id < first)
    const rest = isBefore ? [] : held.filter(({ id }) => id >= first)
    if (ready.length > 0) yield ready
    const opened = await open(page)
    held = rest.length === 0 ? opened : [...rest, ...opened].sort((a, b) => a.id - b.id)
  }
  if (held.length > 0) yield held
}
