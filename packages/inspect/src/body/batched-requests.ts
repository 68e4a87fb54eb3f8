const BATCHED = /^content-type[ \t]{0,8}:[ \t]{0,8}(?:application\/http|multipart\/mixed)\b/i
const METHOD = '(?:get|post|put|patch|merge|delete|head)'
const FIRST_LINE = new RegExp(`^(\\s{0,8}${METHOD} [^\\s]{1,4096}) http/1\\.[01](?=\\r?\\n)`, 'i')
/** The same in a set of changes, a multipart body in the part, behind the head of its own part. */
const INNER_LINE = new RegExp(
  `(\\ncontent-type[ \\t]{0,8}:[ \\t]{0,8}application/http[^\\r\\n]{0,128}(?:\\r?\\n[\\w-]{1,64}:[^\\r\\n]{0,256}){0,8}` +
    `\\r?\\n\\r?\\n${METHOD} [^\\s]{1,4096}) http/1\\.[01](?=\\r?\\n)`,
  'gi',
)

/**
 * The text of a part of a batch (OData 4.01 part 1 section 11.7, the batches of Google's interfaces), its
 * request lines without their version: they belong there, and only elsewhere is a request line one that was
 * smuggled in. All else of them is kept.
 * @param lines the head of the part
 * @param isNamed whether the head names a field, as in a form: the text is then kept whole
 */
export function withoutRequestLines(text: string, lines: readonly string[], isNamed: boolean): string {
  if (isNamed || !lines.some(line => BATCHED.test(line))) return text
  return text.replace(FIRST_LINE, '$1').replace(INNER_LINE, '$1')
}
