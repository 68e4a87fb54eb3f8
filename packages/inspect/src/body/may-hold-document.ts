// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Whether a text could be a document, by its first character. */
export function mayHoldDocument(text: string): boolean {
  const first = charCodeAt.call(text, 0)
  return first <= 32 || first === 123 || first === 91 || DOCUMENT_WORD.has(first | 32)
}

/** First letters of what a GraphQL document begins with. */
const DOCUMENT_WORD: ReadonlySet<number> = new Set([...'qmsf'].map(letter => charCodeAt.call(letter, 0)))
