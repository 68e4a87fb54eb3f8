import type { Migration } from '@postern/store'

const CREATE = `CREATE TABLE learned_route (
  route TEXT PRIMARY KEY,
  learned TEXT NOT NULL
)`

export const LEARNED_MIGRATIONS: readonly Migration[] = [{ id: 1, name: 'learned routes', sqlite: CREATE }]

export const LEARNED = {
  get: 'SELECT learned FROM learned_route WHERE route = ?',
  put: 'INSERT INTO learned_route (route, learned) VALUES (?, ?) ON CONFLICT (route) DO UPDATE SET learned = excluded.learned',
  count: 'SELECT count(*) AS routes FROM learned_route',
  all: 'SELECT route, learned FROM learned_route ORDER BY route LIMIT ?',
  remove: 'DELETE FROM learned_route WHERE route = ?',
  clear: 'DELETE FROM learned_route',
} as const
