// What lenient parsers hand to an application out of bodies that a strict one refuses.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const SQL = "1' UNION SELECT password FROM users-- x"
const FORM = 'application/x-www-form-urlencoded'

function post(body: string, type: string): string {
  return inspect({ method: 'POST', target: '/', headers: ['content-type', type], body: Buffer.from(body) })
    .verdict
}

/** A text of which every few letters are escaped in a way that only lenient parsers undo. */
const ODD = "1' UNIO\\N SEL\\u0045CT p\\assword FROM us\\u0065rs-\\- x"

describe('a form', () => {
  const value = encodeURIComponent(SQL)
  for (const [what, body, type] of [
    ['under a name that begins like a list, as qs and Rack read it', `[]q=${value}`, FORM],
    ['with brackets before its name', `[[q]=${value}`, FORM],
    ['that begins like an object without an end, behind a semicolon', `{"a=1;q=${value}`, FORM],
    ['in a list of types', `&{=1&q=${value}`, `text/plain, ${FORM}`],
    ['whose type stands behind another', `&{=1&q=${value}`, `application/x; ${FORM}`],
  ] as const)
    test(`is read ${what}`, () => {
      assert.equal(post(body, type), 'block')
      assert.equal(post(body.replace(value, 'oak%20%26%20ash'), type), 'pass')
    })

  test('is not read where a whole document is sent under its type', () => {
    assert.equal(post('{"a":"x=1;y=2","b":"https://shop.example/?a=1&b=2"}', FORM), 'pass')
    assert.equal(post('<a b="c=1">x; y=2 &amp; z</a>', FORM), 'pass')
  })
})

describe('what is nearly JSON', () => {
  for (const [what, body] of [
    ['behind a comment with a quote in it (json of Ruby, JSON5)', `{"a":"b" /* " */,"q":"${ODD}"}`],
    ['behind a line of comment with a quote in it', `{"a":1, // don"t\n"q":"${ODD}"}`],
    ['behind a comment of Gson', `{"a":1, # "\n"q":"${ODD}"}`],
    ['behind a quote in other quotes', `{"a":'"',"q":"${ODD}"}`],
    ['as a string alone', `"${ODD}"`],
    ['over the end of a line', `{"a":1,,"q":"1' UNI\\\nON SEL\\\nECT password FROM users-- x"}`],
  ] as const)
    for (const type of ['application/json', 'text/plain', 'application/x-yaml'])
      test(`is read ${what}, as ${type}`, () => {
        assert.equal(post(body, type), 'block')
        assert.equal(post(body.replace(/1'[\s\S]{0,80}x(?=["'])/, 'it\\u0027s \\- fine'), type), 'pass')
      })
})

describe('a document of XML', () => {
  const parted = SQL.replace('UNION', 'UNI<![CDATA[O]]>N').replace('SELECT', 'S<!-- x -->EL&#69;CT')
  const numbered = [...SQL].map(letter => `&#${letter.charCodeAt(0)};`).join('')
  for (const [what, body] of [
    ['behind an instruction', `<?x y?><a>${parted}</a>`],
    ['behind characters that REXML passes over', `x<a>${parted}</a>`],
    ['behind an end that nothing began (fast-xml-parser)', `<!-- c --></b>${parted}</a>`],
    [
      'with a sign that begins no reference (libxml2 that recovers)',
      `<a>${numbered.replace('&#73;', '&&#73;')}</a>`,
    ],
    ['with a reference without a number', `<a>${numbered.replace('&#73;', '&#x;&#73;')}</a>`],
    ['with a control character', `<a>${numbered.replace('&#73;', '&#5;&#73;')}</a>`],
    ['with an entity that nobody declared', `<a>${parted.replace('CT', '&foo;CT')}</a>`],
    ['with signs behind a number', `<a>${numbered.replace('&#73;', '&#73+;')}</a>`],
    ['with a tag that another one interrupts', `<a>${parted.replace('<![CDATA', '<b<![CDATA')}</a>`],
    ['with a sign that begins no tag', `<a>${SQL.replace('UNION', 'UNI<![CDATA[O]]>N< ')}</a>`],
  ] as const)
    for (const type of ['application/xml', 'text/plain'])
      test(`is read ${what}, as ${type}`, () => {
        if (type === 'text/plain' && !/[<&]/.test(body.slice(0, 64))) return
        assert.equal(post(body, type), 'block')
      })

  test('may hold what is broken and attacks nothing', () => {
    for (const body of [
      '<a>Tom & Jerry &nbsp; R&D &copy; 2026 a < b && c</a>',
      '<?mso-application progid="Word.Document"?><a>one &#x2014; two</a>',
      'x<a>one<!-- two --></a>',
      '</a>three',
    ])
      for (const type of ['application/xml', 'text/plain', 'text/html'])
        assert.equal(post(body, type), 'pass', `${type}: ${body}`)
  })
})

test('a document that only begins like one of these is read as the text that it is', () => {
  const lines = 'What follows is read by people, line by line, and it goes on for a while.\n'.repeat(60)
  for (const start of [
    '\'\\" t\n.\\"     Title: chage\nIt reads\n/etc/passwd\nand the user\'s entry in it.\n',
    '"""Downloads.\n\nIt\'s a link if rel="homepage" and rel="download" are what it\'s called.\n"""\nimport os\n',
    'say<b>\n<!-- c -->\nThe file is\n<i>\n/etc/passwd\n</i>\n',
  ])
    for (const type of ['text/plain', 'text/markdown', 'application/octet-stream'])
      assert.equal(post(start + lines, type), 'pass', `${type}: ${start.slice(0, 40)}`)
})
