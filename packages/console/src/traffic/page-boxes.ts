import type { Sealed } from '@postern/audit'
import { type PageBody, type PageBox, type PagedRequest, type PageHead, PageReader } from './request-page.ts'

/** Columns of a page as a store has them. */
export interface PageColumns {
  readonly head: PageHead
  readonly body: PageBody
  readonly boxes: readonly Sealed[]
}

/** The boxes that hold rows which are wanted: the others need not be opened. */
export function wantedBoxes(
  { head, body }: PageColumns,
  isWanted: (row: number) => boolean,
): ReadonlySet<number> {
  const wanted = new Set<number>()
  for (let row = 0; row < head.ids.length; row++) if (isWanted(row)) wanted.add(body.box[row] ?? 0)
  return wanted
}

/** @param opened text of each box; undefined for those that were erased or are not wanted */
export function openedRows(
  { head, body }: PageColumns,
  opened: readonly (string | undefined)[],
  isWanted: (row: number) => boolean,
): readonly (PagedRequest | undefined)[] {
  const boxes = opened.map(text => (text === undefined ? undefined : (JSON.parse(text) as PageBox)))
  const reader = new PageReader(head, body, boxes)
  return head.ids.map((_, row) => (isWanted(row) ? reader.next() : reader.skip()))
}
