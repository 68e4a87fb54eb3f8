import type { ReactNode } from 'react'

/** What went wrong, in a sentence; nothing when nothing did. */
export function Problem({ text }: { readonly text: string | undefined }): ReactNode {
  if (text === undefined) return null
  return (
    <p className="notice bad" role="alert">
      {text}
    </p>
  )
}
