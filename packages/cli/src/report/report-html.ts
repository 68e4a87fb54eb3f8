import type { Counted } from '../replay/top-counts.ts'
import type { ObserveReport } from './observe-report.ts'

/** The report as one page without scripts and without anything loaded from elsewhere. */
export function reportHtml(report: ObserveReport): string {
  const { first, last, requests, denied, throttled, challenged } = report
  const span = first === undefined ? 'Nothing would have been refused.' : `${first} to ${last ?? first}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What Postern would have refused</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
td:first-child { text-align: right; font-variant-numeric: tabular-nums; }
code { white-space: pre-wrap; overflow-wrap: anywhere; }
</style>
<h1>What Postern would have refused</h1>
<p>${escaped(span)}</p>
<p><strong>${requests}</strong> requests: ${denied} denied, ${throttled} throttled, ${challenged} challenged.</p>
${table('Rules', 'Rule', 'Requests to explain', report.rules)}
${table('Routes', 'Route', 'By', report.routes)}
${table('Actors', 'Actor', 'By', report.actors)}
${table('Exceptions to add', 'Exception', 'Requests to explain', report.exceptions)}
</html>
`
}

function table(title: string, what: string, examples: string, rows: readonly Counted[]): string {
  if (rows.length === 0) return ''
  const lines = rows.map(
    ({ key, count, examples: some }) =>
      `<tr><td>${count}</td><td><code>${escaped(key)}</code></td><td><code>${escaped(some.join('\n'))}</code></td></tr>`,
  )
  return `<h2>${title}</h2>
<table><thead><tr><th>Requests</th><th>${what}</th><th>${examples}</th></tr></thead><tbody>
${lines.join('\n')}
</tbody></table>`
}

/** Everything in a report was sent by somebody. */
function escaped(text: string): string {
  return text.replaceAll(
    /[&<>"'\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g,
    found => `&#${found.charCodeAt(0) < 32 ? 183 : found.charCodeAt(0)};`,
  )
}
