/** The one style sheet: light and dark, no requests to anywhere. */
export const STYLE = `
:root { color-scheme: light dark;
  --paper: light-dark(#faf8f4, #12181d); --card: light-dark(#fff, #1b242b); --ink: light-dark(#1d2a33, #e6e2d8);
  --faint: light-dark(#64727b, #93a1aa); --line: light-dark(#e4dfd4, #2c3841); --accent: light-dark(#b4441f, #f08a5d); }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 ui-sans-serif, system-ui, "Segoe UI", "Noto Sans", sans-serif }
a { color: inherit } h1, h2 { font-family: ui-serif, Georgia, "Noto Serif", serif; font-weight: 600; line-height: 1.2; letter-spacing: -.01em }
h1 { font-size: 2rem; margin: 0 0 .5rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 1rem }
header { background: var(--card); border-bottom: 1px solid var(--line) }
header > div, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem }
header > div { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; align-items: center; min-height: 4rem; padding-block: .5rem }
.brand { font: 600 1.2rem ui-serif, Georgia, "Noto Serif", serif; text-decoration: none } .brand span { color: var(--accent) }
nav { display: flex; gap: 1.25rem; margin-left: auto } nav a { text-decoration: none; color: var(--faint) } nav a:hover { color: var(--accent) }
main { padding-block: 2.5rem 4rem } footer { color: var(--faint); font-size: .875rem; padding-block: 1.5rem 3rem; border-top: 1px solid var(--line) }
input, textarea, select, button { font: inherit; color: inherit; border-radius: .5rem; border: 1px solid var(--line); background: var(--paper); padding: .5rem .75rem }
button, .button { background: var(--accent); border-color: var(--accent); color: light-dark(#fff, #1d1207); font-weight: 600; cursor: pointer; text-decoration: none; display: inline-block; padding: .5rem 1rem; border-radius: .5rem }
button.quiet { background: none; color: var(--faint); border-color: var(--line); font-weight: 400 }
form.stack { display: grid; gap: 1rem; max-width: 24rem } form.stack label { display: grid; gap: .25rem; color: var(--faint); font-size: .9rem } form.stack :is(input, textarea) { font-size: 1rem; color: var(--ink) }
form.search { display: flex; gap: .5rem } form.search input { width: 14rem }
.lead { color: var(--faint); font-size: 1.125rem; max-width: 40rem; margin: 0 0 1.5rem }
.hero { display: grid; grid-template-columns: 1.2fr 1fr; gap: 2.5rem; align-items: center; margin-bottom: 1rem } .hero h1 { font-size: 2.75rem } .hero svg { width: 100%; height: auto; border-radius: 1rem; display: block }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 1.25rem }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; text-decoration: none; display: block; transition: border-color .15s } a.card:hover { border-color: var(--accent) }
.card img { width: 100%; aspect-ratio: 4 / 3; display: block; object-fit: cover } .card div { padding: .9rem 1rem 1rem } .card b { display: block } .card small { color: var(--faint); display: block; min-height: 3.2em; margin: .2rem 0 .5rem }
.price { font-variant-numeric: tabular-nums; font-weight: 600 }
.detail { display: grid; grid-template-columns: 1fr 1fr; gap: 2.5rem; align-items: start } .detail img { width: 100%; border-radius: .75rem }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem 1.5rem; margin-bottom: 1rem } .panel p { margin: .25rem 0 }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
table { border-collapse: collapse; width: 100%; font-size: .925rem } th, td { text-align: left; padding: .6rem 1rem; border-bottom: 1px solid var(--line); white-space: nowrap } tr:last-child td { border-bottom: 0 } th { color: var(--faint); font-weight: 500; font-size: .85rem } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem; font-size: .8rem; color: var(--faint) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; margin: 1.5rem 0 } .tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.25rem; color: var(--faint); font-size: .9rem } .tiles b { display: block; font: 600 1.6rem ui-serif, Georgia, "Noto Serif", serif; color: var(--ink) }
.notice { border-left: 3px solid var(--accent); padding: .25rem 0 .25rem 1rem; margin: 0 0 1.5rem } .row { display: flex; gap: .75rem; flex-wrap: wrap; align-items: center }
#toast { position: fixed; right: 1.25rem; bottom: 1.25rem; background: var(--ink); color: var(--paper); padding: .6rem 1rem; border-radius: .5rem } #toast:empty { display: none }
@media (max-width: 46rem) { .hero, .detail { grid-template-columns: 1fr } .hero h1 { font-size: 2.1rem } nav { margin-left: 0 } form.search { flex: 1 1 100% } form.search input { flex: 1; width: auto } }
`
