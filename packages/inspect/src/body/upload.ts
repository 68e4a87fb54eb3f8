const HEAD = 8_192
const EXECUTABLE = /<\?php\b|<\?=|<%@\s{0,8}page|<script[^>]{0,64}runat\s{0,4}=|^#!\s{0,4}\/[\w/]{1,64}/i

/** Whether the start of a file holds what a web server or a shell would run: PHP and JSP tags, a `#!` line. */
export function isExecutableUpload(content: Buffer): boolean {
  return EXECUTABLE.test(content.subarray(0, HEAD).toString('latin1'))
}
