import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const ATTACKS = ["1' UNION SELECT password FROM users-- x", '<script>alert(1)</script>', ';cat /etc/passwd']

const ofBody = (body: string, type = 'application/yaml'): string =>
  inspect({ method: 'POST', target: '/', headers: ['content-type', type], body: Buffer.from(body) }).verdict

const digits = (text: string): string =>
  Array.from(text, letter => `\\U${letter.charCodeAt(0).toString(16).padStart(8, '0')}`).join('')

describe('strings of YAML and TOML', () => {
  for (const attack of ATTACKS) {
    const broken = (lineEnd: string): string =>
      attack.replace(/.{5}/g, `$&\\${lineEnd}   `).replace(/ {3} /g, '   \\ ')
    test(`hide no attack in escapes that only they have: ${attack}`, () => {
      for (const body of [
        `q: "${digits(attack)}"\n`,
        `q: "${attack.replaceAll(' ', '\\ ')}"\n`,
        `q: "${attack.replaceAll(' ', '\\_')}"\n`,
        `q: "${broken('\n')}"\n`,
        `q: "${broken('\r\n')}"\r\n`,
        `q: !!binary ${Buffer.from(attack).toString('base64')}\n`,
      ])
        assert.equal(ofBody(body), 'block', body)
      assert.equal(ofBody(`q = "${digits(attack)}"\n`, 'application/toml'), 'block')
    })
  }

  test('hide no short attack under the tag of base64', () => {
    const coded = Buffer.from("' OR '1'='1").toString('base64')
    for (const body of [
      `q: !!binary ${coded}\n`,
      `q: !binary |\n  ${coded.slice(0, 6)}\n  ${coded.slice(6)}\n`,
    ])
      assert.equal(ofBody(body), 'block', body)
  })

  test('pass in honest documents', () => {
    for (const body of [
      'run: |\n  docker run \\\n    --rm -it \\\n    node:24 npm test\n',
      'path: "C:\\\\Users\\\\Public"\nname: "two\\\n  lines"\n',
      `icon: !!binary |\n  ${Buffer.from('GIF89a').toString('base64')}R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=\n`,
      `smile: "${digits('ok')}\\U0001f600"\n`,
    ])
      assert.equal(ofBody(body), 'pass', body)
  })
})
