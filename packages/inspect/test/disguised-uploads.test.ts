import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

/** Ways to write the name of a file that some program reads as one that a server runs. */
const NAMES: Readonly<Record<string, (extension: string) => string>> = {
  'as it is': extension => `filename="a.${extension}"`,
  'with capitals': extension => `filename="a.${extension.toUpperCase()}"`,
  'with a slash behind it': extension => `filename="a.${extension}/"`,
  'with a stream': extension => `filename="a.${extension}:.jpg"`,
  'with a query': extension => `filename="a.${extension}?.jpg"`,
  'with a mark': extension => `filename="a.${extension}#.jpg"`,
  'with a NUL': extension => `filename="a.${extension}\u0000.jpg"`,
  'with a semicolon': extension => `filename="a.${extension};.jpg"`,
  'with an escaped letter': extension => `filename="a.\\${extension}"`,
  'with a second sign': extension => `filename=="a.${extension}"`,
  'with a wide dot': extension => `filename="a\uff0e${extension}"`,
  'in two parameters': extension => `filename*0="a."; filename*1="${extension}"`,
  'in two encoded parameters': extension => `filename*0*=UTF-8''a%2e; filename*1*=${extension}`,
  'in two parameters, the second one first': extension => `filename*1="${extension}"; filename*0="a."`,
  encoded: extension => `filename*=UTF-8''a%2e${extension}`,
  'as a word of a mail': extension => `filename="=?utf-8?B?${btoa(`a.${extension}`)}?="`,
}

const PICTURES: Readonly<Record<string, string>> = {
  GIF: 'GIF89a',
  PNG: '\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\rIHDR',
  JPEG: '\u00ff\u00d8\u00ff\u00e1\u0000\u0010Exif\u0000\u0000',
}

describe('a file that a server would run is refused by its name', () => {
  for (const [how, write] of Object.entries(NAMES))
    test(how, () => {
      for (const extension of ['php', 'phtml', 'phar', 'jsp', 'aspx'])
        assert.equal(verdict(write(extension), 'hello'), 'block', write(extension))
    })
})

describe('a picture that is a program is refused', () => {
  for (const [format, start] of Object.entries(PICTURES))
    test(format, () => {
      for (const program of [
        '<?php system("id");?>',
        '<?=`$_GET[0]`?>',
        '<? system("id");?>',
        '<? eval($_POST[0]);',
        '<? $_GET[0]($_GET[1]);?>',
        '<script language="php">system("id");</script>',
      ])
        assert.equal(verdict('filename="a.jpg"', start + program), 'block', program)
    })
})

test('settings of git that run a program are refused in a file', () => {
  const settings = (line: string): string => `[core]\n\tbare = false\n\t${line}\n[remote "origin"]\n`
  for (const line of [
    'sshCommand = curl http://198.51.100.7 -I',
    'fsmonitor = "touch /tmp/x"',
    'gitProxy=/tmp/x',
  ])
    assert.equal(verdict('filename="config"', settings(line)), 'block', line)
  for (const line of ['fsmonitor = true', 'editor = vim', 'ignorecase = true'])
    assert.equal(verdict('filename="config"', settings(line)), 'pass', line)
})

describe('other files pass', () => {
  for (const [disposition, content] of [
    ['filename="a.jpg"', `${PICTURES['JPEG']}<? and other bytes`],
    ['filename="report v1.2.pdf"', '%PDF-1.4'],
    ['filename="What? A note.txt"', 'hello'],
    ['filename="index.php.md"', 'about index.php'],
    ['filename="a b.c.d.png"', '\u0089PNG'],
    ['filename="php notes.txt"', 'hello'],
  ] as const)
    test(disposition, () => assert.equal(verdict(disposition, content), 'pass'))
})

function verdict(disposition: string, content: string): string {
  const head = `--x\r\nContent-Disposition: form-data; name="file"; ${disposition}\r\nContent-Type: image/jpeg\r\n\r\n`
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.from(content, 'latin1'),
    Buffer.from('\r\n--x--\r\n'),
  ])
  const headers = ['content-type', 'multipart/form-data; boundary=x']
  return inspect({ method: 'POST', target: '/upload', headers, body }).verdict
}
