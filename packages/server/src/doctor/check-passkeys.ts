import type { CompiledConfig } from '@postern/config'
import { type DoctorFinding, ok, warn } from './finding.ts'

/** Whether the pages of built-in identity can offer passkeys. */
export async function checkPasskeys({ identity }: CompiledConfig): Promise<readonly DoctorFinding[]> {
  if (identity === undefined) return []
  const { passkeysTrouble } = await import('@postern/identity/built-in')
  const trouble = passkeysTrouble()
  if (trouble === undefined) return [ok('passkeys', 'are offered')]
  return [warn('passkeys', `are not offered: ${trouble}`, 'fine if nobody is to sign in with one')]
}
