import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { inspect } from '../src/inspect.ts'
import { inEachPlace } from './in-each-place.ts'

const latin = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Objects as their formats have them, that run something, or load what does, while they are read. */
const OBJECTS: Readonly<Record<string, Buffer>> = {
  Java: Buffer.from(
    `aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d1${'00'.repeat(12)}`,
    'hex',
  ),
  '.NET': Buffer.concat([
    Buffer.from('0001000000ffffffff01000000000000000c02000000', 'hex'),
    latin('System.Data'),
  ]),
  Ruby: latin('\u0004\bo:\u0015Gem::SpecFetcher\u0000'),
  'a class of Ruby': latin('\u0004\b[\u0007c\u0015Gem::SpecFetcherc\u0013Gem::Installer'),
  PHP: latin('O:7:"Example":1:{s:3:"cmd";s:2:"id";}'),
  'Python, protocol 0': latin('cposix\nsystem\np0\n(Vid\np1\ntp2\nRp3\n.'),
  'Python, protocol 0, in a list': latin('(lp0\ncposix\nsystem\np1\n(Vid\np2\ntp3\nRp4\na.'),
  'Python, protocol 1': latin('cposix\nsystem\nq\u0000(X\u0002\u0000\u0000\u0000idq\u0001tq\u0002Rq\u0003.'),
  'Python, protocol 2, in a table': latin(
    '\u0080\u0002}q\u0000X\u0001\u0000\u0000\u0000aq\u0001cposix\nsystem\nq\u0002X\u0002\u0000\u0000\u0000idq\u0003\u0085q\u0004Rq\u0005s.',
  ),
  'Python, protocol 4': latin(
    '\u0080\u0004\u0095\u001d\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u008c\u0005posix\u0094\u008c\u0006system\u0094\u0093\u0094\u008c\u0002id\u0094\u0085\u0094R\u0094.',
  ),
}

const ENCODINGS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  base64: bytes => bytes.toString('base64'),
  'base64 of URLs': bytes => bytes.toString('base64url'),
  hexadecimal: bytes => bytes.toString('hex'),
  'hexadecimal in capitals': bytes => bytes.toString('hex').toUpperCase(),
  'gzip in base64': bytes => gzipSync(bytes).toString('base64'),
  'zlib in base64 of URLs': bytes => deflateSync(bytes).toString('base64url'),
  'base64 in base64': bytes => Buffer.from(bytes.toString('base64')).toString('base64'),
  'base64 in lines': bytes => bytes.toString('base64').replace(/(.{20})/g, '$1\n'),
  'base64 in quotes': bytes => `"${bytes.toString('base64')}"`,
  'base64 in an address': bytes => `data:application/octet-stream;base64,${bytes.toString('base64')}`,
}

describe('an object that is built where it is read stays refused', () => {
  for (const [format, bytes] of Object.entries(OBJECTS))
    for (const [encoding, encode] of Object.entries(ENCODINGS))
      test(`${format} in ${encoding}`, () => refused(encode(bytes)))

  test('with the name of its type in disguise', () => {
    for (const name of ['java.lang.AutoCloseable', 'com.mchange.v2.c3p0.JndiRefForwardingDataSource'])
      for (const document of [
        `{"@type":"${name}"}`,
        `{/*a*/"@type"/*b*/:"${name}"}`,
        `{@type:"${name}"}`,
        `{'@type':'${name}'}`,
        `{"@type":"LL${name};;"}`,
        `{"@type":"[${name}"[{`,
        `{"\\u0040type":"${escaped(name)}"}`,
        `{"a":["${name}",{}]}`,
      ])
        refused(document)
  })

  test('by a tag of YAML', () => {
    for (const tag of [
      '!ruby/class X',
      '!!org.h2.jdbc.JdbcConnection {}',
      '!!js/function "function(){}"',
      '%TAG !p! tag:yaml.org,2002:python/\n---\n!p!object/apply:os.system [id]',
      '!<tag:yaml.org,2002:python/object/apply:os.system> [id]',
      '!php/object "O:1"',
    ])
      refused(tag)
  })

  test('by an element of XML', () => {
    for (const element of [
      '<dynamic-proxy><interface>x</interface>',
      '<entry><a class="java.lang.ProcessBuilder"/>',
      '<java><void method="getRuntime">',
    ])
      refused(element)
  })
})

describe('bytes that build nothing pass', () => {
  const bytes = Array.from({ length: 96 }, (_, i) => (i * 89 + 41) & 255)
  const honest: Readonly<Record<string, string>> = {
    'a table of Python that holds numbers': latin('\u0080\u0004}\u0094\u008c\u0001a\u0094K\u0001s.').toString(
      'base64',
    ),
    'bytes of any kind': Buffer.from(bytes).toString('base64'),
    'a digest': 'c2f0a1d49be07c55e5f8a3b7f0d1c2e3a4b5c6d7',
    'a number': '80025123456789012345',
    'a text in gzip': gzipSync('hello, here is a text of some length').toString('base64'),
    'a message of JSON-LD': '{"@type":"Person","name":"Ann"}',
    'a message in Any of Protobuf': '{"@type":"type.googleapis.com/google.rpc.Status"}',
    'a tag of CloudFormation': '!Ref Bucket',
  }
  for (const [what, value] of Object.entries(honest))
    test(what, () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

function escaped(text: string): string {
  return [...text].map(sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}

function refused(value: string): void {
  for (const [place, request] of Object.entries(inEachPlace(value)))
    assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
}
