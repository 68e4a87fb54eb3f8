import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutIncludedBeside } from '../src/body/included-beside.ts'
import { inspect } from '../src/inspect.ts'

function verdict(body: string, type = 'application/xml'): string {
  const request = { method: 'POST', target: '/documents', headers: ['content-type', type] }
  return inspect({ ...request, body: Buffer.from(body) }).verdict
}

const MANUAL = (included: string): string =>
  `<?xml version="1.0"?><refentry xmlns:xi="http://www.w3.org/2001/XInclude"><refsect1>${'<para>some words</para>'.repeat(600)}${included}</refsect1></refentry>`
const SCHEMA = (included: string): string =>
  `<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${included}<xs:element name="a"/></xs:schema>`

describe('what a document of XML includes', () => {
  test('passes where it is another document beside it', () => {
    for (const included of [
      '<xi:include href="standard-options.xml" xpointer="help"/>',
      '<xi:include href="org.example.Name.xml" />',
      "<xi:include parse='xml' href='a.ent'></xi:include>",
      '<xi:include xpointer="xpointer(/docs/manager)"/>',
    ])
      assert.equal(verdict(MANUAL(included)), 'pass', included)
    for (const included of [
      '<xs:include schemaLocation="types.xsd"/>',
      '<xs:import namespace="urn:a" schemaLocation="common-types.xsd"/>',
    ])
      assert.equal(verdict(SCHEMA(included)), 'pass', included)
  })

  test('is refused where it lies elsewhere, is a text or the settings of a server, or names may be moved', () => {
    for (const included of [
      '<xi:include href="/etc/a.xml"/>',
      '<xi:include href="../a.xml"/>',
      '<xi:include href="conf/a.xml"/>',
      '<xi:include href="http://evil.example/a.xml"/>',
      '<xi:include href="file:a.xml"/>',
      '<xi:include href="a.xml" parse="text"/>',
      '<xi:include href="a.xml" parse="&#116;ext"/>',
      '<xi:include href="&#47;etc/a.xml"/>',
      '<xi:include href="a.xml" href="/etc/passwd"/>',
      '<xi:include href="a.txt"/>',
      '<xi:include href="web.xml"/>',
      '<xi:include href="tomcat-users.xml"/>',
      '<xi:include href="a.xml" xml:base="file:///opt/"/>',
      '<xi:include href="a.xml" accept="x"/>',
      '<xi:include href="a.xml"/><xi:include href="file:///etc/hostname" parse="text"/>',
    ])
      assert.equal(verdict(MANUAL(included)), 'block', included)
    const moved = MANUAL('<xi:include href="a.xml"/>').replace(
      '<refentry',
      '<refentry xml:base="http://evil.example/"',
    )
    assert.equal(verdict(moved), 'block')
    for (const included of [
      '<xs:include schemaLocation="http://evil.example/a.xsd"/>',
      '<xs:import schemaLocation="/etc/a.xsd"/>',
      '<xs:include namespace="http://evil.example/"/>',
    ])
      assert.equal(verdict(SCHEMA(included)), 'block', included)
  })

  test('attack: many inclusions, also broken ones, cost as much as they are long', () => {
    for (const part of [
      '<xi:include href="a.xml"/>',
      '<xi:include a="',
      "<xi:include a='' ",
      `<xi:include ${'a="" '.repeat(8)}`,
    ]) {
      const text = part.repeat(Math.ceil(1_000_000 / part.length))
      assert.ok(withoutIncludedBeside(text).length <= text.length)
    }
  })
})
