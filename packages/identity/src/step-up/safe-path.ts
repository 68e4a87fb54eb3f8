/**
 * A place of this origin to go back to, as a path with its query: never another origin, however
 * it is written (`//evil.example`, `/\evil.example`, with tabs, with credentials). What a
 * browser would read is what is compared.
 * @returns undefined when it is not such a path
 */
export function safePath(text: string, origin: string): string | undefined {
  if (text.length > 2_048 || /[\u0000-\u001f\u007f\\]/.test(text)) return undefined
  if (!URL.canParse(text, origin)) return undefined
  const url = new URL(text, origin)
  if (url.origin !== origin || url.username !== '' || url.password !== '') return undefined
  const path = url.pathname + url.search
  return path.startsWith('//') ? undefined : path
}
