const HEAD = 8_192
const SCRIPT = /<\?php\b|<\?=|<%@\s{0,8}page|<script[^>]{0,64}runat\s{0,4}=/i
/** Names of what some server runs, and of pictures, which a careless include runs. */
const RUN =
  /\.(?:php\d{0,2}|phtml|phar|phps?|pht|inc|jspx?|jspf|aspx?|ashx|asmx|cfml?|shtml|cgi|pl|htaccess|ini|jpe?g|png|gif|webp|svg|ico|bmp)[\s.]{0,16}$/i
const EXTENSION = /\.[a-z][\w-]{0,15}$/i

/**
 * What a server would run in the start of a file, or undefined. A file whose name says that nothing runs it
 * (`course.txt`, `site.zip`) may hold what it likes.
 * @param name empty when the file has none
 */
export function scriptIn(content: Buffer, name: string): string | undefined {
  if (EXTENSION.test(name) && !RUN.test(name)) return undefined
  return SCRIPT.exec(content.subarray(0, HEAD).toString('latin1'))?.[0]
}
