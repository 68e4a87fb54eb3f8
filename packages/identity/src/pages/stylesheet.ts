import { ConfigError } from '@postern/core'

/** How pages look: values of CSS variables. */
export interface Theme {
  /** Of buttons and links, on a light background. Default `#2457c5`. */
  readonly accent?: string
  /** The same on a dark background. Default `#9db8ff`. */
  readonly accentDark?: string
  /** Default `0.5rem`. */
  readonly radius?: string
  /** Default: the system's. */
  readonly font?: string
}

const VALUE = /^[#\w\s.,%()"'-]{1,200}$/

/** The one stylesheet of all pages. @throws ConfigError for a value that could end its declaration */
export function stylesheet(theme: Theme = {}): string {
  for (const [name, value] of Object.entries(theme))
    if (!VALUE.test(value))
      throw new ConfigError({
        place: `identity.pages.theme.${name}`,
        problem: 'is not a value of CSS',
        hint: "give a colour, a length or a list of typefaces, for example '#0b57d0'",
      })
  return `:root {
  --postern-accent: ${theme.accent ?? '#2457c5'};
  --postern-accent-dark: ${theme.accentDark ?? '#9db8ff'};
  --postern-radius: ${theme.radius ?? '0.5rem'};
  --postern-font: ${theme.font ?? 'system-ui, sans-serif'};
${RULES}`
}

const RULES = `  color-scheme: light dark;
  --accent: light-dark(var(--postern-accent), var(--postern-accent-dark));
  --on-accent: light-dark(#ffffff, #10162b);
  --text: light-dark(#1c2230, #e8ebf3);
  --soft: light-dark(#50586b, #a9b1c5);
  --ground: light-dark(#f3f5f9, #12151d);
  --card: light-dark(#ffffff, #1b202c);
  --line: light-dark(#8b93a5, #6b7488);
  --faint: light-dark(#dde1ea, #2d3444);
  --danger: light-dark(#b3261e, #ffb4ab);
  --good: light-dark(#1b6e3c, #8fdba9);
}
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 var(--postern-font); color: var(--text); background: var(--ground); min-height: 100vh;
  display: flex; flex-direction: column; }
main { width: min(28rem, 100% - 2rem); margin: clamp(1rem, 8vh, 5rem) auto 2rem; padding: clamp(1.25rem, 5vw, 2rem);
  background: var(--card); border: 1px solid var(--faint); border-radius: calc(var(--postern-radius) * 1.5); flex: none; }
main.wide { width: min(46rem, 100% - 2rem); margin-top: 2rem; }
.brand { margin: 0 0 1rem; font-weight: 600; }
.brand a { color: var(--soft); text-decoration: none; }
.brand a:hover { text-decoration: underline; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.125rem; margin: 2rem 0 0.5rem; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
label { display: block; font-weight: 600; margin: 0 0 0.25rem; }
.hint { color: var(--soft); font-size: 0.9375rem; }
input:not([type=checkbox]), select { width: 100%; font: inherit; color: inherit; background: var(--card); padding: 0.625rem 0.75rem; margin: 0 0 1rem;
  border: 1px solid var(--line); border-radius: var(--postern-radius); min-height: 2.75rem; }
.check { display: flex; gap: 0.625rem; align-items: flex-start; margin: 0 0 1rem; }
.check input { width: 1.25rem; height: 1.25rem; margin: 0.125rem 0 0; flex: none; accent-color: var(--accent); }
.check label { font-weight: 400; margin: 0; }
button, .button { display: inline-block; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; padding: 0.625rem 1rem;
  min-height: 2.75rem; border: 1px solid var(--accent); border-radius: var(--postern-radius); background: var(--accent); color: var(--on-accent); }
button.full, .button.full { width: 100%; }
button.quiet, .button.quiet { background: transparent; color: var(--accent); }
button.danger { background: transparent; border-color: var(--danger); color: var(--danger); }
button[disabled] { opacity: 0.6; cursor: progress; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
form { margin: 0 0 1rem; }
.row { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
.row form { margin: 0; }
.notice, .fault { border-inline-start: 4px solid var(--good); padding: 0.5rem 0.75rem; margin: 0 0 1rem; background: var(--ground); overflow-wrap: anywhere; }
.fault { border-color: var(--danger); }
.or { display: flex; align-items: center; gap: 0.75rem; color: var(--soft); margin: 1rem 0; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--faint); }
ul.links { list-style: none; padding: 0; margin: 1rem 0 0; }
ul.links li { margin: 0.25rem 0; }
ul.cards { list-style: none; padding: 0; margin: 0 0 1rem; }
ul.cards > li { border: 1px solid var(--faint); border-radius: var(--postern-radius); padding: 0.875rem 1rem; margin: 0 0 0.75rem; }
ul.cards p { margin: 0 0 0.5rem; overflow-wrap: anywhere; }
dl { margin: 0 0 1rem; }
dt { color: var(--soft); font-size: 0.9375rem; }
dd { margin: 0 0 0.75rem; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); margin: 0 0 0.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9375em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--ground); border: 1px solid var(--faint); border-radius: var(--postern-radius); padding: 0.75rem; margin: 0 0 1rem; }
.secret { direction: ltr; unicode-bidi: isolate; }
.codes { columns: 18rem 2; list-style: none; padding: 0; font-family: ui-monospace, monospace; direction: ltr; }
.qr { display: block; width: 12rem; height: 12rem; background: #ffffff; padding: 0.75rem; border-radius: var(--postern-radius); margin: 0 0 1rem; }
nav.account ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; margin: 0 0 1.5rem; }
nav.account a[aria-current] { color: inherit; text-decoration: none; font-weight: 600; }
footer { margin: auto auto 1.5rem; padding: 0 1rem; text-align: center; font-size: 0.9375rem; }
footer ul { list-style: none; display: flex; flex-wrap: wrap; justify-content: center; gap: 0.25rem 1rem; padding: 0; margin: 0; }
footer a, footer span { display: inline-block; padding: 0.25rem; }
[hidden] { display: none !important; }
`
