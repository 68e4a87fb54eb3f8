/** What has no look of its own, or changes that of its neighbours: controls, formats, fillers, separators. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/**
 * A text of the requester, as the approver sees it: characters that are invisible, or that reverse others,
 * are written out (`\u{202e}`), so that it cannot look like something else. Tabs and line ends stay.
 */
export function visible(text: string): string {
  return text.replace(UNSEEN, char =>
    char === '\n' || char === '\r' || char === '\t' ? char : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  )
}
