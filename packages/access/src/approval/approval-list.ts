import { APPROVAL_SQL } from './approval.sql.ts'
import type { ApprovalState } from './approval.ts'
import type { ApprovalDatabase, Row } from './approval-database.ts'
import { readApproval, type StoredApproval } from './approval-row.ts'

/** How many are given at most. */
const MOST = 100
const PAGE = 250
/** Rows that are looked at for them: requests of others must not hide the one that somebody may decide. */
const MOST_PAGES = 40

/** Which requests are looked for: those of a tenant, or of all where none is named. */
export interface Sought {
  readonly tenant: string | undefined
  readonly state: ApprovalState
  /** Epoch milliseconds; what has run out is not open. */
  readonly now: number
}

/** The newest requests that are wanted, 100 at most, of the newest 10,000. */
export async function listApprovals(
  database: ApprovalDatabase,
  { tenant, state, now }: Sought,
  isWanted: (stored: StoredApproval) => boolean,
): Promise<readonly StoredApproval[]> {
  const found: StoredApproval[] = []
  let last: Row | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const after = [Number(last?.['requested_at'] ?? Number.MAX_SAFE_INTEGER), String(last?.['id'] ?? '')]
    const values = [state, now, ...after, PAGE]
    const [rows = []] = await database.run([
      tenant === undefined
        ? { text: APPROVAL_SQL.listAll, values }
        : { text: APPROVAL_SQL.list, values: [...values, tenant] },
    ])
    for (const row of rows) {
      const stored = readApproval(row)
      if (isWanted(stored)) found.push(stored)
      if (found.length === MOST) return found
    }
    last = rows.at(-1)
    if (rows.length < PAGE) break
  }
  return found
}
