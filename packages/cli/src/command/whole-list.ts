import type { Output } from './output.ts'

/** The most that a list of accounts, sessions or keys shows. */
const MOST = 100_000

/**
 * A list that is whole, or says that it is not: whoever signs up a thousand times must not push the account
 * with a role out of what is looked through.
 * @param list gives at most so many
 */
export async function wholeList<Item>(
  output: Output,
  list: (limit: number) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  const found = await list(MOST + 1)
  if (found.length <= MOST) return found
  output.note(`only the first ${MOST} are shown; there are more`)
  return found.slice(0, MOST)
}
