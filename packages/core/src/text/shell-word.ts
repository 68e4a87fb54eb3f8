const PLAIN = /^[\w.:/@%+,=][\w.:/@%+,=-]*$/

/** What a terminal obeys instead of showing it, or shows as nothing, and halves of surrogate pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const UNSEEN_OR_MARKS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}'\\]/gu

/**
 * A text as one word of a shell command that is printed for somebody to copy: the shell reads it as the text
 * itself, and does nothing else with it. What could not be seen or copied stands there as an escape, which
 * bash, zsh, ksh and POSIX shells of 2024 read. A word that begins with a hyphen stays one: write `--` before
 * it.
 */
export function shellWord(text: string): string {
  if (PLAIN.test(text) || /^-[\w.:/@%+,=-]*$/.test(text)) return text
  if (!UNSEEN.test(text)) return `'${text.replaceAll("'", "'\\''")}'`
  return `$'${text.replaceAll(UNSEEN_OR_MARKS, escaped)}'`
}

function escaped(char: string): string {
  if (char === "'" || char === '\\') return `\\${char}`
  const code = char.codePointAt(0) ?? 0
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}
