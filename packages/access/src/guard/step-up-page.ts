import { type Exchange, escapeHtml, type RefusalContent } from '@postern/core'

/**
 * Whether a browser asks for a page, so that it can be sent somewhere; a script or an
 * API client receives a problem document.
 */
export function isNavigation(exchange: Exchange): boolean {
  const mode = exchange.header('sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  const accept = exchange.header('accept') ?? ''
  return accept.includes('text/html') && !accept.includes('json')
}

/**
 * Sends a browser to where it proves who it is. A page with status 401 and not a redirect: nothing was done,
 * and whoever counts refusals must see one.
 * @param location a path of this origin
 */
export function stepUpPage(message: string, location: string): RefusalContent {
  const to = escapeHtml(location)
  return {
    type: 'text/html; charset=utf-8',
    text: `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="0;url=${to}">
<title>Please prove that this is you</title>
<p>${escapeHtml(message)}</p>
<p><a href="${to}">Continue</a></p>
</html>
`,
  }
}
