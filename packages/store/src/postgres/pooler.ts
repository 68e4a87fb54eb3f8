/** What pg keeps of a connection: the process that the other end named when it was made. */
interface Connected {
  readonly processID?: unknown
}

/**
 * Whether PostgreSQL itself or a pooler (PgBouncer, a hosted proxy) is at the other end of a connection: a
 * pooler names a process of its own when the connection is made, for it cancels statements itself, and the
 * session answers with another.
 */
export async function endOf(
  client: object,
  query: (text: string) => Promise<{ readonly rows: readonly unknown[] }>,
): Promise<'server' | 'pooler'> {
  const { rows } = await query('SELECT pg_backend_pid() AS pid')
  const [row] = rows
  const pid = typeof row === 'object' && row !== null && 'pid' in row ? Number(row.pid) : Number.NaN
  const { processID } = client as Connected
  return Number(processID) === pid ? 'server' : 'pooler'
}
