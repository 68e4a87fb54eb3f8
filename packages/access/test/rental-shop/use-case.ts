import type { Acting } from '@postern/access'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'

/** Something that people or jobs of the shop do, and who does it. */
export interface UseCase {
  readonly name: string
  readonly acting: Acting
  run(db: NodePgDatabase): Promise<void>
}

export const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
