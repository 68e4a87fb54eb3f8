import { escapeHtml, type PlainPage, plainPage, type RefusalLanguage } from '@postern/core'
import type { Approval } from './approval.ts'
import { APPROVAL_WORDS, type ApprovalWords } from './approval-words.ts'
import { calledBy } from './people.ts'
import { visible } from './visible.ts'

/** What one reader may do about an approval. */
export interface ApprovalReader {
  readonly language: RefusalLanguage
  /** Where the list is: `/.postern/approvals`. */
  readonly path: string
  /** Shown the rows, and asked to decide. */
  readonly decides: boolean
  /** May withdraw it. */
  readonly asked: boolean
  /** What people are called, by `user:ID`. */
  readonly names: Readonly<Record<string, string>>
}

const STYLE = `
body{place-items:start center}
main{max-width:46rem}
dt{color:var(--soft);font-size:.925rem}
dd{margin:0 0 .75rem;overflow-wrap:anywhere}
pre{overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;border:1px solid var(--line);border-radius:9px;background:var(--page);font:.85rem/1.5 ui-monospace,monospace;direction:ltr;text-align:start}
table{border-collapse:collapse;margin:0 0 .75rem}
th{font-weight:400;text-align:start;padding-inline-end:2rem}
td{text-align:end;font-variant-numeric:tabular-nums}
label{display:block;margin:0 0 .25rem}
input{width:100%;font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:9px;padding:.6rem .75rem;margin:0 0 1rem}
button{font:inherit;cursor:pointer;padding:.6rem 1.1rem;border-radius:9px;border:1px solid var(--act);background:var(--act);color:var(--on)}
button.no{background:none;color:var(--act)}
button:focus-visible,input:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
form{margin:1.25rem 0}
ul{list-style:none;margin:0;padding:0}
li{border:1px solid var(--line);border-radius:9px;padding:.875rem 1rem;margin:0 0 .75rem}
a{color:var(--act)}
.state{font-weight:600}
`

/** Everything that waits for somebody, as a page. */
export function approvalsPage(
  approvals: readonly Approval[],
  language: RefusalLanguage,
  path: string,
  names: Readonly<Record<string, string>>,
): string {
  const words = APPROVAL_WORDS[language]
  const items = approvals.map(
    approval => `<li><a href="${escapeHtml(`${path}/${approval.id}`)}"><bdi>${shown(acted(approval))}</bdi></a>
<p class="soft">${escapeHtml(words.who)}: <bdi>${shown(calledBy(approval.act.actor, names))}</bdi> · ${escapeHtml(words.until)}: ${time(approval.expiresAt, language)}</p></li>`,
  )
  const list = items.length === 0 ? `<p>${escapeHtml(words.nothing)}</p>` : `<ul>${items.join('\n')}</ul>`
  return page(language, words.listTitle, list)
}

/** One approval as a page: what would be done, and the form of whoever decides or has asked. */
export function approvalPage(approval: Approval, reader: ApprovalReader): string {
  const { language, path, decides, asked, names } = reader
  const words = APPROVAL_WORDS[language]
  const { act, state, reason, rows, note } = approval
  const facts = [
    fact(words.what, acted(approval)),
    fact(words.who, calledBy(act.actor, names)),
    reason === '' ? '' : fact(words.reason, reason),
    rows === undefined ? '' : fact(words.atMost, new Intl.NumberFormat(language).format(rows)),
    `<dt>${escapeHtml(words.until)}</dt><dd>${time(approval.expiresAt, language)}</dd>`,
  ]
  const main = `<p class="state">${escapeHtml(words.state[state])}</p>
${note === '' ? '' : `<p>${shown(note)}</p>\n`}${state === 'approved' ? `<p>${escapeHtml(words.repeat)}</p>\n` : ''}<dl>${facts.join('')}</dl>
${details(approval, words, reader)}${effect(approval, words, reader)}${state === 'pending' || state === 'approved' ? form(approval, reader, words) : ''}<p><a href="${escapeHtml(path)}">${escapeHtml(words.all)}</a></p>`
  return page(language, words.title, asked || decides ? main : `<p>${escapeHtml(words.nothing)}</p>`)
}

/** Everything that the consent is bound to, so that nobody consents to a part of it unseen. */
function details(
  { act, preview: { body } }: Approval,
  words: ApprovalWords,
  { decides }: ApprovalReader,
): string {
  const text = JSON.stringify(act.arguments, undefined, 2)
  const sent =
    body === undefined || !decides
      ? ''
      : `<p class="soft">${escapeHtml(words.body)}</p><pre tabindex="0">${shown(body)}</pre>`
  if ((text === 'null' || text === '{}') && sent === '') return ''
  return `<h2>${escapeHtml(words.details)}</h2><pre tabindex="0">${shown(text)}</pre>${sent}\n`
}

/** What the requester has counted, and, for whoever decides, a few of the rows. */
function effect({ preview }: Approval, words: ApprovalWords, { decides }: ApprovalReader): string {
  const { summary, rows, sample } = preview
  const counts = Object.entries(rows ?? {})
    .map(([table, count]) => `<tr><th scope="row">${shown(table)}</th><td>${count}</td></tr>`)
    .join('')
  const parts = [
    summary === undefined ? '' : `<p>${shown(summary)}</p>`,
    counts === '' ? '' : `<table>${counts}</table>`,
    sample === undefined || !decides
      ? ''
      : `<p class="soft">${escapeHtml(words.sample)}</p><pre tabindex="0">${shown(sample.map(row => JSON.stringify(row)).join('\n'))}</pre>`,
  ].join('')
  return parts === '' ? '' : `<h2>${escapeHtml(words.effect)}</h2>${parts}\n`
}

function form(
  { id, state }: Approval,
  { path, decides, asked }: ApprovalReader,
  words: ApprovalWords,
): string {
  const action = escapeHtml(`${path}/${id}`)
  const approve =
    state === 'pending' ? `<button name="decision" value="approve">${escapeHtml(words.approve)}</button>` : ''
  if (decides)
    return `<form method="post" action="${action}"><label for="note">${escapeHtml(words.note)}</label><input id="note" name="note" maxlength="500" autocomplete="off">
<div class="ways">${approve}<button class="no" name="decision" value="deny">${escapeHtml(words.deny)}</button></div></form>
`
  if (!asked) return ''
  return `<form method="post" action="${action}"><button class="no" name="decision" value="cancel">${escapeHtml(words.cancel)}</button></form>
`
}

function acted({ act: { action, resource } }: Approval): string {
  return resource === '' || action.endsWith(` ${resource}`) ? action : `${action} · ${resource}`
}

/** A text that was not written here. */
function shown(text: string): string {
  return escapeHtml(visible(text))
}

function fact(name: string, value: string): string {
  return `<dt>${escapeHtml(name)}</dt><dd><bdi>${shown(value)}</bdi></dd>`
}

/** In UTC: the page runs no script to ask the reader's clock. */
function time(at: number, language: RefusalLanguage): string {
  const text = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(at)
  return `<time datetime="${new Date(at).toISOString()}">${escapeHtml(text)} UTC</time>`
}

function page(language: PlainPage['language'], title: string, main: string): string {
  return plainPage({
    language,
    title,
    main: `<h1>${escapeHtml(title)}</h1>\n${main}`,
    style: STYLE,
  })
}
