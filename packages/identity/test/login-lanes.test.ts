import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { failed, succeeded } from '../src/login-defence/lane-outcome.ts'
import { MAX_KNOWN } from '../src/login-defence/lane-rules.ts'
import { type Client, enter } from '../src/login-defence/lanes.ts'
import { openLink, requestLink } from '../src/login-defence/link.ts'
import { type LoginRecord, NO_RECORD, readRecord, writeRecord } from '../src/login-defence/login-record.ts'
import { DEFAULT_LANES } from '../src/login-entry.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)

function stranger(index: number): Client {
  return { device: undefined, network: `net${index}`, address: `addr${index}`, spelling: 'ann' }
}

/** Lets a client try; a checked try fails. */
function guess(record: LoginRecord, client: Client, now: number): { record: LoginRecord; checked: boolean } {
  const entry = enter(record, client, DEFAULT_LANES, now)
  return entry.kind === 'checked'
    ? { record: failed(entry.record, { client, lane: entry.lane }, now), checked: true }
    : { record, checked: false }
}

describe('the lanes of an account', () => {
  test('let at most 58 guesses of unknown clients through in a day, however many addresses they come from', () => {
    let record = NO_RECORD
    let checked = 0
    for (let i = 0; i < 43_200; i++) {
      const said = guess(record, stranger(i % 10_000), START + i * 2_000)
      record = said.record
      if (said.checked) checked++
    }
    assert.ok(checked >= 55 && checked <= 58, String(checked))
  })

  test('hold in any 24 hours, for any pattern of guesses', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_600_000), fc.nat(50)), { maxLength: 400 }), steps => {
        let record = NO_RECORD
        let now = START
        const times: number[] = []
        for (const [wait, who] of steps) {
          now += wait
          const said = guess(record, stranger(who), now)
          record = said.record
          if (said.checked) times.push(now)
        }
        return times.every((from, i) => times.slice(i).filter(time => time < from + DAY).length <= 58)
      }),
    )
  })

  test('give one address three guesses in three hours, and leave the others of the account to other clients', () => {
    let record = NO_RECORD
    let checked = 0
    for (let i = 0; i < 100; i++) {
      const said = guess(record, stranger(1), START + i)
      record = said.record
      if (said.checked) checked++
    }
    assert.equal(checked, 3)
    assert.equal(guess(record, stranger(2), START + 200).checked, true)
  })

  test('close to unknown clients after 100 failures in a row, and a success of the owner on a known device does not open them', () => {
    let record = succeeded(
      NO_RECORD,
      { client: stranger(0), lane: 'unknown', device: 'owner-device' },
      DEFAULT_LANES,
      START,
    )
    let now = START
    let checked = 0
    for (let i = 1; i < 20_000; i++) {
      now += 60_000
      const said = guess(record, stranger(i), now)
      record = said.record
      if (said.checked) checked++
    }
    assert.equal(checked, 100)
    const owner: Client = {
      device: 'owner-device',
      network: 'elsewhere',
      address: 'elsewhere',
      spelling: 'ann',
    }
    const entry = enter(record, owner, DEFAULT_LANES, now)
    assert.equal(entry.kind, 'checked')
    assert.ok(entry.kind === 'checked' && entry.lane === 'device')
    record = succeeded(
      entry.record,
      { client: owner, lane: 'device', device: 'owner-device' },
      DEFAULT_LANES,
      now,
    )
    assert.equal(guess(record, stranger(99_999), now + DAY).checked, false)
  })

  test('give a known device ten tries and one more every five minutes, whatever strangers do', () => {
    let record = succeeded(
      NO_RECORD,
      { client: stranger(0), lane: 'unknown', device: 'd' },
      DEFAULT_LANES,
      START,
    )
    for (let i = 0; i < 1_000; i++) record = guess(record, stranger(i), START + 10).record
    const owner: Client = { device: 'd', network: 'cafe', address: 'cafe', spelling: 'ann' }
    let checked = 0
    for (let i = 0; i < 30; i++) {
      const said = guess(record, owner, START + 20)
      record = said.record
      if (said.checked) checked++
    }
    assert.equal(checked, 10)
    assert.equal(guess(record, owner, START + 20 + 299_000).checked, false)
    assert.equal(guess(record, owner, START + 20 + 301_000).checked, true)
  })

  test('give a network with a past success five tries and one more every quarter of an hour', () => {
    const home = stranger(0)
    let record = succeeded(NO_RECORD, { client: home, lane: 'unknown', device: 'd' }, DEFAULT_LANES, START)
    const other: Client = {
      device: undefined,
      network: home.network,
      address: 'another phone',
      spelling: 'ann',
    }
    let checked = 0
    for (let i = 0; i < 30; i++) {
      const said = guess(record, other, START + 20)
      record = said.record
      if (said.checked) checked++
    }
    assert.equal(checked, 5)
    assert.equal(guess(record, other, START + 16 * 60_000).checked, true)
  })

  test('do not turn a known device with an empty bucket into an unknown client with a full one', () => {
    let record = succeeded(
      NO_RECORD,
      { client: stranger(0), lane: 'unknown', device: 'd' },
      DEFAULT_LANES,
      START,
    )
    const thief: Client = { device: 'd', network: 'n', address: 'a', spelling: 'ann' }
    for (let i = 0; i < 10; i++) record = guess(record, thief, START).record
    const entry = enter(record, thief, DEFAULT_LANES, START)
    assert.deepEqual([entry.kind, entry.lane], ['refused', 'device'])
  })

  test('take a device away that fails 100 times in a row', () => {
    let record = succeeded(
      NO_RECORD,
      { client: stranger(0), lane: 'unknown', device: 'd' },
      DEFAULT_LANES,
      START,
    )
    const thief: Client = { device: 'd', network: 'n', address: 'a', spelling: 'ann' }
    let now = START
    let checked = 0
    for (let i = 0; i < 1_000; i++) {
      now += 300_000
      const said = guess(record, thief, now)
      record = said.record
      if (said.checked) checked++
    }
    assert.equal(checked, 100)
  })

  test('remember a bounded number of devices, networks and pairs', () => {
    let record = NO_RECORD
    let now = START
    for (let i = 0; i < 500; i++) {
      now += 1_900_000
      record = guess(record, stranger(i), now).record
      record = succeeded(
        record,
        { client: stranger(i), lane: 'unknown', device: `device${i}` },
        DEFAULT_LANES,
        now,
      )
    }
    assert.equal(record.devices.length, MAX_KNOWN)
    assert.equal(record.networks.length, MAX_KNOWN)
    assert.ok(record.pairs.length <= MAX_KNOWN)
    assert.ok(writeRecord(record).length < 8_000)
  })
})

describe('a mailed link', () => {
  test('is mailed once in two hours, and who asks later cannot replace the one that is on its way', () => {
    const first = requestLink(NO_RECORD, { digest: 'digest-1', spelling: 'ann' }, DEFAULT_LANES, START)
    assert.equal(first.kind, 'mail')
    const record = first.kind === 'mail' ? first.record : NO_RECORD
    for (let minute = 1; minute < 120; minute++)
      assert.equal(
        requestLink(
          record,
          { digest: `evil-${minute}`, spelling: 'ann' },
          DEFAULT_LANES,
          START + minute * 60_000,
        ).kind,
        'live',
      )
    const opened = openLink(record, 'digest-1', 'new-device', START + 119 * 60_000)
    assert.notEqual(opened, undefined)
  })

  test('gives the browser that opens it a bucket of its own, when all other lanes are closed', () => {
    let record: LoginRecord = { ...NO_RECORD, unknownFailures: 1_000, unknownFullAt: START + DAY }
    const asked = requestLink(record, { digest: 'digest', spelling: 'ann' }, DEFAULT_LANES, START)
    record = asked.kind === 'mail' ? asked.record : record
    record = openLink(record, 'digest', 'new', START + 1) ?? record
    const owner: Client = { device: 'new', network: 'abroad', address: 'abroad', spelling: 'ann' }
    assert.equal(enter(record, owner, DEFAULT_LANES, START + 2).kind, 'checked')
  })

  test('opens once, and not when it is too old or another', () => {
    const asked = requestLink(NO_RECORD, { digest: 'digest', spelling: 'ann' }, DEFAULT_LANES, START)
    const record = asked.kind === 'mail' ? asked.record : NO_RECORD
    assert.equal(openLink(record, 'other', 'd', START), undefined)
    assert.equal(openLink(record, 'digest', 'd', START + DEFAULT_LANES.linkEvery), undefined)
    const opened = openLink(record, 'digest', 'd', START + 5)
    assert.equal(openLink(opened ?? NO_RECORD, 'digest', 'e', START + 6), undefined)
  })
})

describe('a record', () => {
  test('that cannot be read leaves unknown clients the link only', () => {
    for (const text of ['', '{', '[]', 'null', '{"devices":1}', '{"devices":[],"networks":[],"pairs":[]}']) {
      assert.equal(enter(readRecord(text), stranger(1), DEFAULT_LANES, START).kind, 'refused', text)
    }
    assert.equal(enter(readRecord(undefined), stranger(1), DEFAULT_LANES, START).kind, 'checked')
  })
})
