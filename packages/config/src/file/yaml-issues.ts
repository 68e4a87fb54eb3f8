import type { ConfigIssue } from '@postern/core'
import type { YAMLParseError, YAMLWarning } from 'yaml'

/** What to do about each kind of mistake; the message of the parser says what is wrong. */
const HINTS: Readonly<Partial<Record<YAMLParseError['code'], string>>> = {
  BAD_ALIAS: 'a text that begins with * needs quotes: "**"',
  BAD_DQ_ESCAPE: 'use single quotes, in which a backslash is a backslash',
  BAD_INDENT: 'close every bracket and quote, and indent the lines of one level by the same number of blanks',
  BAD_SCALAR_START: 'put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put a text with a colon and a blank in it in quotes',
  MISSING_CHAR: 'close the quote or bracket, and write a blank after the colon of a key',
  MULTILINE_IMPLICIT_KEY: 'write a blank after the colon of a key: mode: observe',
  TAG_RESOLVE_FAILED: 'a text that begins with ! needs quotes',
}

const OTHERWISE = 'a text with one of : # { } [ ] , & * ! | > % @ ` in it needs quotes'

/**
 * What is wrong with a YAML text: its first mistake, for what a parser says after that is mostly about the
 * same one, or every key that is used twice.
 * @param place names a position in the text
 */
export function yamlIssues(
  problems: readonly (YAMLParseError | YAMLWarning)[],
  text: string,
  place: (at: number) => string,
): readonly ConfigIssue[] {
  const sorted = problems.toSorted((one, other) => one.pos[0] - other.pos[0])
  const isTwice = sorted.every(({ code }) => code === 'DUPLICATE_KEY')
  return (isTwice ? sorted : sorted.slice(0, 1)).map(({ code, message, pos }) => ({
    place: place(pos[0]),
    ...problemOf(
      code,
      message.split('\n', 1)[0] ?? '',
      /^[^\s:]{1,60}/.exec(text.slice(pos[0]))?.[0] ?? 'a key',
    ),
  }))
}

function problemOf(
  code: YAMLParseError['code'],
  message: string,
  word: string,
): { readonly problem: string; readonly hint: string } {
  // The parser reports a stack that overflowed like any mistake.
  if (/stack (?:size|overflow)/i.test(message))
    return { problem: 'is nested too deeply', hint: 'close the brackets that are opened here' }
  switch (code) {
    case 'TAB_AS_INDENT':
      return { problem: 'a tab indents this line', hint: 'indent with blanks: YAML allows no tabs there' }
    case 'DUPLICATE_KEY':
      return { problem: `${word} stands here a second time`, hint: 'put what both say below the first' }
    case 'MULTIPLE_DOCS':
      return { problem: 'a second document begins here', hint: 'remove the line ---' }
    default:
      return { problem: message, hint: HINTS[code] ?? OTHERWISE }
  }
}
