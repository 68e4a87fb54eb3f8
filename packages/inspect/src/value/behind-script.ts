/**
 * A script of its own kind of address, which runs whatever stands behind its name: who sends a request
 * chooses that. Not what hands all requests to one application (`/index.php/api`).
 */
const BEHIND_SCRIPT =
  /\/(?!(?:index|api|app|web|v\d)\.)[^/]{1,100}\.(?:php\d?|phar|phtml?|pht|inc|cgi|fcgi|pl|py|rb|lua|jspx?|aspx?|ashx|asmx|cfm|do|action)\//i

/** Whether a route is a script's with more behind it, so that its address says nothing of what it takes. */
export function isBehindScript(route: string): boolean {
  return BEHIND_SCRIPT.test(route)
}
