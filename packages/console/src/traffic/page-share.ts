/** Numbers of requests in one block, which one reader reads: it opens whole pages. */
export const SHARE_BLOCK = 16_384

/** One of several readers that each read a part of the requests. */
export interface PageShare {
  /** From 0. */
  readonly index: number
  /** How many readers there are. */
  readonly of: number
}

/** Whether a request is to be read by one of several readers. @param id number of the request */
export function isInShare(id: number, { index, of }: PageShare): boolean {
  return Math.floor(id / SHARE_BLOCK) % of === index
}

/** All requests read by one reader. */
export const WHOLE_SHARE: PageShare = { index: 0, of: 1 }

/** What to read of the pages. */
export interface ReadPages {
  /** Epoch milliseconds. */
  readonly from: number
  readonly what: 'heads' | 'whole'
  readonly share: PageShare
}
