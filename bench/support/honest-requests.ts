import { addBase64 } from './honest/base64.ts'
import { addBytes } from './honest/bytes.ts'
import { addCode } from './honest/code.ts'
import { addDeployments } from './honest/deployments.ts'
import { type HonestRequest, honestDraws } from './honest/draws.ts'
import { addEditors } from './honest/editors.ts'
import { addFrameworks } from './honest/frameworks.ts'
import { addPeople } from './honest/people.ts'
import { addRedirects } from './honest/redirects.ts'
import { addReports } from './honest/reports.ts'
import { addSecrets } from './honest/secrets.ts'
import { addSessions } from './honest/sessions.ts'
import { addSettings } from './honest/settings.ts'
import { addUploads } from './honest/uploads.ts'
import { addWords } from './honest/words.ts'

export type { HonestRequest } from './honest/draws.ts'

/** In this order, which the halves of the benchmark rest on: each draws on where the one before left off. */
const KINDS = [
  addPeople,
  addSessions,
  addBase64,
  addRedirects,
  addReports,
  addSecrets,
  addBytes,
  addWords,
  addFrameworks,
  addEditors,
  addDeployments,
  addSettings,
  addCode,
  addUploads,
] as const

const draws = honestDraws(42)
for (const add of KINDS) add(draws)

/**
 * Requests of every kind that was once refused by mistake, and of those that never were; the same in every
 * run.
 */
export const HONEST: readonly HonestRequest[] = draws.out
