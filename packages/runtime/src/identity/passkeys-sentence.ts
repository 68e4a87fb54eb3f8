import type { CompiledConfig } from '@postern/config'

/**
 * Says when the pages of built-in identity offer no passkeys, for these come with a package of their own;
 * undefined when they do, and without built-in identity.
 */
export async function passkeysSentence({
  identity,
}: Pick<CompiledConfig, 'identity'>): Promise<string | undefined> {
  if (identity === undefined) return undefined
  const { passkeysTrouble } = await import('@postern/identity/built-in')
  const trouble = passkeysTrouble()
  return trouble === undefined ? undefined : `passkeys are not offered: ${trouble}`
}
