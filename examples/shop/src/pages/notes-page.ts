import { html, type Markup, unescaped } from './html.ts'

const IMPORTS = {
  imports: {
    hpke: '/modules/hpke/index.js',
    'shamir-secret-sharing': '/modules/shamir-secret-sharing/esm/index.js',
    'shamir-secret-sharing/csprng': '/modules/shamir-secret-sharing/esm/csprng.js',
    '@noble/curves/': '/modules/@noble/curves/',
    '@noble/hashes/': '/modules/@noble/hashes/',
  },
}

/** The customer's own code: everything that is sealed, opened or unlocked happens here, by WebCrypto. */
const SCRIPT = `
import { createSpace, grantSpace, Member, openGrant, openHeld, sealHeld } from HELD
import { unlockWithCode, wrapWithCode } from UNLOCK
const $ = id => document.getElementById(id)
const place = { tenant: '', table: 'note', column: 'sealed', row: [$('notes').dataset.customer], version: 0 }
const text = bytes => btoa(String.fromCharCode(...bytes))
const bytes = text => Uint8Array.from(atob(text), char => char.charCodeAt(0))
const stored = await (await fetch('/api/note')).json()
let member, space, wrapped, grant
const show = note => {
  $('unlock').hidden = true
  $('write').hidden = false
  $('note').value = note
}
$('unlock').onsubmit = async event => {
  event.preventDefault()
  try {
    wrapped = JSON.parse(stored.member)
    grant = JSON.parse(stored.space)
    member = await unlockWithCode(wrapped, $('code').value)
    space = await openGrant(member, grant, [member.public])
    show(new TextDecoder().decode(await openHeld(epoch => (epoch === space.epoch ? space : undefined), place, bytes(stored.sealed))))
  } catch (error) {
    $('state').textContent = 'That code does not open your notes.'
  }
}
$('write').onsubmit = async event => {
  event.preventDefault()
  const sealed = await sealHeld(space, place, new TextEncoder().encode($('note').value))
  const body = JSON.stringify({ member: JSON.stringify(wrapped), space: JSON.stringify(grant), sealed: text(sealed) })
  await fetch('/api/note', { method: 'PUT', headers: { 'content-type': 'application/json' }, body })
  $('state').textContent = 'Saved, sealed.'
}
if (stored.sealed === undefined) {
  member = await Member.create()
  space = createSpace()
  grant = await grantSpace(member, member.public, space)
  const made = await wrapWithCode(member)
  wrapped = made.wrapped
  $('fresh').hidden = false
  $('fresh-code').textContent = made.code
  show('')
} else $('unlock').hidden = false
`

/** Where the browser modules of the vault are served. */
export interface ModuleEntries {
  readonly held: string
  readonly unlock: string
}

/** Notes that only the customer can read, with the code that unlocks them. */
export function notesPage(customer: number, { held, unlock }: ModuleEntries): Markup {
  const script = SCRIPT.replace('HELD', () => JSON.stringify(held)).replace('UNLOCK', () =>
    JSON.stringify(unlock),
  )
  return html`<h1>Private notes</h1><p class="lead">Sealed in your browser. We store them, and cannot read them.</p>
<div id="notes" data-customer="${customer}"><p id="fresh" hidden>Write this code down; without it nobody opens your notes: <b id="fresh-code"></b></p>
<form id="unlock" class="stack" hidden><label>Your code<input id="code" autocomplete="off" required></label><div><button>Unlock</button></div></form>
<form id="write" class="stack" hidden><label>Note<textarea id="note" rows="6"></textarea></label><div><button>Save</button></div></form>
<p id="state" role="status"></p></div>
<script type="importmap">${unescaped(JSON.stringify(IMPORTS))}</script>
<script type="module">${unescaped(script)}</script>`
}
