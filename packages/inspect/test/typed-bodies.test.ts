import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function sent(body: string, type: string): string {
  const headers = ['content-type', type]
  return inspect({ method: 'POST', target: '/x', headers, body: Buffer.from(body) }).verdict
}

describe('a program under the type of a document', () => {
  for (const type of ['application/xml', 'text/xml', 'application/soap+xml', 'image/svg+xml'])
    test(type, () => {
      for (const program of [
        '<% out.print(1); %>',
        '<?php echo md5(1);unlink(__FILE__);?>',
        '<?=7*7?>',
        '<?xml version="1.0"?><jsp:root version="1.2"><jsp:scriptlet>out.print(1);</jsp:scriptlet></jsp:root>',
        '<?xml version="1.0"?>\n<?php system("id");?>',
      ])
        assert.equal(sent(program, type), 'block', program)
      assert.equal(sent('<?xml version="1.0"?><a>text</a>', type), 'pass')
      assert.equal(sent('<?xml version="1.0"?><?order by="a"?><a/>', type), 'pass')
    })
})
