import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { EffortMeter } from '../src/bounds/effort-meter.ts'
import { isPlainText } from '../src/clearance/unmet-text.ts'
import { inspect, ownRuleSet } from '../src/inspect.ts'
import { scanFeatures, seen } from '../src/value/features.ts'
import { compileParameterTypes, type ParameterTypes } from '../src/value/parameter-types.ts'
import { PlainReading, readingOf } from '../src/value/reading.ts'

/** The refusal of a text as a field of a JSON body. */
function posted(text: string, types?: ParameterTypes): string | undefined {
  const body = Buffer.from(JSON.stringify({ title: 'A note', text }))
  const inspection = inspect(
    {
      method: 'POST',
      target: '/posts',
      headers: ['content-type', 'application/json'],
      body,
    },
    types === undefined ? {} : { types },
  )
  if (inspection.verdict === 'pass') return undefined
  return `as JSON: ${inspection.matches[0]?.rule} "${inspection.matches[0]?.span}"`
}

function refusal(text: string, types?: ParameterTypes): string | undefined {
  const refused = posted(text, types)
  if (refused !== undefined) return refused
  // What looks like an attack in a query is refused whatever is written around it.
  if (text.length > 500 || types !== undefined || /[`<;|$]/.test(text)) return undefined
  const asked = inspect({ method: 'GET', target: `/search?q=${encodeURIComponent(text)}`, headers: [] })
  return asked.verdict === 'pass'
    ? undefined
    : `as a query: ${asked.matches[0]?.rule} "${asked.matches[0]?.span}"`
}

const PLAIN: readonly string[] = [
  'how to use the <script> tag',
  'https://example.com/?',
  '"Chromium";v="110", "Not A(Brand";v="24"',
  'java.util.List',
  "Anne O'Brien",
  "D'Angelo & Sons",
  "Mc'Donald -- the elder",
  "it's 5 o'clock",
  "rock 'n' roll",
  'AT&T',
  'Tom & Jerry; or was it Jerry & Tom?',
  'SELECT a seat and drop the table from the list',
  'Please select one option from the menu below',
  'Insert the key into the lock and turn it',
  'Update your address and set a new password',
  'Delete from your mind what he said',
  'The union selected a new leader',
  'union select committee hearing',
  'group by age, order by name',
  'where are you from?',
  'I like it or not',
  'either 1 or 2',
  'between 10 and 12',
  '1 or 2 = enough',
  'x = y + 1 and z = 3',
  'Create a table for two',
  'drop in any time',
  'Having said that, 1 of 3 is fine',
  'cast (of the play)',
  'left (adverb)',
  'a < b and b > c',
  'if (a < b && c > d) then stop',
  'I <3 you',
  '5 < 6 > 4',
  'price <= 20 EUR',
  '<p>Hello <b>world</b></p>',
  '<a href="https://example.com/a?b=c&d=e">link</a>',
  '<img src="cat.png" alt="A cat on a sofa">',
  '<ul><li>one</li><li>two</li></ul>',
  'Use the <title> element in <head>',
  'List<String> names',
  'cat and mouse; dog and bone',
  'time to go; who is coming?',
  'find it, sort it, ship it',
  'ls',
  'id',
  'ping me',
  'The parameter 5 is&|.',
  'more | less',
  '50% off',
  '100 %',
  'C:\\Users\\anna\\Documents',
  '/home',
  '../images/logo.png',
  'https://example.com/path?x=1&y=2#top',
  'http://www.example.org/etc/index.html',
  'anna+news@example.com',
  '+1 (555) 010-9999',
  '12/31/2026',
  '2026-11-23T10:00:00Z',
  '#hashtag @mention',
  '$5.00',
  '€ 12,50',
  '{name}',
  '{{ user.name }}',
  '${total}',
  'javascript',
  'JavaScript: The Good Parts',
  'java lang courses',
  'onclick events explained',
  'the document, cookie and domain',
  'alert the police (now)',
  'E = mc^2; F = ma',
  'sin(x) + cos(y) = 1',
  'f(x) = x*x - 2',
  '(a + b) * c',
  'x[0] = y[1]',
  'ratio 3:4',
  '-- signature',
  '--- divider ---',
  '/* note */',
  '"quoted" and \'single\'',
  '“typographic” and ‘single’',
  'don’t, won’t, can’t',
  '日本語のテキスト',
  'Ünïcödé & Ñandú',
  '🙂 emoji 🎉',
  'null',
  'true',
  'undefined',
  'The metadata of the song',
  'localhost',
  'We use ldap and mail',
  'Subject: hello',
  'To: you',
  'etc. and so on',
  'my .env file is empty',
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'body { color: red; background: url(img/bg.png) no-repeat }',
  '.btn:hover > span::after { content: "x" }',
  '[{"a":1},{"b":[true,null]}]',
  'key=value; other=thing',
]

const CODE: readonly string[] = [
  'Here is how I did it:\n\n```js\nconst fs = require("fs")\nconst text = fs.readFileSync("../data/input.txt", "utf8")\nif (text && text.length > 0) console.log(text)\n```\n\nHope it helps!',
  '```sql\nSELECT u.name, COUNT(*) FROM users u JOIN orders o ON o.user_id = u.id WHERE o.total > 10 OR u.vip = 1 GROUP BY u.name ORDER BY 2 DESC;\n```\nThat query is slow for me.',
  'import os\nimport subprocess\n\ndef main():\n    out = subprocess.run(["ls", "-la"], capture_output=True)\n    print(out.stdout)\n\nif __name__ == "__main__":\n    main()\n',
  '#!/bin/bash\nset -e\ncd /tmp && mkdir -p build\nfor f in *.c; do\n  gcc -c "$f" -o "${f%.c}.o" || exit 1\ndone\nls -la | grep ".o$" | wc -l\n',
  '<?php\nnamespace App;\n\nclass User {\n  public function find(int $id): ?User {\n    return $this->db->query("select * from users where id = ?", [$id]);\n  }\n}\n',
  '<!doctype html>\n<html>\n<head>\n  <script src="app.js"></script>\n  <link rel="stylesheet" href="a.css">\n</head>\n<body onload="start()">\n  <div id="root"></div>\n</body>\n</html>\n',
  'To list files run `ls -la /etc` and then `cat notes.txt | sort | uniq -c` in the same folder.',
  'The `<script>` element runs code, and `onclick="go()"` is a handler; never write `alert(1)` in production code.',
  "Escape quotes: the classic injection `' OR 1=1 --` works because the string is closed early by the attacker.",
  'public class A {\n  public static void main(String[] args) throws Exception {\n    Runtime.getRuntime().exec("ls");\n    System.out.println(new java.io.File("x"));\n  }\n}\n',
]

describe('ordinary text passes', () => {
  for (const text of PLAIN) test(JSON.stringify(text), () => assert.equal(refusal(text), undefined))
})

describe('code in a post passes where the parameter is known to hold text or code', () => {
  const code = compileParameterTypes({ 'body.text': 'code' }, 'parameters')
  for (const text of CODE)
    test(JSON.stringify(text.slice(0, 60)), () => assert.equal(refusal(text, code), undefined))
})

describe('code in a long post passes where nothing is known of the parameter', () => {
  for (const text of CODE) {
    const post = `${text}\n\n${'This is what I tried, and I would like to know more about it.\n'.repeat(8)}`
    test(JSON.stringify(text.slice(0, 60)), () => assert.equal(refusal(post), undefined))
  }
})

describe('the prose of the packages on this disk', () => {
  test('at most one sentence paragraph in five thousand is refused', () => {
    const root = join(import.meta.dirname, '../../../node_modules')
    let total = 0
    const known = new Set<string>()
    const refused: string[] = []
    for (const file of markdownIn(root, 4_000)) {
      for (const paragraph of readFileSync(file, 'utf8').split(/\n\s*\n|```[\s\S]*?```/)) {
        const text = paragraph.replace(/\s+/g, ' ').trim()
        if (text.length < 40 || text.length > 2_000 || !/^[A-Z][a-z]/.test(text) || /[{};]/.test(text))
          continue
        if (known.has(text)) continue
        known.add(text)
        total++
        const why = posted(text)
        if (why !== undefined) refused.push(`${why}: ${text.slice(0, 160)}`)
      }
    }
    assert.ok(total > 1_000, 'there is prose to read')
    assert.ok(refused.length <= Math.max(1, total / 5_000), refused.join('\n'))
  })
})

function* markdownIn(root: string, most: number): Generator<string> {
  let count = 0
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined && count < most; folder = folders.pop()) {
    if (!existsSync(folder)) continue
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && path.length - root.length < 160) folders.push(path)
      else if (/\.md$/i.test(entry.name) && count++ < most) yield path
    }
  }
}

/** Lines of this repository's own pages, but for rows of tables, which begin as what a shell separates. */
function linesOfPages(): readonly string[] {
  const folder = join(import.meta.dirname, '../../../docs')
  const pages = readdirSync(folder).filter(name => name.endsWith('.md'))
  return pages.flatMap(name =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter(line => !line.startsWith('|'))
      .map(line => line.slice(0, 200)),
  )
}

test('of ordinary lines hardly any is asked for the name that it stands under, without which it is read once', () => {
  const reading = new PlainReading()
  const meter = new EffortMeter(Number.POSITIVE_INFINITY)
  const asked: string[] = []
  const lines = linesOfPages()
  for (const line of lines) {
    scanFeatures(line, 0, line.length)
    reading.begin(line, 'body', seen)
    if (ownRuleSet.hitsNothing(reading, meter) && reading.isNameAsked) asked.push(line)
  }
  assert.ok(lines.length > 2_000)
  assert.ok(
    asked.length < lines.length / 500,
    `${asked.length} of ${lines.length}: ${asked.slice(0, 9).join('\n')}`,
  )
})

test('a text that stands for nothing else is found alike, read once or in full', () => {
  const reading = new PlainReading()
  const meter = new EffortMeter(Number.POSITIVE_INFINITY)
  let plain = 0
  for (const { attacks, benign } of ownRuleSet.rules)
    for (const text of [...attacks, ...benign]) {
      scanFeatures(text, 0, text.length)
      if (!isPlainText(text, seen, 'body')) continue
      plain++
      const full = readingOf(
        text,
        { name: '' },
        { place: 'body', fromStart: true, isPiece: false, isEscaped: false },
      )
      let hits = 0
      ownRuleSet.run(full, () => hits++)
      scanFeatures(text, 0, text.length)
      reading.begin(text, 'body', seen)
      assert.equal(ownRuleSet.hitsNothing(reading, meter), hits === 0, text)
    }
  assert.ok(plain > 1_000, `${plain}`)
})
